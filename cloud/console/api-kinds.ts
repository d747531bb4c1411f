/** Where objects of each kind live in the API: the editor finds the path of a manifest with it. */
import { RESOURCE_DEFINITIONS, apiVersionOf } from '../resources/registry.ts'

export interface ApiKind {
  readonly apiVersion: string
  readonly kind: string
  /** `/apis/apps/v1` */
  readonly prefix: string
  readonly plural: string
  readonly namespaced: boolean
}

export function apiKinds(): readonly ApiKind[] {
  return RESOURCE_DEFINITIONS.map((one) => ({
    apiVersion: apiVersionOf(one),
    kind: one.kind,
    prefix: one.group === '' ? `/api/${one.version}` : `/apis/${one.group}/${one.version}`,
    plural: one.plural,
    namespaced: one.namespaced,
  }))
}
