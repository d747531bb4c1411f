/**
 * Strategic merge patch, what `kubectl apply` sends: like a JSON merge patch, but lists with a merge key (from the kind's
 * shape) are merged item by item. Follows apimachinery's `strategicpatch`, directives included:
 * `$patch`, `$retainKeys`, `$setElementOrder/<list>`, `$deleteFromPrimitiveList/<list>`.
 */
import { isRecord } from '../../protocol/shape.ts'
import type { Shape } from '../../protocol/shape.ts'
import { followsOrder, orderItems } from './patch-list-order.ts'
import type { IdentityOf } from './patch-list-order.ts'
import { applyMergePatch } from './patch-merge.ts'
import { faultOf, refuse } from './patch-result.ts'
import type { Doc, Patched } from './patch-result.ts'

type MaybeShape = Shape<unknown> | undefined

const DIRECTIVE = '$patch'
const RETAIN = '$retainKeys'
const ORDER = '$setElementOrder/'
const DELETE_FROM = '$deleteFromPrimitiveList/'

/** @param shape of the kind; null = nothing is known about it, then this is a JSON merge patch */
export function applyStrategicPatch(shape: Shape<unknown> | null, document: unknown, patch: unknown): Patched {
  if (!isRecord(patch)) return refuse('a strategic merge patch must be an object with the fields to change')
  if (shape === null) return applyMergePatch(document, patch)
  const fault = faultOf(patch)
  if (fault !== null) return refuse(fault)
  const faults: string[] = []
  const value = mergeObject(isRecord(document) ? document : {}, patch, shape, { path: '', faults })
  return faults[0] === undefined ? { ok: true, value } : refuse(faults[0])
}

/** Where we are, and what was wrong so far; a fault leaves the original in place and the whole patch is refused. */
interface Place {
  readonly path: string
  readonly faults: string[]
}

function inside(place: Place, step: string): Place {
  return { path: place.path === '' ? step : `${place.path}.${step}`, faults: place.faults }
}

function mergeObject(original: Doc, patch: Doc, shape: MaybeShape, place: Place): Doc {
  const { [DIRECTIVE]: directive, [RETAIN]: retain, ...rest } = patch
  if (directive === 'replace') return withoutDirectives(rest)
  if (directive === 'delete') return {}
  if (directive !== undefined && directive !== 'merge')
    return fail(place, original, `$patch must be replace, delete or merge, is ${JSON.stringify(directive)}`)
  const merged = new Map(Object.entries(retain === undefined ? original : retained(original, rest, retain, place)))
  const done = new Set<string>()
  for (const key of Object.keys(rest).filter((name) => name.startsWith(ORDER))) {
    const field = key.slice(ORDER.length)
    mergeOrdered(merged, field, rest, childShape(shape, field), inside(place, field))
    done.add(key).add(field)
  }
  for (const [key, value] of Object.entries(rest)) {
    if (done.has(key)) continue
    if (key.startsWith(DELETE_FROM)) deleteItems(merged, key.slice(DELETE_FROM.length), value, inside(place, key))
    else if (value === null) merged.delete(key)
    else merged.set(key, mergeValue(merged.get(key), value, childShape(shape, key), inside(place, key)))
  }
  return Object.fromEntries(merged)
}

/** Something new is merged into nothing, so that directives and nulls inside it are taken out the same way. */
function mergeValue(original: unknown, patch: unknown, shape: MaybeShape, place: Place): unknown {
  if (isRecord(patch)) return mergeObject(isRecord(original) ? original : {}, patch, shape, place)
  if (Array.isArray(patch)) return mergeList(Array.isArray(original) ? original : [], patch, shape, place)
  return patch
}

function mergeList(original: readonly unknown[], patch: readonly unknown[], shape: MaybeShape, place: Place): readonly unknown[] {
  if (shape?.mergeSet === true) {
    if ([...original, ...patch].some((item) => typeof item === 'object')) return fail(place, original, 'must be a list of plain values')
    return orderItems([...new Set([...original, ...patch])], patch, original, plainIdentity)
  }
  const key = shape?.mergeKey
  if (key === undefined) return patch.map(stripDirectives)
  return mergeItems(original, patch, key, shape?.of, place)
}

