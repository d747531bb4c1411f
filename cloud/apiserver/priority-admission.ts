/** The priority of a new pod, from its PriorityClass. */
import type { KubeObject } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import { PRIORITY_CLASSES, withPriority } from '../resources/priority-class.ts'
import type { PriorityClass } from '../resources/priority-class.ts'
import { resourceKey } from '../resources/object.ts'
import { objectOf } from './api.ts'
import type { Api } from './api.ts'
import { ApiError } from './api-error.ts'

/** The object itself, or the pod with what its class says. Throws 403 for an unknown class, as Kubernetes' Priority admission. */
export async function withPriorityClass(api: Api, sent: KubeObject): Promise<KubeObject> {
  if (sent.kind !== 'Pod') return sent
  const listed = await api.store.list(resourceKey(PRIORITY_CLASSES))
  const classes = listed.ok ? listed.items.map((stored) => objectOf(stored) as PriorityClass) : []
  const pod = sent as Pod
  const result = withPriority(pod.spec, classes)
  if (result.ok) return { ...pod, spec: result.spec }
  throw new ApiError(403, 'Forbidden', `pods ${JSON.stringify(pod.metadata.name ?? '')} is forbidden: ${result.why}`, { kind: 'pods' })
}
