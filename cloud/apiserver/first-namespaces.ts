/** Namespaces that exist from the first start on, and stay. */
import { NAMESPACES } from '../resources/namespace.ts'
import type { ResourceDefinition } from '../resources/object.ts'
import { admitNew } from './admission.ts'
import { isoSeconds } from './api.ts'
import type { Api } from './api.ts'

export const FIRST_NAMESPACES: readonly string[] = ['default', 'kube-system', 'kube-node-lease']

/** Leaves those that exist as they are. */
export async function ensureNamespaces(api: Api): Promise<void> {
  const definition = NAMESPACES as unknown as ResourceDefinition
  for (const name of FIRST_NAMESPACES) {
    const facts = { uid: api.random.uuid(), nowIso: isoSeconds(api.clock.nowMs()), suffix: '' }
    await api.store.create('namespaces', admitNew(definition, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, '', facts))
  }
}
