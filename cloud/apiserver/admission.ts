/** From what a client sent to what is stored: strictness, system fields, defaults, rules, generation. No I/O. */
import { isDeepStrictEqual } from 'node:util'
import { check, isRecord } from '../../protocol/shape.ts'
import type { Issue } from '../../protocol/shape.ts'
import { dropNulls } from '../resources/drop-nulls.ts'
import type { KubeObject, ObjectMeta, ResourceDefinition } from '../resources/object.ts'
import { apiVersionOf } from '../resources/registry.ts'
import { badRequest, conflict, invalid } from './api-error.ts'

export type FieldValidation = 'Strict' | 'Warn' | 'Ignore'

/** What the surroundings put into a new object. */
export interface NewFacts {
  readonly uid: string
  readonly nowIso: string
  /** end of the name when only generateName was sent */
  readonly suffix: string
}

/**
 * The body as an object of this kind: apiVersion and kind agree, the shape holds, nulls are gone. Unknown fields are refused,
 * or dropped with a warning. Throws ApiError 400 or 422.
 */
export function typed(definition: ResourceDefinition, body: unknown, strictness: FieldValidation, warnings: string[]): KubeObject {
  if (!isRecord(body)) throw badRequest(`the body must be one ${definition.kind} object`)
  const apiVersion = apiVersionOf(definition)
  expectSame('kind', body['kind'], definition.kind)
  expectSame('apiVersion', body['apiVersion'], apiVersion)
  const metadata = body['metadata'] ?? {}
  const value = { ...body, apiVersion, kind: definition.kind, metadata }
  const issues = check(definition.shape, value)
  const unknown = issues.filter((issue) => issue.kind === 'unknown')
  const others = issues.filter((issue) => issue.kind !== 'unknown')
  if (unknown.length > 0 && strictness === 'Strict') throw strictError(definition, unknown)
  if (others.length > 0) throw invalid(definition, nameIn(metadata), others)
  if (unknown.length === 0) return dropNulls(definition.shape, value) as KubeObject
  if (strictness === 'Warn') warnings.push(...unknown.map((issue) => issue.message))
  return typed(
    definition,
    withoutPaths(
      value,
      unknown.map((issue) => issue.path),
      '',
    ),
    strictness,
    warnings,
  )
}

/** A new object: system fields set, status emptied, defaults filled, rules held. */
export function admitNew(definition: ResourceDefinition, sent: KubeObject, namespace: string, facts: NewFacts): KubeObject {
  const { resourceVersion, name = '', generateName = '' } = sent.metadata
  if (resourceVersion !== undefined && resourceVersion !== '')
    throw badRequest('metadata.resourceVersion must not be set on an object that is created')
  const chosen = name !== '' || generateName === '' ? name : `${generateName.slice(0, 58)}${facts.suffix}`
  if (chosen === '') throw invalid(definition, '', [NAMELESS])
  const { managedFields: _a, selfLink: _b, deletionTimestamp: _c, deletionGracePeriodSeconds: _d, namespace: _e, ...kept } = sent.metadata
  const metadata: ObjectMeta = {
    ...kept,
    name: chosen,
    ...(definition.namespaced ? { namespace } : {}),
    uid: facts.uid,
    creationTimestamp: facts.nowIso,
    ...(definition.generationFields.length > 0 ? { generation: 1 } : {}),
  }
  const { status: _status, ...withoutStatus } = sent
  const object = definition.defaults({ ...(definition.hasStatus ? withoutStatus : sent), apiVersion: sent.apiVersion, kind: sent.kind, metadata })
  return ruled(definition, object, null)
}

/**
 * The next state of a stored object, or `old` itself when nothing changes. System fields stay as stored; the main endpoint
 * ignores status and /status ignores everything else. Throws 409 when the sender wrote over an older state.
 */
