/** What the decisions need to know of a device: its silence, and for each part of the release the pod that runs there. */
import type { Node } from '../../resources/node.ts'
import type { Pod } from '../../resources/pod.ts'
import { conditionOf, isDeleting, uidOf } from '../meta.ts'
import { isReady, stampOr } from '../pod-state.ts'
import { REVISION_HASH_LABEL } from '../pod-template.ts'

/** Written from the device's report: does it run the revision that the pod asks for? */
export const REVISION_APPLIED = 'skerry.dev/RevisionApplied'

export interface PodFacts {
  readonly uid: string
  /** controller-revision-hash: which template the pod asks for */
  readonly hash: string
  /** null = the device says nothing about revisions */
  readonly applied: { readonly isTrue: boolean; readonly reason: string; readonly message: string; readonly sinceMs: number } | null
  readonly ready: boolean
  readonly readySinceMs: number
  readonly createdMs: number
  /** of each container, by the device's clock; null = it does not run */
  readonly startedMs: readonly (number | null)[]
  readonly deleting: boolean
  /** why it is not ready, in a sentence; empty when nobody says */
  readonly why: string
}

export interface NodeFacts {
  /** null = it is heard */
  readonly silentSinceMs: number | null
  /** by part of the release; missing = there should be one; elsewhere = this part does not run here */
  readonly pods: readonly (PodFacts | 'missing' | 'elsewhere')[]
}

/** Since when a device is silent; a device that was never heard is silent since it was made. */
export function silentSince(node: Node): number | null {
  const ready = conditionOf(node.status?.conditions, 'Ready')
  if (ready !== null && ready.status !== 'Unknown') return null
  return stampOr(ready?.lastTransitionTime ?? node.metadata.creationTimestamp, 0)
}

export function podFacts(pod: Pod): PodFacts {
  const conditions = pod.status?.conditions
  const applied = conditionOf(conditions, REVISION_APPLIED)
  const ready = conditionOf(conditions, 'Ready')
  return {
    uid: uidOf(pod),
    hash: pod.metadata.labels?.[REVISION_HASH_LABEL] ?? '',
    applied:
      applied === null
        ? null
        : {
            isTrue: applied.status === 'True',
            reason: applied.reason ?? '',
            message: applied.message ?? '',
            sinceMs: stampOr(applied.lastTransitionTime, 0),
          },
    ready: isReady(pod),
    readySinceMs: stampOr(ready?.lastTransitionTime, 0),
    createdMs: stampOr(pod.metadata.creationTimestamp, 0),
    startedMs: (pod.status?.containerStatuses ?? []).map(({ state }) => (state?.running === undefined ? null : stampOr(state.running.startedAt, 0))),
    deleting: isDeleting(pod),
    why: whyNot(pod),
  }
}

function whyNot(pod: Pod): string {
  // what holds up the new revision, while the old one runs well
  const applied = conditionOf(pod.status?.conditions, REVISION_APPLIED)
  if (applied?.status === 'False' && applied.message !== undefined) return applied.message
  const waiting = (pod.status?.containerStatuses ?? []).find((container) => container.state?.waiting !== undefined)?.state?.waiting
  return pod.status?.message ?? waiting?.message ?? waiting?.reason ?? conditionOf(pod.status?.conditions, 'PodScheduled')?.message ?? ''
}
