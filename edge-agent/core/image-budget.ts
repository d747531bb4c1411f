/** How many pulls a device may begin in an hour: a registry that refuses is not asked without end. Monotonic times in ms. */
import { LIMITS } from '../../protocol/limits.ts'

const HOUR_MS = 3_600_000

/** null = a pull may begin now; else how long to wait. `begun` are the moments of earlier pulls, oldest first. */
export function waitForBudget(begun: readonly number[], nowMonoMs: number): number | null {
  const recent = begun.filter((at) => nowMonoMs - at < HOUR_MS)
  const [oldest] = recent
  if (oldest === undefined || recent.length < LIMITS.pullsPerHour.value) return null
  return oldest + HOUR_MS - nowMonoMs
}

export function noteBegun(begun: readonly number[], nowMonoMs: number): readonly number[] {
  return [...begun, nowMonoMs].slice(-LIMITS.pullsPerHour.value)
}
