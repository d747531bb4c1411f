/** Status of a Deployment in the words `kubectl rollout status` waits for. */
import type { Deployment } from '../resources/deployment.ts'
import type { Condition } from '../resources/object.ts'
import type { ReplicaSet } from '../resources/replica-set.ts'
import { conditionOf, nameOf, withCondition } from './meta.ts'
import { stampOr } from './pod-state.ts'
import { boundsOf } from './rolling-update.ts'

interface Now {
  readonly ms: number
  readonly iso: string
}

export function deploymentStatus(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  current: ReplicaSet | null,
  creating: boolean,
  now: Now,
): { readonly status: NonNullable<Deployment['status']>; readonly recheckInMs: number | null } {
  const counts = countsOf(deployment, sets, current)
  let conditions = withCondition(deployment.status?.conditions ?? [], availability(deployment, counts), now.iso)
  const progress = progressing(deployment, counts, current, creating, now)
  if (progress.condition !== null) conditions = withCondition(conditions, progress.condition, now.iso)
  const collisionCount = deployment.status?.collisionCount
  return { status: { ...counts, ...(collisionCount === undefined ? {} : { collisionCount }), conditions }, recheckInMs: progress.recheckInMs }
}

type Counts = Required<
  Pick<
    NonNullable<Deployment['status']>,
    'observedGeneration' | 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas' | 'unavailableReplicas'
  >
>

function countsOf(deployment: Deployment, sets: readonly ReplicaSet[], current: ReplicaSet | null): Counts {
  const sum = (of: (set: ReplicaSet) => number | undefined): number => sets.reduce((total, set) => total + (of(set) ?? 0), 0)
  const availableReplicas = sum((set) => set.status?.availableReplicas)
  return {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sum((set) => set.status?.replicas),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum((set) => set.status?.readyReplicas),
    availableReplicas,
    unavailableReplicas: Math.max(0, sum((set) => set.spec.replicas) - availableReplicas),
  }
}

function availability(deployment: Deployment, counts: Counts): Condition {
  const { replicas, maxUnavailable } = boundsOf(deployment)
  return counts.availableReplicas >= replicas - maxUnavailable
    ? { type: 'Available', status: 'True', reason: 'MinimumReplicasAvailable', message: 'Deployment has minimum availability.' }
    : { type: 'Available', status: 'False', reason: 'MinimumReplicasUnavailable', message: 'Deployment does not have minimum availability.' }
}

const still = { condition: null, recheckInMs: null } as const

function progressing(
  deployment: Deployment,
  counts: Counts,
  current: ReplicaSet | null,
  creating: boolean,
  now: Now,
): { readonly condition: Condition | null; readonly recheckInMs: number | null } {
  const before = conditionOf(deployment.status?.conditions, 'Progressing')
  const stamped = (status: string, reason: string, message: string): { readonly condition: Condition; readonly recheckInMs: null } => ({
    condition: { type: 'Progressing', status, reason, message, lastUpdateTime: now.iso },
    recheckInMs: null,
  })
  if (deployment.spec.paused === true)
    return before?.reason === 'DeploymentPaused' ? still : stamped('Unknown', 'DeploymentPaused', 'Deployment is paused')
  if (before?.reason === 'DeploymentPaused') return stamped('Unknown', 'DeploymentResumed', 'Deployment is resumed')
  const name = current === null ? nameOf(deployment) : nameOf(current)
  if (isComplete(deployment, counts) && current !== null && !creating) {
    return before?.reason === 'NewReplicaSetAvailable' && before.message?.includes(`"${name}"`) === true
      ? still
      : stamped('True', 'NewReplicaSetAvailable', `ReplicaSet "${name}" has successfully progressed.`)
  }
  if (before === null || creating)
    return stamped('True', 'NewReplicaSetCreated', creating ? 'Created new replica set' : `Created new replica set "${name}"`)
  // a finished rollout that later loses a pod is not a rollout that is late
  if (before.reason === 'NewReplicaSetAvailable' && before.message?.includes(`"${name}"`) === true && counts.replicas === counts.updatedReplicas)
    return still
  if (moved(deployment.status, counts)) return stamped('True', 'ReplicaSetUpdated', `ReplicaSet "${name}" is progressing.`)
  return timedOut(deployment, before, name, now)
}

function timedOut(
  deployment: Deployment,
  before: Condition,
  name: string,
  now: Now,
): { readonly condition: Condition | null; readonly recheckInMs: number | null } {
  const allowedMs = (deployment.spec.progressDeadlineSeconds ?? 600) * 1000
  if (before.reason === 'ProgressDeadlineExceeded') return still
  const leftMs = stampOr(before.lastUpdateTime, now.ms) + allowedMs - now.ms
  if (leftMs > 0) return { condition: null, recheckInMs: leftMs }
  return {
    condition: {
      type: 'Progressing',
      status: 'False',
      reason: 'ProgressDeadlineExceeded',
      message: `ReplicaSet "${name}" has timed out progressing.`,
      lastUpdateTime: now.iso,
    },
    recheckInMs: null,
  }
}

function isComplete(deployment: Deployment, counts: Counts): boolean {
  const replicas = deployment.spec.replicas ?? 1
  return counts.updatedReplicas === replicas && counts.replicas === replicas && counts.availableReplicas === replicas
}

function moved(before: NonNullable<Deployment['status']> | undefined, counts: Counts): boolean {
  const oldBefore = (before?.replicas ?? 0) - (before?.updatedReplicas ?? 0)
  return (
    counts.updatedReplicas > (before?.updatedReplicas ?? 0) ||
    counts.replicas - counts.updatedReplicas < oldBefore ||
    counts.readyReplicas > (before?.readyReplicas ?? 0) ||
    counts.availableReplicas > (before?.availableReplicas ?? 0)
  )
}
