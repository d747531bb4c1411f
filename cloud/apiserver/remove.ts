/** DELETE: at once, or marked and left for those who still have to act (devices, finalizers, the namespace controller). */
import { bool, check, int, list, map, obj, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import type { StoredObject } from '../ports.ts'
import { resourceKey } from '../resources/object.ts'
import type { KubeObject, ResourceDefinition } from '../resources/object.ts'
import { PRIORITY_CLASSES, SYSTEM_PRIORITIES } from '../resources/priority-class.ts'
import { isoSeconds, objectOf } from './api.ts'
import type { Api, Call } from './api.ts'
import { ApiError, badRequest, conflict, invalid } from './api-error.ts'
import { FIRST_NAMESPACES } from './first-namespaces.ts'
import { goBoolean } from './negotiate.ts'
import { listJson, pageOf, storedAt } from './read.ts'
import { encoded, ok } from './respond.ts'
import type { Answer } from './respond.ts'
import type { ResourceRoute } from './route.ts'
import { isDryRun } from './write-options.ts'

const DELETE_OPTIONS = obj({
  apiVersion: str(),
  kind: str(),
  gracePeriodSeconds: int(0, 86_400),
  propagationPolicy: str(),
  orphanDependents: bool(),
  preconditions: obj({ uid: str(), resourceVersion: str() }),
  dryRun: list(str()),
  ignoreStoreReadErrorWithClusterBreakingPotential: bool(),
  metadata: map(str()),
})
export type DeleteOptions = Infer<typeof DELETE_OPTIONS>

const TRIES = 8
const DEFAULT_GRACE_SECONDS = 30

export async function remove(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const options = deleteOptions(call, call.body)
  return removeOne(api, route.definition, () => storedAt(api, route), options)
}

/** Every object of the collection that the selectors pick. */
export async function removeCollection(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const options = deleteOptions(call, call.body)
  const query = new URLSearchParams(call.query)
  query.delete('limit')
  const { items, revision } = await pageOf(api, query, route)
  for (const item of items) {
    await removeOne(api, route.definition, async () => (await api.store.get(item.resource, item.namespace, item.name)) ?? item, options)
  }
  return encoded(listJson(route.definition, { resourceVersion: String(revision) }, items))
}

/** Body first, then the query; throws 400 or 422. */
export function deleteOptions(call: Call, body: unknown): DeleteOptions & { readonly isDryRun: boolean } {
  const issues = body === undefined ? [] : check(DELETE_OPTIONS, body)
  if (issues.length > 0) throw invalid({ group: '', plural: 'deleteoptions', kind: 'DeleteOptions' }, '', issues)
  const sent = (body ?? {}) as DeleteOptions
  const grace = call.query.get('gracePeriodSeconds')
  const policy = sent.propagationPolicy ?? call.query.get('propagationPolicy') ?? (isOrphaning(call, sent) ? 'Orphan' : undefined)
  if (policy !== undefined && !['Background', 'Foreground', 'Orphan'].includes(policy)) {
    throw badRequest(`propagationPolicy: ${JSON.stringify(policy)} is not supported; use "Background", "Foreground" or "Orphan"`)
  }
  if (grace !== null && !/^\d{1,5}$/.test(grace)) throw badRequest(`gracePeriodSeconds: ${JSON.stringify(grace)} is not a whole number of seconds`)
  const seconds = sent.gracePeriodSeconds ?? (grace === null ? undefined : Number(grace))
  return {
    ...sent,
    ...(policy === undefined ? {} : { propagationPolicy: policy }),
    ...(seconds === undefined ? {} : { gracePeriodSeconds: seconds }),
    isDryRun: isDryRun(call) || (sent.dryRun ?? []).includes('All'),
  }
}

function isOrphaning(call: Call, sent: DeleteOptions): boolean {
  return sent.orphanDependents ?? goBoolean(call.query.get('orphanDependents')) ?? false
}

/** `read` gives the newest state each time; somebody else's write in between starts over. */
export async function removeOne(
  api: Api,
  definition: ResourceDefinition,
  read: () => Promise<StoredObject>,
  options: DeleteOptions & { readonly isDryRun: boolean },
): Promise<Answer> {
  const resource = resourceKey(definition)
  let name = ''
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const stored = await read()
    const old = objectOf(stored)
    name = stored.name
    if (resource === 'namespaces' && FIRST_NAMESPACES.includes(name)) throw new ApiError(403, 'Forbidden', `the namespace ${name} may not be deleted`)
    if (resource === resourceKey(PRIORITY_CLASSES) && Object.hasOwn(SYSTEM_PRIORITIES, name))
      throw new ApiError(403, 'Forbidden', `${resource} ${JSON.stringify(name)} is forbidden: this is a system priority class and cannot be deleted`)
    expectPreconditions(definition, old, options)
    const marked = markedForDeletion(definition, old, options, api.clock.nowMs())
    if (options.isDryRun) return marked === null ? gone(definition, stored) : ok(marked)
    if (marked === old) return encoded(stored.json)
    const written =
      marked === null
        ? await api.store.delete(resource, stored.namespace, stored.name, stored.revision)
        : await api.store.update(resource, marked, stored.revision)
    if (written.ok) return marked === null ? gone(definition, stored) : encoded(written.object.json)
    if (written.why === 'not-found') return gone(definition, stored)
  }
  throw conflict(definition, name)
}

