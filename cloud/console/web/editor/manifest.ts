/** Manifests as text: from text to objects with their places, and from an object to the text that people edit. */
import { LineCounter, parseAllDocuments, stringify } from 'yaml'
import type { ApiKind } from '../../live-protocol.ts'

export interface Manifest {
  readonly object: Readonly<Record<string, unknown>>
  readonly label: string
  /** of all objects of its kind there, and its own */
  readonly collection: string
  readonly path: string
  /** line of a field by `spec.template.spec.containers[0].image`, or of the nearest field around it */
  lineOf(field: string): number
}

export type Read =
  { readonly ok: true; readonly manifests: readonly Manifest[] } | { readonly ok: false; readonly line: number; readonly why: string }

export function readManifests(text: string, kinds: readonly ApiKind[]): Read {
  const lines = new LineCounter()
  const manifests: Manifest[] = []
  for (const document of parseAllDocuments(text, { lineCounter: lines })) {
    const [error] = document.errors
    if (error !== undefined) return { ok: false, line: lines.linePos(error.pos[0]).line, why: error.message.split('\n')[0] ?? 'not YAML' }
    const object: unknown = document.toJS({ maxAliasCount: 0 })
    if (object === null || object === undefined) continue
    const line = lines.linePos(document.contents?.range?.[0] ?? 0).line
    const lineOf = (field: string): number => {
      for (let keys = keysOf(field); keys.length > 0; keys = keys.slice(0, -1)) {
        const node = document.getIn(keys, true) as { readonly range?: readonly number[] } | undefined
        if (node?.range?.[0] !== undefined) return lines.linePos(node.range[0]).line
      }
      return line
    }
    const made = manifestOf(object, kinds, lineOf)
    if (typeof made === 'string') return { ok: false, line, why: made }
    manifests.push(made)
  }
  return manifests.length === 0 ? { ok: false, line: 1, why: 'There is no object in this text.' } : { ok: true, manifests }
}

function keysOf(field: string): readonly (string | number)[] {
  return [...field.matchAll(/\[(\d+)\]|\["([^"]*)"\]|([^.[\]]+)/g)].map(([, index, quoted, name]) =>
    index === undefined ? (quoted ?? name ?? '') : Number(index),
  )
}

function manifestOf(value: unknown, kinds: readonly ApiKind[], lineOf: Manifest['lineOf']): Manifest | string {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return 'An object has apiVersion, kind and metadata.'
  const object = value as Readonly<Record<string, unknown>>
  const { apiVersion, kind } = object
  if (typeof apiVersion !== 'string' || typeof kind !== 'string') return 'An object needs apiVersion and kind.'
  const known = kinds.find((one) => one.apiVersion === apiVersion && one.kind === kind)
  if (known === undefined) return `${apiVersion} ${kind} is not a kind of this cloud.`
  const metadata = object['metadata'] as { readonly name?: unknown; readonly namespace?: unknown } | null | undefined
  if (typeof metadata?.name !== 'string' || metadata.name === '') return `The ${kind} needs metadata.name.`
  const namespace = typeof metadata.namespace === 'string' ? metadata.namespace : 'default'
  const collection = known.namespaced
    ? `${known.prefix}/namespaces/${encodeURIComponent(namespace)}/${known.plural}`
    : `${known.prefix}/${known.plural}`
  const label = `${kind} ${known.namespaced ? `${namespace}/` : ''}${metadata.name}`
  return { object, label, collection, path: `${collection}/${encodeURIComponent(metadata.name)}`, lineOf }
}

const SERVER_FIELDS = new Set(['managedFields', 'resourceVersion', 'uid', 'creationTimestamp', 'generation', 'selfLink'])

/** What people write: without what the server keeps for itself. */
export function manifestText(object: Readonly<Record<string, unknown>> | null): string {
  if (object === null) return ''
  const { status: _, history: _history, ...rest } = object
  const metadata = Object.fromEntries(Object.entries((rest['metadata'] ?? {}) as Record<string, unknown>).filter(([key]) => !SERVER_FIELDS.has(key)))
  const { 'kubectl.kubernetes.io/last-applied-configuration': _applied, ...annotations } = (metadata['annotations'] ?? {}) as Record<string, unknown>
  const { annotations: _annotations, ...others } = metadata
  const kept = Object.keys(annotations).length === 0 ? others : { ...others, annotations }
  return stringify({ ...rest, metadata: kept }, { lineWidth: 0, aliasDuplicateObjects: false })
}
