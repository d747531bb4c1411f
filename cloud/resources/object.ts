/** Kubernetes objects as this cloud holds them. One shape for metadata; kinds add spec and status. */
import { LIMITS } from '../../protocol/limits.ts'
import { anything, bool, int, list, map, obj, required, str } from '../../protocol/shape.ts'
import type { Infer, Issue, Shape } from '../../protocol/shape.ts'

const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^([A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/

export const LABELS = map(
  str({ pattern: LABEL_VALUE, says: 'at most 63 letters, digits, "-", "_" or ".", starting and ending with a letter or digit' }),
  {
    keyPattern: LABEL_KEY,
    keySays: 'an optional DNS prefix and "/", then a name of at most 63 letters, digits, "-", "_" or "."',
    max: LIMITS.labelsPerObject.value,
  },
)

export const OWNER_REFERENCE = obj({
  apiVersion: required(str()),
  kind: required(str()),
  name: required(str()),
  uid: required(str()),
  controller: bool(),
  blockOwnerDeletion: bool(),
})

export const OBJECT_META = obj({
  name: str({ max: 253 }),
  generateName: str({ max: 253 }),
  namespace: str({ max: 63 }),
  uid: str({ max: 64 }),
  resourceVersion: str({ max: 32 }),
  generation: int(),
  creationTimestamp: str({ max: 40 }),
  deletionTimestamp: str({ max: 40 }),
  deletionGracePeriodSeconds: int(),
  labels: LABELS,
  annotations: map(str(), { keyPattern: LABEL_KEY, keySays: 'an optional DNS prefix and "/", then a name', max: 256 }),
  ownerReferences: list(OWNER_REFERENCE, { mergeKey: 'uid', max: 64 }),
  finalizers: list(str({ max: 256 }), { mergeSet: true, max: 64 }),
  managedFields: anything(),
  selfLink: str({ max: 1024 }),
})

export const CONDITION = obj({
  type: required(str({ max: 316 })),
  status: required(str({ max: 16 })),
  reason: str({ max: 1024 }),
  message: str({ max: 32_768 }),
  lastTransitionTime: str({ max: 40 }),
  lastUpdateTime: str({ max: 40 }),
  lastHeartbeatTime: str({ max: 40 }),
  lastProbeTime: str({ max: 40 }),
  observedGeneration: int(),
})

export const LABEL_SELECTOR = obj({
  matchLabels: LABELS,
  matchExpressions: list(
    obj({
      key: required(str({ pattern: LABEL_KEY, says: 'a label key' })),
      operator: required(str({ pattern: /^(In|NotIn|Exists|DoesNotExist)$/, says: 'In, NotIn, Exists or DoesNotExist' })),
      values: list(str({ max: 63 }), { max: 256 }),
    }),
    { max: 64 },
  ),
})

export type ObjectMeta = Infer<typeof OBJECT_META>
export type OwnerReference = Infer<typeof OWNER_REFERENCE>
export type Condition = Infer<typeof CONDITION>
export type LabelSelector = Infer<typeof LABEL_SELECTOR>

/** Any object of the API. After admission `metadata.name`, `uid`, `resourceVersion` and `creationTimestamp` are set. */
export interface KubeObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMeta
  readonly [field: string]: unknown
}

export interface Column {
  readonly name: string
  readonly type: 'string' | 'integer' | 'date'
  readonly format?: string
  /** 0 = always, 1 = only with -o wide */
  readonly priority: number
  readonly description?: string
}

/** What a request is about, beside the object: time and random come in from outside. */
export interface AdmitContext {
  readonly nowIso: string
  readonly uid: string
  /** five letters for generateName */
  readonly suffix: string
}

/**
 * One kind of the API. All functions are pure. Objects have been checked against `shape` before `defaults` runs.
 * `O` is the kind's own type.
 */
export interface ResourceDefinition<O extends KubeObject = KubeObject> {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly singular: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly namespaced: boolean
  /** whole object, unknown fields refused */
  readonly shape: Shape<unknown>
  /** has /status: then the main endpoint ignores status, and /status ignores everything else */
  readonly hasStatus: boolean
  readonly hasScale: boolean
  /** fills what Kubernetes would fill; must be idempotent */
  defaults(object: O): O
  /** rules beyond the shape; `old` is null on create (immutable fields are checked on update) */
  validate(object: O, old: O | null): readonly Issue[]
  /** kinds that keep who changed them: runs when the API made or changed the object, after defaults and rules */
  stamp?(object: O, old: O | null, by: { readonly name: string; readonly nowIso: string }): O
  /** spec-like fields: metadata.generation rises when one of them changes */
  readonly generationFields: readonly string[]
  readonly columns: readonly Column[]
  cells(object: O, nowMs: number): readonly (string | number | null)[]
  /** field selectors beyond metadata.name and metadata.namespace, e.g. `spec.nodeName` */
  readonly selectableFields: Readonly<Record<string, (object: O) => string>>
}

/** Key of a kind in the store: `pods`, `deployments.apps`. */
export function resourceKey(definition: { readonly group: string; readonly plural: string }): string {
  return definition.group === '' ? definition.plural : `${definition.plural}.${definition.group}`
}