function mergeItems(original: readonly unknown[], patch: readonly unknown[], mergeKey: string, shape: MaybeShape, place: Place): readonly unknown[] {
  const identityOf = keyIdentity(mergeKey)
  let live = original
  let replace = false
  const changes: Doc[] = []
  for (const [index, item] of patch.entries()) {
    if (!isRecord(item)) return fail(place, original, `[${index}] must be an object with ${JSON.stringify(mergeKey)}`)
    const directive = item[DIRECTIVE]
    if (directive === 'replace') replace = true
    else if (identityOf(item) === null) return fail(place, original, `[${index}] needs its merge key ${JSON.stringify(mergeKey)}`)
    else if (directive === 'delete') live = live.filter((other) => identityOf(other) !== identityOf(item))
    else if (directive === undefined || directive === 'merge') changes.push(item)
    else return fail(place, original, `[${index}].$patch must be replace, delete or merge, is ${JSON.stringify(directive)}`)
  }
  if (replace) return changes.map(stripDirectives)
  const merged = [...live]
  for (const item of changes) {
    const found = merged.findIndex((other) => identityOf(other) === identityOf(item))
    const before = merged[found]
    const after = mergeObject(isRecord(before) ? before : {}, item, shape, inside(place, `[${mergeKey}=${identityOf(item) ?? ''}]`))
    if (found >= 0) merged[found] = after
    else merged.push(after)
  }
  return orderItems(merged, changes, live, identityOf)
}

/** `$setElementOrder`: the list is merged as usual and then put into the order that the patch gives. */
function mergeOrdered(merged: Map<string, unknown>, field: string, patch: Doc, shape: MaybeShape, place: Place): void {
  const order = patch[ORDER + field]
  const change = patch[field] ?? []
  const original = merged.get(field)
  if (!Array.isArray(order) || !Array.isArray(change)) return fail(place, undefined, `${ORDER}${field} and ${field} must be lists`)
  if (patch[field] === null) return void merged.delete(field)
  if (original === undefined && patch[field] === undefined) return
  const live: readonly unknown[] = Array.isArray(original) ? original : []
  const identityOf = shape?.mergeKey === undefined ? plainIdentity : keyIdentity(shape.mergeKey)
  const kept = change.filter((item) => !(isRecord(item) && item[DIRECTIVE] !== undefined))
  if (!followsOrder(kept, order, identityOf)) return fail(place, undefined, `the items of the patch must stand in ${ORDER}${field}, in its order`)
  const list = patch[field] === undefined ? live : mergeList(live, change, shape, place)
  // the order of a list that is replaced whole is its own
  const isMerged = shape?.mergeKey !== undefined || shape?.mergeSet === true
  merged.set(field, isMerged ? orderItems(list, order, live, identityOf) : list)
}

function deleteItems(merged: Map<string, unknown>, field: string, items: unknown, place: Place): void {
  if (!Array.isArray(items)) return fail(place, undefined, 'must be a list of values')
  const original = merged.get(field)
  const gone: readonly unknown[] = items
  if (Array.isArray(original))
    merged.set(
      field,
      original.filter((item: unknown) => !gone.includes(item)),
    )
}

/** `$retainKeys`: fields of the original that are not named go; the patch may only set fields that are. */
function retained(original: Doc, patch: Doc, retain: unknown, place: Place): Doc {
  if (!Array.isArray(retain)) return fail(place, original, '$retainKeys must be a list of field names')
  const names: readonly unknown[] = retain
  const stray = Object.entries(patch).find(
    ([key, value]) => value !== null && !key.startsWith(ORDER) && !key.startsWith(DELETE_FROM) && !names.includes(key),
  )
  if (stray !== undefined) return fail(place, original, `the patch sets ${JSON.stringify(stray[0])}, which $retainKeys does not name`)
  return Object.fromEntries(Object.entries(original).filter(([key]) => names.includes(key)))
}

function childShape(shape: MaybeShape, key: string): MaybeShape {
  if (shape?.kind === 'map') return shape.of
  return shape?.fields !== undefined && Object.hasOwn(shape.fields, key) ? shape.fields[key] : undefined
}

function plainIdentity(item: unknown): string | null {
  return typeof item === 'object' ? null : JSON.stringify(item)
}

/** Only plain values can be keys; as in Kubernetes 80 and "80" are two items. */
function keyIdentity(mergeKey: string): IdentityOf {
  return (item) => {
    const value = isRecord(item) && Object.hasOwn(item, mergeKey) ? item[mergeKey] : null
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? JSON.stringify(value) : null
  }
}

function stripDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(stripDirectives)
  return isRecord(value) ? withoutDirectives(value) : value
}

function withoutDirectives(value: Doc): Doc {
  const kept = Object.entries(value).filter(
    ([key, item]) => item !== null && key !== DIRECTIVE && key !== RETAIN && !key.startsWith(ORDER) && !key.startsWith(DELETE_FROM),
  )
  return Object.fromEntries(kept.map(([key, item]) => [key, stripDirectives(item)]))
}

function fail<T>(place: Place, value: T, why: string): T {
  place.faults.push(place.path === '' ? why : `${place.path}: ${why}`)
  return value
}
