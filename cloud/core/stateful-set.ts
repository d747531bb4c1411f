/**
 * What a StatefulSet does next. INVARIANTS: never two pods of one number; with the usual order a pod is made only when all
 * before it are ready, and at most one is taken away at a time, from the highest number down; a claim is never taken away.
 */
import type { PersistentVolumeClaim } from '../resources/persistent-volume-claim.ts'
import type { Pod } from '../resources/pod.ts'
import { withClaims } from '../resources/stateful-set.ts'
import type { StatefulSet } from '../resources/stateful-set.ts'
import { isControlledBy, isDeleting, nameOf, namespaceOf, uidOf } from './meta.ts'
import { isAvailable, isFinished, isReady } from './pod-state.ts'
import { podFromTemplate, REVISION_HASH_LABEL, templateHash } from './pod-template.ts'
import { soonest } from './replica-set.ts'

const POD_NAME_LABEL = 'statefulset.kubernetes.io/pod-name'
const INDEX_LABEL = 'apps.kubernetes.io/pod-index'

export interface StatefulSetPlan {
  /** in order; each with the claims that it needs first */
  readonly create: readonly { readonly pod: Pod; readonly claims: readonly PersistentVolumeClaim[] }[]
  readonly remove: readonly Pod[]
  readonly status: NonNullable<StatefulSet['status']>
  readonly recheckInMs: number | null
}

/** @param pods of this set and maybe others */
export function planStatefulSet(set: StatefulSet, pods: readonly Pod[], nowMs: number): StatefulSetPlan {
  const mine = pods.filter((pod) => isControlledBy(pod, uidOf(set)))
  const byOrdinal = new Map(mine.flatMap((pod) => (ordinalOf(set, pod) === null ? [] : [[ordinalOf(set, pod) ?? 0, pod] as const])))
  const status = statusOf(set, mine, nowMs)
  const next = isDeleting(set) ? { create: [], remove: [] } : stepsOf(set, byOrdinal)
  return {
    create: next.create.map((ordinal) => ({ pod: podOf(set, ordinal), claims: claimsOf(set, ordinal) })),
    remove: next.remove,
    status,
    recheckInMs: soonest(mine, set.spec.minReadySeconds ?? 0, nowMs),
  }
}

/** The name of this revision, as its pods carry it. */
export function revisionOf(set: StatefulSet): string {
  return `${nameOf(set)}-${templateHash(set.spec.template, set.status?.collisionCount ?? 0)}`
}

interface Steps {
  readonly create: readonly number[]
  readonly remove: readonly Pod[]
}

function stepsOf(set: StatefulSet, byOrdinal: ReadonlyMap<number, Pod>): Steps {
  const wanted = set.spec.replicas ?? 1
  const parallel = set.spec.podManagementPolicy === 'Parallel'
  const ordinals = Array.from({ length: wanted }, (_, index) => index)
  // what ended for good is made anew under its name, when it is gone
  const ended = [...byOrdinal.values()].filter((pod) => isFinished(pod) && !isDeleting(pod))
  if (ended.length > 0) return { create: [], remove: parallel ? ended : ended.slice(0, 1) }
  const missing = ordinals.filter((ordinal) => !byOrdinal.has(ordinal))
  const unready = ordinals.find((ordinal) => byOrdinal.has(ordinal) && !isUp(byOrdinal.get(ordinal)))
  const [first] = missing
  if (parallel && missing.length > 0) return { create: missing, remove: [] }
  if (first !== undefined && (unready === undefined || unready > first)) return { create: [first], remove: [] }
  const surplus = [...byOrdinal].filter(([ordinal, pod]) => ordinal >= wanted && !isDeleting(pod)).toSorted(([a], [b]) => b - a)
  const leaving = [...byOrdinal.values()].some(isDeleting)
  if (surplus.length > 0) {
    const [last] = surplus
    if (parallel) return { create: [], remove: surplus.map(([, pod]) => pod) }
    return { create: [], remove: last === undefined || leaving || unready !== undefined ? [] : [last[1]] }
  }
  return { create: [], remove: leaving || missing.length > 0 ? [] : outdated(set, byOrdinal) }
}

/** The highest number of an older revision. One that is not ready and is older may go even if others are not: it stands in the way. */
function outdated(set: StatefulSet, byOrdinal: ReadonlyMap<number, Pod>): readonly Pod[] {
  if (set.spec.updateStrategy?.type === 'OnDelete') return []
  const revision = revisionOf(set)
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0
  for (const [ordinal, pod] of [...byOrdinal].toSorted(([a], [b]) => b - a)) {
    if (ordinal < partition) return []
    if (pod.metadata.labels?.[REVISION_HASH_LABEL] !== revision) return [pod]
    if (!isUp(pod)) return []
  }
  return []
}

function isUp(pod: Pod | undefined): boolean {
  return pod !== undefined && isReady(pod) && !isDeleting(pod)
}

function ordinalOf(set: StatefulSet, pod: Pod): number | null {
  const [, number] = /-(\d{1,9})$/.exec(nameOf(pod)) ?? []
  return number !== undefined && nameOf(pod) === `${nameOf(set)}-${Number(number)}` ? Number(number) : null
}

function podOf(set: StatefulSet, ordinal: number): Pod {
  const name = `${nameOf(set)}-${ordinal}`
  const labels = { [POD_NAME_LABEL]: name, [INDEX_LABEL]: String(ordinal), [REVISION_HASH_LABEL]: revisionOf(set) }
  const pod = podFromTemplate(
    set,
    withClaims(set.spec, (template) => claimName(set, template, ordinal)),
    { suffix: String(ordinal), labels },
  )
  return { ...pod, spec: { ...pod.spec, hostname: pod.spec.hostname ?? name } }
}

function claimsOf(set: StatefulSet, ordinal: number): readonly PersistentVolumeClaim[] {
  return (set.spec.volumeClaimTemplates ?? []).map(({ metadata, spec }) => ({
    apiVersion: 'v1',
    kind: 'PersistentVolumeClaim',
    metadata: {
      name: claimName(set, metadata.name ?? '', ordinal),
      namespace: namespaceOf(set),
      labels: { ...set.spec.selector.matchLabels, ...metadata.labels },
      ...(metadata.annotations === undefined ? {} : { annotations: metadata.annotations }),
    },
    spec,
  }))
}

function claimName(set: StatefulSet, template: string, ordinal: number): string {
  return `${template}-${nameOf(set)}-${ordinal}`
}

function statusOf(set: StatefulSet, mine: readonly Pod[], nowMs: number): NonNullable<StatefulSet['status']> {
  const live = mine.filter((pod) => !isFinished(pod))
  const revision = revisionOf(set)
  const before = set.status?.currentRevision ?? revision
  const updated = live.filter((pod) => pod.metadata.labels?.[REVISION_HASH_LABEL] === revision && !isDeleting(pod))
  const ready = live.filter(isReady)
  const wanted = set.spec.replicas ?? 1
  // the update is over when every pod is of the new revision and ready; with OnDelete that is up to somebody else
  const done = updated.length === live.length && live.length === wanted && ready.length === wanted
  const current = done ? revision : before
  return {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: live.length,
    readyReplicas: ready.length,
    availableReplicas: live.filter((pod) => isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)).length,
    currentReplicas: live.filter((pod) => pod.metadata.labels?.[REVISION_HASH_LABEL] === current).length,
    updatedReplicas: updated.length,
    currentRevision: current,
    updateRevision: revision,
    collisionCount: set.status?.collisionCount ?? 0,
  }
}
