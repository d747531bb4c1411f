/**
 * Pages of a list, all from the revision of the first page. The backend only knows the present; a later page undoes the
 * changes that came after that revision, which the watch history remembers with their previous state. When the history no
 * longer reaches back, the list has expired and starts again.
 */
import type { Change, Listed, ListOptions, StoredObject } from '../ports.ts'
import { compareKeys } from './write.ts'
import type { ObjectKey } from './write.ts'

/** The present, as one backend reads it, ordered by namespace and name. All calls of one page see the same state. */
export interface PresentRows {
  /** `namespace` null = all; `after` exclusive; `limit` null = no limit */
  rows(resource: string, namespace: string | null, after: ObjectKey | null, limit: number | null): readonly StoredObject[]
  count(resource: string, namespace: string | null, after: ObjectKey | null): number
}

/**
 * @param revision of the present
 * @param since changes after a revision, null when it is too old
 */
export function readPage(present: PresentRows, revision: number, since: (revision: number) => readonly Change[] | null, resource: string, options: ListOptions): Listed {
  const namespace = options.namespace ?? null
  const limit = options.limit ?? null
  const place = options.continueFrom === undefined ? { revision, after: null } : readToken(options.continueFrom)
  if (place === null) return { ok: false, why: 'expired' }
  const { after } = place
  const later = place.revision === revision ? [] : since(place.revision)
  if (later === null) return { ok: false, why: 'expired' }

  const undo = undoOf(later.filter((change) => isInside(change.object, resource, namespace, after)))
  // every undone key can hide one row of the present
  const rows = present.rows(resource, namespace, after, limit === null ? null : limit + undo.size)
  const then = undo.size === 0 ? rows : merge(rows, undo)
  if (limit === null || then.length < limit) return { ok: true, items: then, revision: place.revision, continueFrom: null, remaining: 0 }

  const items = then.slice(0, limit)
  const remaining = present.count(resource, namespace, after) + growth(undo) - items.length
  const last = items.at(-1)
  const continueFrom = remaining > 0 && last !== undefined ? writeToken(place.revision, last) : null
  return { ok: true, items, revision: place.revision, continueFrom, remaining }
}

interface Undone {
  /** state at the list's revision; null = it did not exist */
  readonly before: StoredObject | null
  /** whether the present has a row under this key */
  readonly present: boolean
}

/** By key: the first change tells what was before, the last whether there is a row now. */
function undoOf(changes: readonly Change[]): ReadonlyMap<string, Undone> {
  const undo = new Map<string, Undone>()
  for (const { type, object, previous } of changes) {
    const key = textOf(object)
    const first = undo.get(key)
    undo.set(key, { before: first === undefined ? previous : first.before, present: type !== 'DELETED' })
  }
  return undo
}

function merge(rows: readonly StoredObject[], undo: ReadonlyMap<string, Undone>): readonly StoredObject[] {
  const then = rows.filter((row) => !undo.has(textOf(row)))
  // unread rows come after at least `limit` kept ones, so a restored object never jumps ahead of them within the page
  for (const { before } of undo.values()) if (before !== null) then.push(before)
  return then.sort(compareKeys)
}

/** How many more objects there were at the list's revision than there are now. */
function growth(undo: ReadonlyMap<string, Undone>): number {
  let more = 0
  for (const { before, present } of undo.values()) more += (before === null ? 0 : 1) - (present ? 1 : 0)
  return more
}

function isInside(object: StoredObject, resource: string, namespace: string | null, after: ObjectKey | null): boolean {
  if (object.resource !== resource || (namespace !== null && object.namespace !== namespace)) return false
  return after === null || compareKeys(object, after) > 0
}

function textOf(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`
}

function writeToken(revision: number, after: ObjectKey): string {
  return Buffer.from(JSON.stringify([revision, after.namespace, after.name]), 'utf8').toString('base64url')
}

/** null for anything that this file did not write: the client lists again, as for an old token. */
function readToken(token: string): { readonly revision: number; readonly after: ObjectKey } | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (!Array.isArray(value)) return null
    const [revision, namespace, name] = value as readonly unknown[]
    if (typeof revision !== 'number' || !Number.isSafeInteger(revision) || typeof namespace !== 'string' || typeof name !== 'string') return null
    return { revision, after: { namespace, name } }
  } catch {
    return null
  }
}
