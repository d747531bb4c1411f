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

type Since = (revision: number) => readonly Change[] | null

/**
 * @param revision of the present
 * @param since changes after a revision, null when it is too old
 */
export function readPage(present: PresentRows, revision: number, since: Since, resource: string, options: ListOptions): Listed {
  const namespace = options.namespace ?? null
  const limit = options.limit ?? null
  const place: Place | null = options.continueFrom === undefined ? { revision, after: null, left: null } : readToken(options.continueFrom)
  if (place === null) return { ok: false, why: 'expired' }
  const { after } = place
  const later = place.revision === revision ? [] : since(place.revision)
  if (later === null) return { ok: false, why: 'expired' }

  const undo = undoOf(later.filter((change) => isInside(change.object, resource, namespace, after)))
  // every undone key can hide one row of the present
  const rows = present.rows(resource, namespace, after, limit === null ? null : limit + undo.size)
  const then = undo.size === 0 ? rows : merge(rows, undo)
  const items = limit === null ? then : then.slice(0, limit)
  // only the first page counts: the number travels in the token
  const left = place.left ?? (limit === null ? items.length : present.count(resource, namespace, after))
  const remaining = Math.max(0, left - items.length)
  const last = items.at(-1)
  const continueFrom = remaining > 0 && last !== undefined ? writeToken({ revision: place.revision, after: last, left: remaining }) : null
  return { ok: true, items, revision: place.revision, continueFrom, remaining: continueFrom === null ? 0 : remaining }
}

interface Place {
  readonly revision: number
  readonly after: ObjectKey | null
  /** objects from here to the end, this page included; null before the first page */
  readonly left: number | null
}

/** State at the list's revision by key, null = it did not exist: what the first change after it found. */
function undoOf(changes: readonly Change[]): ReadonlyMap<string, StoredObject | null> {
  const undo = new Map<string, StoredObject | null>()
  for (const { object, previous } of changes) {
    const key = textOf(object)
    if (!undo.has(key)) undo.set(key, previous)
  }
  return undo
}

function merge(rows: readonly StoredObject[], undo: ReadonlyMap<string, StoredObject | null>): readonly StoredObject[] {
  const then = rows.filter((row) => !undo.has(textOf(row)))
  // unread rows come after at least `limit` kept ones, so a restored object never jumps ahead of them within the page
  for (const before of undo.values()) if (before !== null) then.push(before)
  return then.sort(compareKeys)
}

function isInside(object: StoredObject, resource: string, namespace: string | null, after: ObjectKey | null): boolean {
  if (object.resource !== resource || (namespace !== null && object.namespace !== namespace)) return false
  return after === null || compareKeys(object, after) > 0
}

function textOf(key: ObjectKey): string {
  return `${key.namespace}/${key.name}`
}

function writeToken(place: { readonly revision: number; readonly after: ObjectKey; readonly left: number }): string {
  return Buffer.from(JSON.stringify([place.revision, place.after.namespace, place.after.name, place.left]), 'utf8').toString('base64url')
}

/** null for anything that this file did not write: the client lists again, as for an old token. */
function readToken(token: string): Place | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    if (!Array.isArray(value)) return null
    const [revision, namespace, name, left] = value as readonly unknown[]
    if (!isCount(revision) || typeof namespace !== 'string' || typeof name !== 'string' || !isCount(left)) return null
    return { revision, after: { namespace, name }, left }
  } catch {
    return null
  }
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0
}