/** null = nothing keeps it: remove it now. The same object = it is being deleted already and nothing changes. */
export function markedForDeletion(definition: ResourceDefinition, old: KubeObject, options: DeleteOptions, nowMs: number): KubeObject | null {
  const grace = graceOf(definition, old, options)
  const finalizers = withPolicy(old.metadata.finalizers ?? [], options.propagationPolicy)
  const isNamespace = resourceKey(definition) === 'namespaces'
  if (grace === 0 && finalizers.length === 0 && !isNamespace) return null
  const before = old.metadata
  const isShorter = grace < (before.deletionGracePeriodSeconds ?? Number.MAX_SAFE_INTEGER)
  if (before.deletionTimestamp !== undefined && !isShorter) return old
  const metadata = {
    ...before,
    ...(finalizers.length === 0 ? {} : { finalizers }),
    deletionTimestamp: isoSeconds(nowMs + grace * 1000),
    deletionGracePeriodSeconds: grace,
    ...(before.generation === undefined ? {} : { generation: before.generation + 1 }),
  }
  return isNamespace ? { ...old, metadata, status: { ...(old['status'] as object | undefined), phase: 'Terminating' } } : { ...old, metadata }
}

/** Seconds the object still lives. Only a pod that a device may run has any: the device has to stop it first. */
function graceOf(definition: ResourceDefinition, old: KubeObject, options: DeleteOptions): number {
  if (resourceKey(definition) !== 'pods') return 0
  const spec = old['spec'] as { readonly nodeName?: string; readonly terminationGracePeriodSeconds?: number } | undefined
  const phase = (old['status'] as { readonly phase?: string } | undefined)?.phase
  if ((spec?.nodeName ?? '') === '' || phase === 'Succeeded' || phase === 'Failed') return 0
  return options.gracePeriodSeconds ?? spec?.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS
}

function withPolicy(finalizers: readonly string[], policy: string | undefined): readonly string[] {
  const others = finalizers.filter((name) => name !== 'orphan' && name !== 'foregroundDeletion')
  if (policy === 'Orphan') return [...others, 'orphan']
  if (policy === 'Foreground') return [...others, 'foregroundDeletion']
  return policy === 'Background' ? others : finalizers
}

function expectPreconditions(definition: ResourceDefinition, old: KubeObject, options: DeleteOptions): void {
  const { uid, resourceVersion } = options.preconditions ?? {}
  const { name = '', ...is } = old.metadata
  const expect = (what: string, wanted: string | undefined, found: string | undefined): void => {
    if (wanted === undefined || wanted === found) return
    throw conflict(definition, name, `Precondition failed: ${what} in precondition: ${wanted}, ${what} in object meta: ${found ?? ''}`)
  }
  expect('UID', uid, is.uid)
  expect('ResourceVersion', resourceVersion, is.resourceVersion)
}

function gone(definition: ResourceDefinition, stored: StoredObject): Answer {
  const group = definition.group === '' ? {} : { group: definition.group }
  const details = { name: stored.name, ...group, kind: definition.plural, uid: stored.uid }
  return ok({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', details })
}
