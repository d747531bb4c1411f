/**
 * Notices that a started effect never answered. INVARIANTS: what is watched has a deadline of its own well before the
 * watchdog's, so a bark is a bug or a stuck kernel, never an absent cloud; time in which this process did not run does not count.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { Clock } from '../ports.ts'

/** Exit code for the supervisor: started again, the agent adopts what runs. EX_SOFTWARE. */
export const EXIT_STUCK = 70

/** a check that comes this late shows that the process itself was stopped */
const LATE_MS = 5_000

export interface Watchdog {
  /** @param limitMs when the effect should have ended by itself; the result says that it did */
  watch(what: string, limitMs: number): () => void
  stop(): void
}

export function createWatchdog(clock: Clock, onStuck: (what: string, sinceMs: number) => void): Watchdog {
  const watched = new Set<() => void>()

  const watch = (what: string, limitMs: number): (() => void) => {
    const startedMonoMs = clock.now().monoMs
    let cancel: (() => void) | null = null
    const done = (): void => {
      cancel?.()
      watched.delete(done)
    }
    const arm = (): void => {
      const deadline = clock.now().monoMs + limitMs + LIMITS.effectOverdueMs.value
      cancel = clock.at(deadline, () => {
        const now = clock.now().monoMs
        if (now - deadline > LATE_MS) return arm()
        done()
        onStuck(what, now - startedMonoMs)
      })
    }
    watched.add(done)
    arm()
    return done
  }

  return {
    watch,
    stop: () => {
      for (const done of watched) done()
    },
  }
}
