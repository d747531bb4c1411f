/** Reading metadata: names, keys, owners, age. After admission name and uid are always there. */
import type { Condition, KubeObject, OwnerReference } from '../resources/object.ts'

export function nameOf(object: KubeObject): string {
  return object.metadata.name ?? ''
}

export function namespaceOf(object: KubeObject): string {
  return object.metadata.namespace ?? ''
}

export function uidOf(object: KubeObject): string {
  return object.metadata.uid ?? ''
}

/** `<namespace>/<name>`; cluster-scoped kinds have an empty namespace. */
export function keyOf(object: KubeObject): string {
  return `${namespaceOf(object)}/${nameOf(object)}`
}

export function splitKey(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}

export function isDeleting(object: KubeObject): boolean {
  return object.metadata.deletionTimestamp !== undefined
}

/** The one owner that manages this object, if any. */
export function controllerOf(object: KubeObject): OwnerReference | null {
  return object.metadata.ownerReferences?.find((owner) => owner.controller === true) ?? null
}

export function isControlledBy(object: KubeObject, uid: string): boolean {
  return controllerOf(object)?.uid === uid
}

export function controllerReference(owner: KubeObject): OwnerReference {
  return { apiVersion: owner.apiVersion, kind: owner.kind, name: nameOf(owner), uid: uidOf(owner), controller: true, blockOwnerDeletion: true }
}

export function annotationOf(object: KubeObject, key: string): string | undefined {
  return object.metadata.annotations?.[key]
}

/** RFC 3339 in UTC sorts as text. Equal times: by name, so that every order is total. */
export function byAge(a: KubeObject, b: KubeObject): number {
  return compareText(a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? '') || compareText(nameOf(a), nameOf(b))
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

export function conditionOf(conditions: readonly Condition[] | undefined, type: string): Condition | null {
  return conditions?.find((condition) => condition.type === type) ?? null
}

/**
 * The list with one condition set. `lastTransitionTime` moves only when the status does, so an unchanged world gives an
 * equal list and nothing is written.
 */
export function withCondition(conditions: readonly Condition[], next: Condition, nowIso: string): readonly Condition[] {
  const before = conditionOf(conditions, next.type)
  const kept = before !== null && before.status === next.status ? before.lastTransitionTime : undefined
  const merged: Condition = { ...next, lastTransitionTime: kept ?? nowIso }
  return before === null ? [...conditions, merged] : conditions.map((condition) => (condition.type === next.type ? merged : condition))
}
