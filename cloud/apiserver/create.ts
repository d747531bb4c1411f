/** POST on a collection. */
import { resourceKey } from '../resources/object.ts'
import type { KubeObject } from '../resources/object.ts'
import { admitNew, NAMESPACE_MISMATCH, typed } from './admission.ts'
import { isoSeconds, objectOf } from './api.ts'
import type { Api, Call } from './api.ts'
import { alreadyExists, ApiError, badRequest, notFound } from './api-error.ts'
import { encoded, ok } from './respond.ts'
import type { Answer } from './respond.ts'
import type { ResourceRoute } from './route.ts'
import { withPriorityClass } from './priority-admission.ts'
import { isDryRun, strictnessOf } from './write-options.ts'

/** Names made from generateName may clash; Kubernetes tries as often. */
const GENERATED_NAME_TRIES = 8

/** 201 with the stored object. Throws 404 when the namespace does not exist, 409 when the object does. */
export async function create(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const { definition } = route
  const strictness = strictnessOf(call)
  const dryRun = isDryRun(call)
  const sent = typed(definition, call.body, strictness, call.warnings)
  const { plural } = definition
  if (definition.namespaced && route.namespace === null)
    throw badRequest(`${plural} live in a namespace: POST to .../namespaces/{namespace}/${plural}`)
  const namespace = route.namespace ?? ''
  if ((sent.metadata.namespace ?? '') !== '' && sent.metadata.namespace !== namespace) throw badRequest(NAMESPACE_MISMATCH)
  if (definition.namespaced) await expectNamespace(api, route, namespace)
  const isGenerated = (sent.metadata.name ?? '') === ''
  const prioritized = await withPriorityClass(api, sent)
  for (let attempt = 1; ; attempt += 1) {
    const nowIso = isoSeconds(api.clock.nowMs())
    const admitted = admitNew(definition, prioritized, namespace, { uid: api.random.uuid(), nowIso, suffix: api.random.suffix(5) })
    const object = definition.stamp?.(admitted, null, { name: call.principal.name, nowIso }) ?? admitted
    const answer = dryRun ? await pretend(api, route, object) : await store(api, route, object)
    if (answer !== null) return answer
    if (!isGenerated || attempt === GENERATED_NAME_TRIES) throw alreadyExists(definition, object.metadata.name ?? '')
  }
}

async function store(api: Api, route: ResourceRoute, object: KubeObject): Promise<Answer | null> {
  const written = await api.store.create(resourceKey(route.definition), object)
  return written.ok ? encoded(written.object.json, 201) : null
}

async function pretend(api: Api, route: ResourceRoute, object: KubeObject): Promise<Answer | null> {
  const existing = await api.store.get(resourceKey(route.definition), object.metadata.namespace ?? '', object.metadata.name ?? '')
  return existing === null ? ok(object, 201) : null
}

async function expectNamespace(api: Api, route: ResourceRoute, namespace: string): Promise<void> {
  const stored = await api.store.get('namespaces', '', namespace)
  if (stored === null) throw notFound({ group: '', plural: 'namespaces', kind: 'Namespace' }, namespace)
  if (objectOf(stored).metadata.deletionTimestamp === undefined) return
  const { plural } = route.definition
  const cause = { reason: 'NamespaceTerminating', message: `namespace ${namespace} is being terminated`, field: 'metadata.namespace' }
  throw new ApiError(
    403,
    'Forbidden',
    `${plural} is forbidden: unable to create new content in namespace ${namespace} because it is being terminated`,
    {
      kind: plural,
      causes: [cause],
    },
  )
}
