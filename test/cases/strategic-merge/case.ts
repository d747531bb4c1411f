/** One strategic merge: what the object was, the patch, what it becomes. The same cases are put to kubectl itself. */
export interface MergeCase {
  readonly name: string
  readonly kind: 'Pod' | 'Deployment' | 'ConfigMap' | 'Node' | 'Namespace'
  /** fields beside apiVersion, kind and metadata.name; may hold further metadata */
  readonly from: Readonly<Record<string, unknown>>
  readonly patch: Readonly<Record<string, unknown>>
  /** null = the patch is refused */
  readonly to: Readonly<Record<string, unknown>> | null
  /** where kubectl's own merge leaves something that the next step would refuse or drop, and ours does not */
  readonly kubectlDiffers?: string
}

const API: Readonly<Record<MergeCase['kind'], string>> = { Pod: 'v1', Deployment: 'apps/v1', ConfigMap: 'v1', Node: 'v1', Namespace: 'v1' }

/** The whole object around the fields of a case. */
export function wholeObject(kind: MergeCase['kind'], fields: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const metadata = typeof fields['metadata'] === 'object' ? fields['metadata'] : {}
  return { apiVersion: API[kind], kind, ...fields, metadata: { name: 'x', ...metadata } }
}

type Item = Readonly<Record<string, unknown>>

export function podCase(name: string, from: Item, patch: Item, to: Item | null): MergeCase {
  return { name, kind: 'Pod', from: { spec: from }, patch: { spec: patch }, to: to === null ? null : { spec: to } }
}

/** A case about the only container of a pod. */
export function containerCase(name: string, from: Item, patch: Item, to: Item | null): MergeCase {
  const within = (item: Item): Item => ({ containers: [{ name: 'a', ...item }] })
  return podCase(name, within(from), within(patch), to === null ? null : within(to))
}

export function deploymentCase(name: string, from: Item, patch: Item, to: Item | null): MergeCase {
  return { name, kind: 'Deployment', from: { spec: from }, patch: { spec: patch }, to: to === null ? null : { spec: to } }
}

export function metadataCase(name: string, from: Item, patch: Item, to: Item | null): MergeCase {
  return { name, kind: 'ConfigMap', from: { metadata: from }, patch: { metadata: patch }, to: to === null ? null : { metadata: to } }
}
