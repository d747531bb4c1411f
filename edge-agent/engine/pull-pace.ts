/** Holds the bytes of downloads to their rate, all downloads of the device together: they share one line. */
import { grantBytes, pieceOf } from '../core/pull-rate.ts'
import type { Clock } from '../ports.ts'

/** bytes a second now; null = no limit. Asked again for each piece. */
export type RateNow = () => number | null

export interface PullPace {
  /**
   * The same bytes, not faster than the rate. `held` is called with true before it lets the sender wait and with false after it,
   * so that nobody takes a wait of our own for a silent connection.
   */
  pass(stream: AsyncIterable<Buffer>, rate: RateNow, held: (isHeld: boolean) => void): AsyncGenerator<Buffer>
}

export function createPullPace(clock: Clock): PullPace {
  let nextMs = 0
  const wait = (ms: number): Promise<void> =>
    ms <= 0 ? Promise.resolve() : new Promise((resolve) => void clock.at(clock.now().monoMs + ms, resolve))

  async function* pass(stream: AsyncIterable<Buffer>, rate: RateNow, held: (isHeld: boolean) => void): AsyncGenerator<Buffer> {
    for await (const chunk of stream) {
      for (let from = 0; from < chunk.length;) {
        const now = rate()
        const to = now === null ? chunk.length : Math.min(chunk.length, from + pieceOf(now))
        if (now !== null) {
          const grant = grantBytes(nextMs, clock.now().monoMs, to - from, now)
          nextMs = grant.nextMs
          held(true)
          try {
            await wait(grant.waitMs)
          } finally {
            held(false)
          }
        }
        yield chunk.subarray(from, to)
        from = to
      }
    }
  }
  return { pass }
}
