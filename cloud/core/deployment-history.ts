/** Revisions of a Deployment: numbers on its ReplicaSets, and which old ones may go. */
import type { ReplicaSet } from '../resources/replica-set.ts'
import { byAge } from './meta.ts'

export const REVISION_ANNOTATION = 'deployment.kubernetes.io/revision'

export function revisionOf(set: ReplicaSet): number {
  return Number(set.metadata.annotations?.[REVISION_ANNOTATION] ?? 0) || 0
}

/** Empty old sets beyond the limit, lowest revision first: what `kubectl rollout undo` can still reach is kept. */
export function oldRevisions(old: readonly ReplicaSet[], limit: number): readonly ReplicaSet[] {
  const empty = old.filter(
    (set) =>
      (set.spec.replicas ?? 0) === 0 && (set.status?.replicas ?? 0) === 0 && (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0),
  )
  const surplus = old.length - limit
  if (surplus <= 0) return []
  return [...empty].sort((a, b) => revisionOf(a) - revisionOf(b) || byAge(a, b)).slice(0, surplus)
}
