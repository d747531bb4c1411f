/** How many pods does a ReplicaSet still need, or which has it too many? And its status. */
import type { Pod } from '../resources/pod.ts'
import type { ReplicaSet } from '../resources/replica-set.ts'
import { annotationOf, compareText, conditionOf, isControlledBy, isDeleting, nameOf, uidOf } from './meta.ts'
import { isLost, planReturn } from './lost-pods.ts'
import { availableInMs, isActive, isAvailable, isFinished, isReady, stampOr } from './pod-state.ts'

export interface ReplicaSetPlan {
  readonly create: number
  /** active pods to delete, in order */
  readonly remove: readonly Pod[]
  /** lost pods whose device is back and that may run again */
  readonly found: readonly Pod[]
  readonly status: NonNullable<ReplicaSet['status']>
  /** milliseconds until a ready pod becomes available (minReadySeconds); null = only news matter */
  readonly recheckInMs: number | null
}

/** `pods` are those of the namespace or of this set; only the ones it controls are looked at. */
export function planReplicaSet(set: ReplicaSet, pods: readonly Pod[], nowMs: number): ReplicaSetPlan {
  const mine = pods.filter((pod) => isControlledBy(pod, uidOf(set)))
  const active = mine.filter((pod) => isActive(pod) && !isLost(pod))
  const lost = mine.filter((pod) => isActive(pod) && isLost(pod))
  const replicas = set.spec.replicas ?? 1
  const { winners, losers } = planReturn(replicas, active, lost)
  const wanted = replicas - winners.length
  const surplus = active.length - wanted
  const deleting = isDeleting(set)
  // also those that are ending: never two of one
  const inPlace = mine.filter((pod) => !isFinished(pod) && !isLost(pod)).length
  return {
    create: deleting ? 0 : Math.max(0, -surplus),
    remove: deleting ? [] : [...deletionOrder(active).slice(0, Math.max(0, surplus)), ...losers],
    found: deleting || inPlace > wanted ? [] : winners,
    status: statusOf(set, active, nowMs),
    recheckInMs: soonest(active, set.spec.minReadySeconds ?? 0, nowMs),
  }
}

function statusOf(set: ReplicaSet, active: readonly Pod[], nowMs: number): NonNullable<ReplicaSet['status']> {
  const wantedLabels = Object.entries(set.spec.template.metadata?.labels ?? {})
  return {
    replicas: active.length,
    fullyLabeledReplicas: active.filter((pod) => wantedLabels.every(([key, value]) => pod.metadata.labels?.[key] === value)).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)).length,
    observedGeneration: set.metadata.generation ?? 0,
  }
}

export function soonest(pods: readonly Pod[], minReadySeconds: number, nowMs: number): number | null {
  const waits = pods.map((pod) => availableInMs(pod, minReadySeconds, nowMs)).filter((ms): ms is number => ms !== null && ms > 0)
  return waits.length === 0 ? null : Math.min(...waits)
}

const PHASE_RANK: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 }

/**
 * Kubernetes' order of who goes first: unassigned, pending, not ready, lower deletion cost, crowded devices, ready most
 * recently, more restarts, younger. Ends in the name, so that it is total.
 */
export function deletionOrder(pods: readonly Pod[]): readonly Pod[] {
  const crowd = new Map<string, number>()
  for (const pod of pods) crowd.set(pod.spec.nodeName ?? '', (crowd.get(pod.spec.nodeName ?? '') ?? 0) + 1)
  const rules: readonly ((pod: Pod) => number)[] = [
    (pod) => (pod.spec.nodeName === undefined ? 0 : 1),
    (pod) => PHASE_RANK[pod.status?.phase ?? 'Pending'] ?? 0,
    (pod) => (isReady(pod) ? 1 : 0),
    (pod) => Number(annotationOf(pod, 'controller.kubernetes.io/pod-deletion-cost') ?? 0) || 0,
    (pod) => -(crowd.get(pod.spec.nodeName ?? '') ?? 0),
    (pod) => -readySinceMs(pod),
    (pod) => -mostRestarts(pod),
    (pod) => -stampOr(pod.metadata.creationTimestamp, 0),
  ]
  return [...pods].sort((a, b) => {
    for (const rule of rules) {
      const order = rule(a) - rule(b)
      if (order !== 0) return order
    }
    return compareText(nameOf(a), nameOf(b))
  })
}

function readySinceMs(pod: Pod): number {
  return isReady(pod) ? stampOr(conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime, 0) : 0
}

function mostRestarts(pod: Pod): number {
  return Math.max(0, ...(pod.status?.containerStatuses ?? []).map((status) => status.restartCount ?? 0))
}
