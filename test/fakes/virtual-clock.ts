/** Time that moves only when a test says so. */
import type { Clock } from '../../cloud/ports.ts'

export interface VirtualClock extends Clock {
  /** moves time step by step, letting promises settle after each timer */
  advance(ms: number): Promise<void>
  pendingTimers(): number
}

export function virtualClock(startMs = 1_790_000_000_000): VirtualClock {
  let mono = 0
  let count = 0
  const timers = new Map<number, { readonly at: number; run(): void }>()
  return {
    nowMs: () => startMs + mono,
    monoMs: () => mono,
    after(ms, run) {
      count += 1
      const id = count
      timers.set(id, { at: mono + ms, run })
      return () => timers.delete(id)
    },
    async advance(ms) {
      const end = mono + ms
      await settle()
      for (;;) {
        const due = [...timers.entries()].filter(([, timer]) => timer.at <= end).sort(([a, left], [b, right]) => left.at - right.at || a - b)[0]
        if (due === undefined) break
        mono = Math.max(mono, due[1].at)
        timers.delete(due[0])
        due[1].run()
        await settle()
      }
      mono = end
      await settle()
    },
    pendingTimers: () => timers.size,
  }
}

/** Lets everything that only waits for promises happen. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 4; round += 1) await new Promise((resolve) => setImmediate(resolve))
}
