/**
 * What one write does, as a pure function of the request, the stored object and the next revision. Every backend decides
 * through it, so compare-and-set means the same everywhere.
 */
import type { Change, StoredObject, Written } from '../ports.ts'
import type { KubeObject } from '../resources/object.ts'

/** What identifies one object within its resource. `namespace` is '' for cluster-scoped kinds. */
export interface ObjectKey {
  readonly namespace: string
  readonly name: string
}

export type WriteRequest =
  | { readonly verb: 'create'; readonly resource: string; readonly key: ObjectKey; readonly object: KubeObject }
  | { readonly verb: 'update'; readonly resource: string; readonly key: ObjectKey; readonly object: KubeObject; readonly expected: number | null }
  | { readonly verb: 'delete'; readonly resource: string; readonly key: ObjectKey; readonly expected: number | null }

export interface Decided {
  readonly answer: Written
  /** null when nothing is written */
  readonly change: Change | null
}

/**
 * @param current what is stored under the request's key now
 * @param revision the revision this write takes if it is allowed
 */
export function decideWrite(request: WriteRequest, current: StoredObject | null, revision: number): Decided {
  if (request.verb === 'create') {
    if (current !== null) return refuse('exists', current)
    return allow('ADDED', encode(request.resource, request.key, request.object, revision), null)
  }
  if (current === null) return refuse('not-found', null)
  if (request.expected !== null && request.expected !== current.revision) return refuse('conflict', current)
  if (request.verb === 'update') return allow('MODIFIED', encode(request.resource, request.key, request.object, revision), current)
  const last = JSON.parse(current.json) as KubeObject
  return allow('DELETED', encode(request.resource, request.key, last, revision), current)
}

/** Key of an object that is about to be written. Throws when it has no name: admission names every object first. */
export function keyOf(object: KubeObject): ObjectKey {
  const { name, namespace } = object.metadata
  if (name === undefined || name === '') throw new Error(`cannot store a ${object.kind} without metadata.name; admission must name it first`)
  return { namespace: namespace ?? '', name }
}

/** Order of lists: by namespace, then name. Names are ASCII (admission), so this is also the order of SQL's binary collation. */
export function compareKeys(a: ObjectKey, b: ObjectKey): number {
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1
  return a.name === b.name ? 0 : a.name < b.name ? -1 : 1
}

/** The only place that encodes: the text made here is stored, listed and watched as it is. */
function encode(resource: string, key: ObjectKey, object: KubeObject, revision: number): StoredObject {
  const json = JSON.stringify({ ...object, metadata: { ...object.metadata, resourceVersion: String(revision) } })
  return { resource, namespace: key.namespace, name: key.name, uid: object.metadata.uid ?? '', revision, json }
}

function allow(type: Change['type'], object: StoredObject, previous: StoredObject | null): Decided {
  return { answer: { ok: true, object }, change: { type, object, previous } }
}

function refuse(why: 'exists' | 'conflict' | 'not-found', current: StoredObject | null): Decided {
  return { answer: { ok: false, why, current }, change: null }
}