export function admitChange(definition: ResourceDefinition, old: KubeObject, sent: KubeObject, part: 'main' | 'status'): KubeObject {
  const name = old.metadata.name ?? ''
  expectIdentity(definition, old, sent, name)
  const next = part === 'status' ? { ...old, ...('status' in sent ? { status: sent['status'] } : {}) } : mainOf(definition, old, sent)
  const object = definition.defaults(next)
  if (isDeepStrictEqual(object, old)) return old
  const moved = definition.generationFields.some((field) => !isDeepStrictEqual(object[field], old[field]))
  const generation = (old.metadata.generation ?? 1) + 1
  return ruled(definition, moved ? { ...object, metadata: { ...object.metadata, generation } } : object, old)
}

function mainOf(definition: ResourceDefinition, old: KubeObject, sent: KubeObject): KubeObject {
  const kept = Object.entries(sent.metadata).filter(([field]) => !SYSTEM_FIELDS.has(field))
  const system = Object.entries(old.metadata).filter(([field]) => SYSTEM_FIELDS.has(field))
  const metadata = Object.fromEntries([...kept, ...system])
  if (!definition.hasStatus) return { ...sent, metadata }
  const { status: _status, ...rest } = sent
  return { ...rest, apiVersion: sent.apiVersion, kind: sent.kind, metadata, ...('status' in old ? { status: old['status'] } : {}) }
}

/** metadata that only the server writes, or that is not kept at all (managedFields, selfLink) */
const SYSTEM_FIELDS: ReadonlySet<string> = new Set([
  'managedFields',
  'selfLink',
  'uid',
  'creationTimestamp',
  'generation',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generateName',
  'namespace',
  'resourceVersion',
])

const NAMELESS: Issue = { path: 'metadata.name', kind: 'required', message: 'name or generateName is required' }

function expectIdentity(definition: ResourceDefinition, old: KubeObject, sent: KubeObject, name: string): void {
  const { metadata } = sent
  if (metadata.name !== name) throw badRequest(`the name of the object (${metadata.name ?? ''}) does not match the name on the URL (${name})`)
  if ((metadata.namespace ?? '') !== '' && metadata.namespace !== old.metadata.namespace) throw badRequest(NAMESPACE_MISMATCH)
  if ((metadata.uid ?? '') !== '' && metadata.uid !== old.metadata.uid) {
    throw conflict(definition, name, `Precondition failed: UID in precondition: ${metadata.uid ?? ''}, UID in object meta: ${old.metadata.uid ?? ''}`)
  }
  const { resourceVersion = '' } = metadata
  if (resourceVersion !== '' && resourceVersion !== old.metadata.resourceVersion) throw conflict(definition, name)
}

export const NAMESPACE_MISMATCH = 'the namespace of the provided object does not match the namespace sent on the request'

function ruled(definition: ResourceDefinition, object: KubeObject, old: KubeObject | null): KubeObject {
  const issues = definition.validate(object, old)
  if (issues.length > 0) throw invalid(definition, object.metadata.name ?? '', issues)
  return object
}

function expectSame(field: string, sent: unknown, want: string): void {
  if (sent === undefined || sent === null || sent === '' || sent === want) return
  throw badRequest(
    `the ${field} in the data (${typeof sent === 'string' ? sent : JSON.stringify(sent)}) does not match the expected ${field} (${want})`,
  )
}

function strictError(definition: ResourceDefinition, unknown: readonly Issue[]): Error {
  const { kind, version } = definition
  const fields = unknown.map((issue) => issue.message).join(', ')
  return badRequest(`${kind} in version ${JSON.stringify(version)} cannot be handled as a ${kind}: strict decoding error: ${fields}`)
}

function nameIn(metadata: unknown): string {
  const name = isRecord(metadata) ? metadata['name'] : undefined
  return typeof name === 'string' ? name : ''
}

/** A copy without the fields at these paths, written as `check` writes them. */
function withoutPaths(value: unknown, paths: readonly string[], at: string): unknown {
  if (Array.isArray(value)) return value.map((item: unknown, index) => withoutPaths(item, paths, `${at}[${index}]`))
  if (!isRecord(value)) return value
  const kept = Object.entries(value).filter(([key]) => !paths.includes(at === '' ? key : `${at}.${key}`))
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutPaths(item, paths, at === '' ? key : `${at}.${key}`)]))
}
