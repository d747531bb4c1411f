/**
 * When the loop is woken without news. INVARIANTS: one wake-up is armed at most, the moment that was asked for last: the
 * reducer asks for the earliest of all that it waits for; nothing repeats faster than the limits table allows.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { Clock, Random } from '../ports.ts'

export interface WakeUp {
  /** calls back once at or after that monotonic moment, unless it is moved before */
  at(monoMs: number): void
  stop(): void
}

export function createWakeUp(clock: Clock, run: () => void): WakeUp {
  let cancel: (() => void) | null = null
  return {
    at: (monoMs) => {
      cancel?.()
      cancel = clock.at(monoMs, run)
    },
    stop: () => cancel?.(),
  }
}

/** Calls back again and again, each time after the interval +-20 %, so that devices and tasks spread. The result stops it. */
export function repeat(clock: Clock, random: Random, intervalMs: number, run: () => void): () => void {
  let cancel: (() => void) | null = null
  const arm = (): void => {
    const pause = Math.max(LIMITS.tickMinMs.value, intervalMs * (0.8 + 0.4 * random.next()))
    cancel = clock.at(clock.now().monoMs + pause, () => {
      arm()
      run()
    })
  }
  arm()
  return () => cancel?.()
}
