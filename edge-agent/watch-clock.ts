/** Asks the host about its clock now and from time to time; one look at a time. */
import { LIMITS } from '../protocol/limits.ts'
import type { ClockFacts } from './core/clock-trust.ts'
import { readClockFacts } from './inventory/clock-facts.ts'
import type { Clock, Random } from './ports.ts'
import { repeat } from './runtime/timers.ts'

/** The result ends it. */
export function watchClock(clock: Clock, random: Random, root: string, tell: (facts: ClockFacts) => void): () => void {
  let looking = false
  const look = (): void => {
    if (looking) return
    looking = true
    readClockFacts(root)
      .then(tell)
      .catch(() => {
        // a host that cannot be read proves nothing
      })
      .finally(() => {
        looking = false
      })
  }
  look()
  return repeat(clock, random, LIMITS.clockLookMs.value, look)
}
