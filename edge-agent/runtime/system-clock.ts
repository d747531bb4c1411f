/** The real clock and real randomness, as the ports want them. */
import type { Clock, Random } from '../ports.ts'

/** setTimeout counts in 32 bits: 24.8 days. Longer waits are made of several. */
const TIMER_MAX_MS = 2 ** 31 - 1

export const systemClock: Clock = {
  now: () => ({ monoMs: performance.now(), wallMs: Date.now() }),
  at: (monoMs, run) => {
    let timer: NodeJS.Timeout
    const arm = (): void => {
      // a timer may fire up to a millisecond early, and long waits come in pieces
      const left = Math.ceil(monoMs - performance.now())
      timer = setTimeout(left <= 0 ? run : arm, Math.min(Math.max(left, 0), TIMER_MAX_MS))
    }
    arm()
    return () => clearTimeout(timer)
  },
}

export const systemRandom: Random = { next: () => Math.random() }
