/** What has to go because something else went: objects whose owners are gone, and everything in a closing namespace. */
import type { KubeObject, OwnerReference } from '../resources/object.ts'
import { isDeleting } from './meta.ts'

export const FOREGROUND_FINALIZER = 'foregroundDeletion'
export const ORPHAN_FINALIZER = 'orphan'

export type GarbageVerdict =
  | { readonly kind: 'keep' }
  | { readonly kind: 'delete' }
  /** some owners are gone, others live: forget the dead ones */
  | { readonly kind: 'prune'; readonly ownerReferences: readonly OwnerReference[] }

/**
 * @param ownerLives does an object of that kind and uid exist in the dependent's namespace or cluster-wide? Kinds that
 * this cloud does not know count as living: never delete on ignorance.
 */
export function garbageVerdict(object: KubeObject, ownerLives: (owner: OwnerReference) => boolean): GarbageVerdict {
  const owners = object.metadata.ownerReferences ?? []
  if (owners.length === 0 || isDeleting(object)) return { kind: 'keep' }
  const living = owners.filter(ownerLives)
  if (living.length === owners.length) return { kind: 'keep' }
  return living.length === 0 ? { kind: 'delete' } : { kind: 'prune', ownerReferences: living }
}

export type OwnerEnd =
  | { readonly kind: 'none' }
  /** delete these, keep the owner until they are gone */
  | { readonly kind: 'delete-dependents'; readonly dependents: readonly KubeObject[] }
  /** take this owner out of these, then drop the finalizer */
  | { readonly kind: 'release-dependents'; readonly dependents: readonly KubeObject[] }
  | { readonly kind: 'drop-finalizer'; readonly finalizer: string }

/** What a deleted owner with a propagation finalizer still has to do for its dependents. */
export function ownerEnd(owner: KubeObject, dependents: readonly KubeObject[]): OwnerEnd {
  if (!isDeleting(owner)) return { kind: 'none' }
  const finalizers = owner.metadata.finalizers ?? []
  if (finalizers.includes(ORPHAN_FINALIZER)) {
    return dependents.length > 0 ? { kind: 'release-dependents', dependents } : { kind: 'drop-finalizer', finalizer: ORPHAN_FINALIZER }
  }
  if (!finalizers.includes(FOREGROUND_FINALIZER)) return { kind: 'none' }
  const alive = dependents.filter((dependent) => !isDeleting(dependent))
  if (alive.length > 0) return { kind: 'delete-dependents', dependents: alive }
  return dependents.length > 0 ? { kind: 'none' } : { kind: 'drop-finalizer', finalizer: FOREGROUND_FINALIZER }
}

export type NamespaceEnd =
  | { readonly kind: 'open' }
  | { readonly kind: 'empty-it'; readonly objects: readonly KubeObject[] }
  | { readonly kind: 'wait'; readonly left: number }
  | { readonly kind: 'close' }

/** A deleted namespace goes when nothing is left in it; pods leave in their own time, after their devices confirmed. */
export function namespaceEnd(namespace: KubeObject, contents: readonly KubeObject[]): NamespaceEnd {
  if (!isDeleting(namespace)) return { kind: 'open' }
  const alive = contents.filter((object) => !isDeleting(object))
  if (alive.length > 0) return { kind: 'empty-it', objects: alive }
  return contents.length > 0 ? { kind: 'wait', left: contents.length } : { kind: 'close' }
}
