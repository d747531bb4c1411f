/** Small questions about one pod that several controllers ask. */
import { parseStamp } from '../../protocol/stamp.ts'
import type { Pod } from '../resources/pod.ts'
import { conditionOf, isDeleting } from './meta.ts'

/** Ended for good: succeeded or failed pods are not counted as replicas and hold no resources. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'
}

/** Given up by its device for want of memory, PIDs or disk: nothing of it is left there. */
export function isEvicted(pod: Pod): boolean {
  return pod.status?.phase === 'Failed' && pod.status.reason === 'Evicted'
}

/** Counts as a replica: neither ended nor being deleted. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && !isDeleting(pod)
}

export function isReady(pod: Pod): boolean {
  return conditionOf(pod.status?.conditions, 'Ready')?.status === 'True'
}

/** Ready for at least `minReadySeconds`. */
export function isAvailable(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  const left = availableInMs(pod, minReadySeconds, nowMs)
  return left !== null && left <= 0
}

/** Milliseconds until a ready pod counts as available (0 or less = now); null when it is not ready. */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | null {
  const ready = conditionOf(pod.status?.conditions, 'Ready')
  if (ready?.status !== 'True') return null
  if (minReadySeconds === 0) return 0
  return stampOr(ready.lastTransitionTime, nowMs) + minReadySeconds * 1000 - nowMs
}

/** Milliseconds of an RFC 3339 stamp, or `fallback` when there is none. */
export function stampOr(stamp: string | undefined, fallback: number): number {
  const ms = stamp === undefined ? Number.NaN : parseStamp(stamp)
  return Number.isNaN(ms) ? fallback : ms
}
