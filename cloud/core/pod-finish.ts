/** When may the object of a terminating pod go? Only when no container of it can run any more, or somebody said: by force. */
import { compareVersions } from '../../protocol/accept.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import type { DeviceRecord } from './desired.ts'
import type { Pod } from '../resources/pod.ts'
import { isDeleting, uidOf } from './meta.ts'

export type Finish =
  { readonly kind: 'alive' } | { readonly kind: 'waits'; readonly why: string } | { readonly kind: 'finished'; readonly why: string }

/**
 * @param record what was last published for the device, with when each pod was first left out; null = nothing ever was
 * @param report the newest report of the device; null = none since this cloud started
 * @param nodeExists false = an operator deleted the Node: the device is given up
 */
export function podFinish(pod: Pod, record: DeviceRecord | null, report: StatusReport | null, nodeExists: boolean): Finish {
  if (!isDeleting(pod)) return { kind: 'alive' }
  if (pod.spec.nodeName === undefined) return { kind: 'finished', why: 'it was never bound' }
  if (pod.metadata.deletionGracePeriodSeconds === 0) return { kind: 'finished', why: 'it was deleted by force' }
  if (!nodeExists) return { kind: 'finished', why: 'its device was removed' }
  if (record === null) return { kind: 'finished', why: 'nothing was ever published for its device' }
  const uid = uidOf(pod)
  if (record.uids.includes(uid)) return { kind: 'waits', why: 'the next document of the device leaves it out' }
  const leftOut = record.leftOut[uid]
  if (leftOut === undefined) return { kind: 'finished', why: 'it was never published' }
  const held = report?.desired
  if (report === null || held === undefined) return { kind: 'waits', why: 'the device has not reported' }
  if (compareVersions(held, leftOut) < 0)
    return { kind: 'waits', why: `the device holds ${held.epoch}/${held.generation}, it was left out in ${leftOut.epoch}/${leftOut.generation}` }
  if (!report.engine.reachable) return { kind: 'waits', why: 'the container engine of the device does not answer' }
  if (report.pods.some((listed) => listed.uid === uid)) return { kind: 'waits', why: 'the device still removes its containers' }
  return { kind: 'finished', why: 'the device has removed it' }
}
