/** Where objects of each kind live in the API: the editor finds the path of a manifest with it. */
import type { ApiKind } from './live-protocol.ts'
import { RESOURCE_DEFINITIONS, apiVersionOf } from '../resources/registry.ts'

export function apiKinds(): readonly ApiKind[] {
  return RESOURCE_DEFINITIONS.map((one) => ({
    apiVersion: apiVersionOf(one),
    kind: one.kind,
    prefix: one.group === '' ? `/api/${one.version}` : `/apis/${one.group}/${one.version}`,
    plural: one.plural,
    namespaced: one.namespaced,
  }))
}
