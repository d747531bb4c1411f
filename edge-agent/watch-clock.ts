/** Asks the host about its clock now and from time to time, seldom while it is believed; one look at a time. */
import { LIMITS } from '../protocol/limits.ts'
import { trustedWallMs } from './core/clock-trust.ts'
import type { ClockFacts } from './core/clock-trust.ts'
import { readClockFacts } from './inventory/clock-facts.ts'
import type { Clock, Random } from './ports.ts'
import type { Loop } from './runtime/loop.ts'
import { systemClock, systemRandom } from './runtime/system-clock.ts'
import { repeat } from './runtime/timers.ts'

export interface ClockWatch {
  readonly clock: Clock
  readonly random: Random
  /** folder with the traces */
  readonly root: string
  isGood(): boolean
  tell(facts: ClockFacts): void
}

const SKIPPED_WHILE_GOOD = 5

/** The result ends it. */
export function watchClock({ clock, random, root, isGood, tell }: ClockWatch): () => void {
  let looking = false
  let skipped = 0
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
  return repeat(clock, random, LIMITS.clockLookMs.value, () => {
    skipped = isGood() && skipped < SKIPPED_WHILE_GOOD ? skipped + 1 : 0
    if (skipped === 0) look()
  })
}

/** Tells the agent's loop of the clock of this machine. The result ends it. */
export function keepClock(root: string, loop: Pick<Loop, 'state' | 'dispatch'>): () => void {
  return watchClock({
    clock: systemClock,
    random: systemRandom,
    root,
    isGood: () => trustedWallMs(loop.state().clock, systemClock.now()) !== null,
    tell: (facts) => loop.dispatch({ kind: 'clock', facts }),
  })
}
