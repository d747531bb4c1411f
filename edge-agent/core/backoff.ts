/** How long to wait. Restarts follow the kubelet; engine and registry errors double from one second. Durations in ms. */
import { LIMITS } from '../../protocol/limits.ts'
import { spread } from '../../protocol/text-hash.ts'

/** Wait before the restart that follows the n-th crash: none after the first, then 10 s doubling to five minutes. */
export function restartDelayMs(crashes: number): number {
  return crashes <= 1 ? 0 : doubledMs(crashes - 1, LIMITS.restartBackoffFirstMs.value, LIMITS.restartBackoffMaxMs.value)
}

/**
 * Wait after the n-th failed engine step of one container. `key` spreads containers and devices over a quarter of the delay,
 * so that a registry that comes back is not asked by everybody at once.
 */
export function retryDelayMs(failures: number, key: string): number {
  const delay = doubledMs(failures, LIMITS.retryFirstMs.value, LIMITS.retryMaxMs.value)
  return Math.round(delay * (0.75 + 0.25 * spread(`${key}#${failures}`)))
}

/**
 * Wait after the n-th failed pull in a row: full jitter, so that a fleet that lost its registry together does not come back
 * together; never sooner than the first delay.
 */
export function pullDelayMs(failures: number, key: string): number {
  const { retryFirstMs, pullRetryMaxMs } = LIMITS
  const ceiling = doubledMs(failures, retryFirstMs.value, pullRetryMaxMs.value)
  return Math.round(retryFirstMs.value + (ceiling - retryFirstMs.value) * spread(`${key}#${failures}`))
}

/** `first` after one failure, doubling up to `max`. */
export function doubledMs(failures: number, firstMs: number, maxMs: number): number {
  const doublings = Math.min(Math.max(failures - 1, 0), 30)
  return Math.min(firstMs * 2 ** doublings, maxMs)
}
