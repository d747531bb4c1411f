/** The two PriorityClasses of Kubernetes itself, which exist from the first start on and stay. */
import { resourceKey } from '../resources/object.ts'
import type { ResourceDefinition } from '../resources/object.ts'
import { PRIORITY_CLASSES, SYSTEM_PRIORITIES } from '../resources/priority-class.ts'
import { admitNew } from './admission.ts'
import { isoSeconds } from './api.ts'
import type { Api } from './api.ts'

const DESCRIPTIONS: Readonly<Record<string, string>> = {
  'system-cluster-critical': 'Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.',
  'system-node-critical': 'Used for system critical pods that must not be moved from their current node.',
}

/** Leaves those that exist as they are. */
export async function ensurePriorityClasses(api: Api): Promise<void> {
  const definition = PRIORITY_CLASSES as unknown as ResourceDefinition
  for (const [name, value] of Object.entries(SYSTEM_PRIORITIES)) {
    const facts = { uid: api.random.uuid(), nowIso: isoSeconds(api.clock.nowMs()), suffix: '' }
    const object = { apiVersion: 'scheduling.k8s.io/v1', kind: 'PriorityClass', metadata: { name }, value, description: DESCRIPTIONS[name] ?? '' }
    await api.store.create(resourceKey(definition), admitNew(definition, object, '', facts))
  }
}
