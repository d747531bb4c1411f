/** What a DaemonSet says of itself, and when that may change without news. */
import type { DaemonSet } from '../resources/daemon-set.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'
import type { NodeRevision } from './daemon-revision.ts'
import { appliedForMs, isApplied } from './in-place.ts'
import { byAge, isDeleting, nameOf } from './meta.ts'
import { availableInMs, isAvailable, isReady } from './pod-state.ts'
import { REVISION_HASH_LABEL } from './pod-template.ts'

export function daemonSetStatus(
  set: DaemonSet,
  revisionOf: (node: string) => NodeRevision,
  eligible: readonly Node[],
  byNode: ReadonlyMap<string, readonly Pod[]>,
  nowMs: number,
): NonNullable<DaemonSet['status']> {
  const wanted = new Set(eligible.map(nameOf))
  const counts = { scheduled: 0, ready: 0, updated: 0, available: 0, misscheduled: 0 }
  for (const [node, list] of byNode) {
    const live = list.filter((pod) => !isDeleting(pod))
    const pod = live.length > 1 ? live.sort(byAge)[0] : live[0]
    if (pod === undefined) continue
    if (!wanted.has(node)) {
      counts.misscheduled += 1
      continue
    }
    counts.scheduled += 1
    if (isReady(pod)) counts.ready += 1
    if (isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)) counts.available += 1
    // told is not done: `kubectl rollout status` waits for the devices
    if (pod.metadata.labels?.[REVISION_HASH_LABEL] === revisionOf(node).hash && isApplied(pod)) counts.updated += 1
  }
  return {
    currentNumberScheduled: counts.scheduled,
    numberMisscheduled: counts.misscheduled,
    desiredNumberScheduled: eligible.length,
    numberReady: counts.ready,
    observedGeneration: set.metadata.generation ?? 0,
    updatedNumberScheduled: counts.updated,
    numberAvailable: counts.available,
    numberUnavailable: eligible.length - counts.available,
  }
}

/** Milliseconds until the next pod counts as available; null = only news matter. */
export function soonestAsAsked(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | null {
  if (minReadySeconds === 0) return null
  const waits = pods.flatMap((pod) => {
    const ready = availableInMs(pod, minReadySeconds, nowMs)
    const applied = appliedForMs(pod, nowMs)
    if (ready === null || applied === null) return []
    const left = Math.max(ready, minReadySeconds * 1000 - applied)
    return left > 0 ? [left] : []
  })
  return waits.length === 0 ? null : Math.min(...waits)
}
