/** Is a change of a pod one of what its device should run? */
import { sameJson } from '../../protocol/revision.ts'
import type { Pod } from '../resources/pod.ts'
import { isLost } from './lost-pods.ts'
import { isDeleting } from './meta.ts'

/** Status news do not change what a device should run. */
export function concernsDevice(next: Pod | null, previous: Pod | null): boolean {
  if (next === null || previous === null) return true
  return (
    next.metadata.generation !== previous.metadata.generation ||
    isDeleting(next) !== isDeleting(previous) ||
    isLost(next) !== isLost(previous) ||
    next.metadata.deletionGracePeriodSeconds !== previous.metadata.deletionGracePeriodSeconds ||
    !sameJson(next.metadata.labels, previous.metadata.labels) ||
    !sameJson(next.metadata.annotations, previous.metadata.annotations)
  )
}
