/** What can be asked of a pod beside itself: eviction, binding; logs and terminals are refused clearly until they exist. */
import { anything, check, obj, required, str } from '../../protocol/shape.ts'
import type { Infer, Shape } from '../../protocol/shape.ts'
import { nameOf, withCondition } from '../core/meta.ts'
import { OBJECT_META } from '../resources/object.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import { isoSeconds } from './api.ts'
import type { Api, Call } from './api.ts'
import { ApiError, badRequest, conflict, invalid, noSuchPath } from './api-error.ts'
import { changed } from './change.ts'
import { storedAt } from './read.ts'
import { deleteOptions, removeOne } from './remove.ts'
import { ok } from './respond.ts'
import type { Answer } from './respond.ts'
import type { ResourceRoute } from './route.ts'
import { isDryRun } from './write-options.ts'

const EVICTION = obj({ apiVersion: str(), kind: str(), metadata: required(OBJECT_META), deleteOptions: anything() })
const TARGET = obj({
  kind: str(),
  apiVersion: str(),
  name: required(str({ min: 1, max: 253 })),
  namespace: str(),
  uid: str(),
  resourceVersion: str(),
  fieldPath: str(),
})
const BINDING = obj({ apiVersion: str(), kind: str(), metadata: OBJECT_META, target: required(TARGET) })
const LATER = new Set(['log', 'exec', 'attach', 'portforward', 'proxy', 'ephemeralcontainers', 'resize'])

export async function podPart(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const part = route.subresource ?? ''
  if (part === 'eviction' && call.method === 'POST') return evict(api, call, route)
  if (part === 'binding' && call.method === 'POST') return bind(api, call, route)
  if (!LATER.has(part)) throw noSuchPath()
  throw new ApiError(501, 'NotImplemented', `pods/${part} is not served by this version of Skerry; the device's own page shows logs and state`)
}

/** No disruption budgets yet: an eviction is a delete that says so. */
async function evict(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const sent = checked(EVICTION, call.body, 'Eviction', 'evictions')
  const name = sent.metadata.name ?? route.name
  if (name !== route.name) throw badRequest(`metadata.name is ${JSON.stringify(name ?? '')} but the URL names ${JSON.stringify(route.name ?? '')}`)
  await removeOne(api, route.definition, () => storedAt(api, route), deleteOptions(call, sent.deleteOptions ?? undefined))
  return ok({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, 201)
}

async function bind(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const { target } = checked(BINDING, call.body, 'Binding', 'bindings')
  if (target.kind !== undefined && target.kind !== 'Node') throw badRequest(`target.kind: a pod is bound to a Node, not to a ${target.kind}`)
  await changed(api, route, isDryRun(call), (old) => bound(api, route, old as Pod, target.name))
  return ok({ kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Success', code: 201 }, 201)
}

function bound(api: Api, route: ResourceRoute, pod: Pod, node: string): KubeObject {
  const { nodeName = '' } = pod.spec
  const refuse = (why: string): Error => conflict(route.definition, nameOf(pod), `pod ${nameOf(pod)} ${why}`)
  if (pod.metadata.deletionTimestamp !== undefined) throw refuse('is being deleted, cannot be assigned to a host')
  if (nodeName !== '') throw refuse(`is already assigned to node ${JSON.stringify(nodeName)}`)
  const conditions = withCondition(pod.status?.conditions ?? [], { type: 'PodScheduled', status: 'True' }, isoSeconds(api.clock.nowMs()))
  return { ...pod, spec: { ...pod.spec, nodeName: node }, status: { ...pod.status, conditions } }
}

function checked<T>(shape: Shape<T>, body: unknown, kind: string, plural: string): Infer<Shape<T>> {
  const issues = check(shape, body)
  if (issues.length > 0) throw invalid({ group: '', plural, kind }, '', issues)
  return body as Infer<Shape<T>>
}
