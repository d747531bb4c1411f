/** Where a pod may run and would rather run, in Kubernetes' words: node affinity, pod affinity, topology spread. */
import { int, list, map, obj, oneOf, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

const LABEL_KEY = /^([a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?\/)?[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/
const KEY = str({ pattern: LABEL_KEY, says: 'a label key' })
const VALUES = list(str({ max: 63 }), { max: 256 })
const WEIGHT = required(int(1, 100))

export const POD_LABEL_SELECTOR = obj({
  matchLabels: map(str({ max: 63 }), { keyPattern: LABEL_KEY, keySays: 'a label key', max: 64 }),
  matchExpressions: list(obj({ key: required(KEY), operator: required(oneOf('In', 'NotIn', 'Exists', 'DoesNotExist')), values: VALUES }), {
    max: 64,
  }),
})

const NODE_REQUIREMENT = obj({
  key: required(str({ min: 1, max: 316 })),
  operator: required(oneOf('In', 'NotIn', 'Exists', 'DoesNotExist', 'Gt', 'Lt')),
  values: list(str({ max: 253 }), { max: 256 }),
})

export const NODE_SELECTOR_TERM = obj({
  matchExpressions: list(NODE_REQUIREMENT, { max: 64 }),
  matchFields: list(NODE_REQUIREMENT, { max: 1 }),
})

export const POD_AFFINITY_TERM = obj({
  labelSelector: POD_LABEL_SELECTOR,
  topologyKey: required(KEY),
  namespaces: list(str({ max: 63 }), { max: 64 }),
  namespaceSelector: POD_LABEL_SELECTOR,
  matchLabelKeys: list(KEY, { max: 16 }),
  mismatchLabelKeys: list(KEY, { max: 16 }),
})

export const NODE_AFFINITY = obj({
  requiredDuringSchedulingIgnoredDuringExecution: obj({ nodeSelectorTerms: required(list(NODE_SELECTOR_TERM, { max: 64 })) }),
  preferredDuringSchedulingIgnoredDuringExecution: list(obj({ weight: WEIGHT, preference: required(NODE_SELECTOR_TERM) }), { max: 64 }),
})

const POD_AFFINITY = obj({
  requiredDuringSchedulingIgnoredDuringExecution: list(POD_AFFINITY_TERM, { max: 64 }),
  preferredDuringSchedulingIgnoredDuringExecution: list(obj({ weight: WEIGHT, podAffinityTerm: required(POD_AFFINITY_TERM) }), { max: 64 }),
})

export const AFFINITY = obj({ nodeAffinity: NODE_AFFINITY, podAffinity: POD_AFFINITY, podAntiAffinity: POD_AFFINITY })

export const TOPOLOGY_SPREAD_CONSTRAINT = obj({
  maxSkew: required(int(1)),
  topologyKey: required(KEY),
  whenUnsatisfiable: required(oneOf('DoNotSchedule', 'ScheduleAnyway')),
  labelSelector: POD_LABEL_SELECTOR,
  minDomains: int(1),
  nodeAffinityPolicy: oneOf('Honor', 'Ignore'),
  nodeTaintsPolicy: oneOf('Honor', 'Ignore'),
  matchLabelKeys: list(KEY, { max: 16 }),
})

export const SCHEDULING_GATE = obj({ name: required(KEY) })

export type Affinity = Infer<typeof AFFINITY>
export type NodeSelectorTerm = Infer<typeof NODE_SELECTOR_TERM>
export type PodAffinityTerm = Infer<typeof POD_AFFINITY_TERM>
export type PodLabelSelector = Infer<typeof POD_LABEL_SELECTOR>
export type TopologySpreadConstraint = Infer<typeof TOPOLOGY_SPREAD_CONSTRAINT>
