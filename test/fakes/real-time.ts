/** The clock and the randomness of this process, for tests with real parts. */
import type { Clock, Random } from '../../edge-agent/ports.ts'

export const realClock: Clock = {
  now: () => ({ monoMs: performance.now(), wallMs: Date.now() }),
  at(monoMs, run) {
    const timer = setTimeout(run, Math.max(0, monoMs - performance.now()))
    return () => clearTimeout(timer)
  },
}

export const realRandom: Random = { next: () => Math.random() }
