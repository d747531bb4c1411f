/** When to try again: full jitter, so that ten thousand devices which lost one broker do not come back together. */
import { LIMITS } from '../../protocol/limits.ts'

/**
 * Milliseconds until the next try: uniform below a ceiling that doubles with each failure.
 * @param failures failed tries and short-lived connections in a row, from 1
 * @param random uniform in [0, 1)
 */
export function reconnectDelayMs(failures: number, random: number): number {
  const ceiling = Math.min(LIMITS.reconnectMaxMs.value, LIMITS.reconnectFirstMs.value * 2 ** Math.min(failures - 1, 30))
  return Math.floor(random * ceiling)
}

/**
 * Failures in a row after a connection that held for `upMs` (0 = it never came up) was lost. One that held for a while counts for half
 * of what was before: a broker that is restarted every few minutes must not push its devices out for longer each time.
 */
export function failuresAfter(failures: number, upMs: number): number {
  if (upMs >= LIMITS.reconnectStableMs.value) return 1
  return (upMs >= LIMITS.reconnectHeldMs.value ? Math.floor(failures / 2) : failures) + 1
}
