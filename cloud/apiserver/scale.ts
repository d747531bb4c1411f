/** The /scale subresource: replicas of any kind that has them, as autoscaling/v1 Scale. */
import { check, int, isRecord, obj, required, str, anything } from '../../protocol/shape.ts'
import { formatLabelSelector, requirementsOf } from '../resources/label-selector.ts'
import { OBJECT_META } from '../resources/object.ts'
import type { KubeObject, LabelSelector } from '../resources/object.ts'
import { admitChange } from './admission.ts'
import { objectOf } from './api.ts'
import type { Api, Call } from './api.ts'
import { conflict, invalid } from './api-error.ts'
import { changed } from './change.ts'
import { patched, patchOf } from './patch.ts'
import { storedAt } from './read.ts'
import { ok } from './respond.ts'
import type { Answer } from './respond.ts'
import type { ResourceRoute } from './route.ts'
import { isDryRun } from './write-options.ts'

const SCALE = obj({
  apiVersion: str(),
  kind: str(),
  metadata: OBJECT_META,
  spec: required(obj({ replicas: int(0, 1_000_000) })),
  status: anything(),
})
const ABOUT = { group: 'autoscaling', plural: 'scales', kind: 'Scale', shape: SCALE }

export async function getScale(api: Api, route: ResourceRoute): Promise<Answer> {
  return ok(scaleOf(objectOf(await storedAt(api, route))))
}

export async function changeScale(api: Api, call: Call, route: ResourceRoute): Promise<Answer> {
  const change = call.method === 'PATCH' ? patchOf(call) : null
  const answer = await changed(api, route, isDryRun(call), (old) => {
    const sent = change === null ? call.body : patched(ABOUT, scaleOf(old), change)
    return withReplicas(route, old, sent)
  })
  return ok(scaleOf(JSON.parse(answer.json) as KubeObject))
}

function withReplicas(route: ResourceRoute, old: KubeObject, sent: unknown): KubeObject {
  const name = old.metadata.name ?? ''
  const issues = check(SCALE, sent)
  if (issues.length > 0 || !isRecord(sent)) throw invalid(ABOUT, name, issues)
  const version = isRecord(sent['metadata']) ? sent['metadata']['resourceVersion'] : undefined
  if (typeof version === 'string' && version !== '' && version !== old.metadata.resourceVersion) throw conflict(route.definition, name)
  const replicas = isRecord(sent['spec']) ? (sent['spec']['replicas'] ?? 0) : 0
  const spec = { ...(old['spec'] as object | undefined), replicas }
  return admitChange(route.definition, old, { ...old, spec }, 'main')
}

function scaleOf(object: KubeObject): KubeObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata
  const spec = object['spec'] as { readonly replicas?: number; readonly selector?: LabelSelector } | undefined
  const status = object['status'] as { readonly replicas?: number } | undefined
  const metadata = Object.fromEntries(
    Object.entries({ name, namespace, uid, resourceVersion, creationTimestamp }).filter(([, value]) => value !== undefined),
  )
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata,
    spec: { replicas: spec?.replicas ?? 0 },
    status: { replicas: status?.replicas ?? 0, selector: selectorText(spec?.selector) },
  }
}

/** What clients put into labelSelector; empty when there is none. */
function selectorText(selector: LabelSelector | undefined): string {
  const requirements = selector === undefined ? [] : requirementsOf(selector)
  return requirements.length === 0 ? '' : formatLabelSelector(selector)
}
