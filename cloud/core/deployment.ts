/**
 * Which ReplicaSets does a Deployment need, and how large may each be now? Follows Kubernetes' deployment controller, so
 * that `kubectl rollout status|history|undo|pause|resume` say what people know.
 */
import { deploymentStatus } from './deployment-status.ts'
import { oldRevisions, revisionOf, REVISION_ANNOTATION } from './deployment-history.ts'
import type { Deployment } from '../resources/deployment.ts'
import type { Pod } from '../resources/pod.ts'
import type { ReplicaSet } from '../resources/replica-set.ts'
import { byAge, conditionOf, controllerReference, isControlledBy, isDeleting, nameOf, namespaceOf, uidOf } from './meta.ts'
import { isFinished } from './pod-state.ts'
import { sameTemplate, TEMPLATE_HASH_LABEL, templateHash } from './pod-template.ts'
import { boundsOf, scaleRolling } from './rolling-update.ts'
import type { Bounds } from './rolling-update.ts'

const DESIRED_ANNOTATION = 'deployment.kubernetes.io/desired-replicas'
const MAX_ANNOTATION = 'deployment.kubernetes.io/max-replicas'
const OWN_ANNOTATIONS = new Set([
  REVISION_ANNOTATION,
  DESIRED_ANNOTATION,
  MAX_ANNOTATION,
  'deployment.kubernetes.io/revision-history',
  'kubectl.kubernetes.io/last-applied-configuration',
  'deprecated.deployment.rollback.to',
])

export interface DeploymentPlan {
  /** a ReplicaSet to create, without uid and times */
  readonly create: ReplicaSet | null
  /** ReplicaSets whose spec or annotations change */
  readonly update: readonly ReplicaSet[]
  readonly remove: readonly ReplicaSet[]
  /** deployment.kubernetes.io/revision of the Deployment itself; null = leave it */
  readonly revision: string | null
  readonly status: NonNullable<Deployment['status']>
  readonly recheckInMs: number | null
}

/** @param pods those of the namespace: Recreate waits until the old ones are gone */
export function planDeployment(
  deployment: Deployment,
  sets: readonly ReplicaSet[],
  pods: readonly Pod[],
  now: { readonly ms: number; readonly iso: string },
): DeploymentPlan {
  const mine = sets.filter((set) => isControlledBy(set, uidOf(deployment)) && !isDeleting(set)).sort(byAge)
  const current = mine.find((set) => sameTemplate(set.spec.template, deployment.spec.template)) ?? null
  const old = mine.filter((set) => set !== current)
  if (isDeleting(deployment))
    return { create: null, update: [], remove: [], revision: null, ...deploymentStatus(deployment, mine, current, false, now) }
  const bounds = movable(deployment, current, pods)
  const paused = deployment.spec.paused === true
  const revision = String(Math.max(0, ...old.map(revisionOf)) + 1)
  const keptRevision = current !== null && revisionOf(current) >= Number(revision) ? String(revisionOf(current)) : revision
  const made = current === null && !paused ? newSet(deployment, keptRevision) : null
  const target = made ?? current
  const all = target === null ? old : [...old, target]
  const sizes = targetSizes(deployment, target, old, pods, bounds)
  const sized = all.map((set) =>
    annotated(deployment, set, set === target && !paused ? keptRevision : null, sizes.get(nameOf(set)) ?? set.spec.replicas ?? 0, bounds),
  )
  return {
    create: sized.find((set) => made !== null && nameOf(set) === nameOf(made)) ?? null,
    update: sized.filter((set) => mine.some((before) => nameOf(before) === nameOf(set) && !sameSize(before, set))),
    remove: paused ? [] : oldRevisions(old, deployment.spec.revisionHistoryLimit ?? 10),
    revision: target === null || paused ? null : keptRevision,
    ...deploymentStatus(deployment, mine, current, made !== null, now),
  }
}

/**
 * A new pod cannot have a host port beside the old one that holds it. Where no other device takes it, a percentage that
 * rounds down to "none may be missing" would never move: then one may. A plain 0 is kept: somebody wrote it on purpose.
 */
function movable(deployment: Deployment, current: ReplicaSet | null, pods: readonly Pod[]): Bounds {
  const bounds = boundsOf(deployment)
  const given = deployment.spec.strategy?.rollingUpdate?.maxUnavailable ?? '25%'
  if (bounds.maxUnavailable > 0 || typeof given === 'number' || current === null || !usesHostPorts(deployment)) return bounds
  const stuck = pods.some((pod) => isControlledBy(pod, uidOf(current)) && conditionOf(pod.status?.conditions, 'PodScheduled')?.status === 'False')
  return stuck ? { ...bounds, maxUnavailable: Math.min(1, bounds.replicas) } : bounds
}

function usesHostPorts({ spec: { template } }: Deployment): boolean {
  return template.spec.containers.some(({ ports }) => (ports ?? []).some((port) => port.hostPort !== undefined || template.spec.hostNetwork === true))
}

