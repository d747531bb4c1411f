/** PUT and PATCH of an object and of its status: read, make the next state, compare-and-set, again when somebody was faster. */
import { LIMITS } from '../../protocol/limits.ts'
import { resourceKey } from '../resources/object.ts'
import type { KubeObject, ResourceDefinition } from '../resources/object.ts'
import type { StoredObject } from '../ports.ts'
import { admitChange, typed } from './admission.ts'
import { isoSeconds, objectOf } from './api.ts'
import type { Api, Call } from './api.ts'
import { conflict, notFound, tooLarge } from './api-error.ts'
import { patched, patchOf } from './patch.ts'
import { encoded, ok } from './respond.ts'
import type { Answer } from './respond.ts'
import type { ResourceRoute } from './route.ts'
import { isDryRun, strictnessOf } from './write-options.ts'

/** A patch has no revision of its own: it is applied again to the newer state, this often. */
const TRIES = 8

/** PUT */
export async function replace(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const part = route.subresource === 'status' ? 'status' : 'main'
  const sent = typed(route.definition, call.body, strictnessOf(call), call.warnings)
  return changed(api, route, isDryRun(call), (old) => stamped(api, call, route, old, admitChange(route.definition, old, sent, part)))
}

/** PATCH: JSON patch, merge patch or strategic merge patch by media type */
export async function patch(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const part = route.subresource === 'status' ? 'status' : 'main'
  const strictness = strictnessOf(call)
  const change = patchOf(call)
  return changed(api, route, isDryRun(call), (old) => {
    const warnings: string[] = []
    const next = typed(route.definition, patched(route.definition, old, change), strictness, warnings)
    call.warnings.splice(0, call.warnings.length, ...warnings)
    return stamped(api, call, route, old, admitChange(route.definition, old, next, part))
  })
}

/** Some kinds keep who changed them. */
export function stamped(api: Api, call: Call, { definition }: ResourceRoute, old: KubeObject, next: KubeObject): KubeObject {
  if (definition.stamp === undefined || next === old) return next
  return definition.stamp(next, old, { name: call.principal.name, nowIso: isoSeconds(api.clock.nowMs()) })
}

/** Runs `next` on the stored object until its result is stored; `next` throws what the client is told. */
export async function changed(api: Api, route: ResourceRoute, dryRun: boolean, next: (old: KubeObject) => KubeObject): Promise<Answer> {
  const { definition } = route
  const [resource, namespace, name] = [resourceKey(definition), route.namespace ?? '', route.name ?? '']
  for (let attempt = 1; attempt <= TRIES; attempt += 1) {
    const stored = await api.store.get(resource, namespace, name)
    if (stored === null) throw notFound(definition, name)
    const old = objectOf(stored)
    const object = next(old)
    if (object === old) return encoded(stored.json)
    expectSize(object)
    if (dryRun) return ok(object)
    const json = await commit(api, definition, stored, object)
    if (json !== null) return encoded(json)
  }
  throw conflict(definition, name)
}

/** The object as it ended. One that only waited for its last finalizer goes with it. null = somebody else wrote first. */
async function commit(api: Api, definition: ResourceDefinition, stored: StoredObject, object: KubeObject): Promise<string | null> {
  const resource = resourceKey(definition)
  if (isFinished(definition, object)) {
    const removed = await api.store.delete(resource, stored.namespace, stored.name, stored.revision)
    return removed.ok ? JSON.stringify(object) : null
  }
  const written = await api.store.update(resource, object, stored.revision)
  return written.ok ? written.object.json : null
}

/** Deleted, without finalizers, and with nobody left to confirm. A namespace is emptied by its controller, which then removes it. */
function isFinished(definition: ResourceDefinition, object: KubeObject): boolean {
  const { deletionTimestamp, deletionGracePeriodSeconds, finalizers } = object.metadata
  if (deletionTimestamp === undefined || resourceKey(definition) === 'namespaces') return false
  return (finalizers ?? []).length === 0 && (deletionGracePeriodSeconds ?? 0) === 0
}

/** Patches are small but add up; the annotation that `kubectl apply` keeps comes on top of the object. */
function expectSize(object: KubeObject): void {
  const max = LIMITS.apiBodyBytes.value
  const size = Buffer.byteLength(JSON.stringify(object))
  if (size > 2 * max) throw tooLarge(size, 2 * max)
}