function targetSizes(
  deployment: Deployment,
  target: ReplicaSet | null,
  old: readonly ReplicaSet[],
  pods: readonly Pod[],
  bounds: Bounds,
): ReadonlyMap<string, number> {
  if (deployment.spec.paused === true || isScaling(deployment, target, old)) return scaled(target, old, bounds)
  if (deployment.spec.strategy?.type !== 'Recreate') return scaleRolling(target, old, bounds)
  const sizes = new Map(old.map((set) => [nameOf(set), 0]))
  const oldAlive = pods.some((pod) => !isFinished(pod) && old.some((set) => isControlledBy(pod, uidOf(set))))
  if (target !== null)
    sizes.set(nameOf(target), oldAlive || old.some((set) => (set.spec.replicas ?? 0) > 0) ? (target.spec.replicas ?? 0) : bounds.replicas)
  return sizes
}

/** The Deployment's own size changed since the sets were last touched: that is not a rollout step. */
function isScaling(deployment: Deployment, target: ReplicaSet | null, old: readonly ReplicaSet[]): boolean {
  const sets = target === null ? old : [...old, target]
  return sets.some((set) => {
    const seen = set.metadata.annotations?.[DESIRED_ANNOTATION]
    return (set.spec.replicas ?? 0) > 0 && seen !== undefined && Number(seen) !== (deployment.spec.replicas ?? 1)
  })
}

/** Grow or shrink without moving a rollout on: one active set takes it all, several share in proportion. */
function scaled(target: ReplicaSet | null, old: readonly ReplicaSet[], bounds: Bounds): ReadonlyMap<string, number> {
  const active = [...old, ...(target === null ? [] : [target])].filter((set) => (set.spec.replicas ?? 0) > 0)
  const sizes = new Map(active.map((set) => [nameOf(set), set.spec.replicas ?? 0]))
  const only = active.length === 1 ? active[0] : active.length === 0 ? (target ?? old.at(-1)) : undefined
  if (only !== undefined) return sizes.set(nameOf(only), bounds.replicas)
  const total = active.reduce((sum, set) => sum + (set.spec.replicas ?? 0), 0)
  const allowed = bounds.replicas > 0 ? bounds.replicas + bounds.maxSurge : 0
  let left = allowed - total
  // largest first, the newest of equals: the remainder goes to who has most
  const order = [...active].sort((a, b) => (b.spec.replicas ?? 0) - (a.spec.replicas ?? 0) || byAge(b, a))
  for (const set of order) {
    const size = set.spec.replicas ?? 0
    const share = Math.round((size * allowed) / Math.max(1, total)) - size
    const step = left > 0 ? Math.min(Math.max(0, share), left) : Math.max(Math.min(0, share), left)
    sizes.set(nameOf(set), Math.max(0, size + step))
    left -= step
  }
  const first = order[0]
  if (first !== undefined && left !== 0) sizes.set(nameOf(first), Math.max(0, (sizes.get(nameOf(first)) ?? 0) + left))
  return sizes
}

function newSet(deployment: Deployment, revision: string): ReplicaSet {
  const { spec } = deployment
  const hash = templateHash(spec.template, deployment.status?.collisionCount ?? 0)
  const labels = { ...spec.template.metadata?.labels, [TEMPLATE_HASH_LABEL]: hash }
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${nameOf(deployment)}-${hash}`,
      namespace: namespaceOf(deployment),
      labels,
      annotations: { [REVISION_ANNOTATION]: revision },
      ownerReferences: [controllerReference(deployment)],
    },
    spec: {
      replicas: 0,
      ...(spec.minReadySeconds === undefined ? {} : { minReadySeconds: spec.minReadySeconds }),
      selector: { ...spec.selector, matchLabels: { ...spec.selector.matchLabels, [TEMPLATE_HASH_LABEL]: hash } },
      template: { ...spec.template, metadata: { ...spec.template.metadata, labels } },
    },
  }
}

function annotated(deployment: Deployment, set: ReplicaSet, revision: string | null, replicas: number, bounds: Bounds): ReplicaSet {
  const annotations: Record<string, string> = { ...set.metadata.annotations }
  if (revision !== null) {
    for (const [key, value] of Object.entries(deployment.metadata.annotations ?? {})) if (!OWN_ANNOTATIONS.has(key)) annotations[key] = value
    annotations[REVISION_ANNOTATION] = revision
  }
  annotations[DESIRED_ANNOTATION] = String(bounds.replicas)
  annotations[MAX_ANNOTATION] = String(bounds.replicas + bounds.maxSurge)
  const minReadySeconds = revision === null ? set.spec.minReadySeconds : deployment.spec.minReadySeconds
  return {
    ...set,
    metadata: { ...set.metadata, annotations },
    spec: { ...set.spec, replicas, ...(minReadySeconds === undefined ? {} : { minReadySeconds }) },
  }
}

function sameSize(a: ReplicaSet, b: ReplicaSet): boolean {
  const left = a.metadata.annotations ?? {}
  const right = b.metadata.annotations ?? {}
  const keys = new Set([...Object.keys(left), ...Object.keys(right)])
  return (
    a.spec.replicas === b.spec.replicas && a.spec.minReadySeconds === b.spec.minReadySeconds && [...keys].every((key) => left[key] === right[key])
  )
}
