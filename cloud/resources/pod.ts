/** Pod: one set of containers on one device. */
import { POD_SPEC } from '../../protocol/pod.ts'
import type { PodSpec } from '../../protocol/pod.ts'
import { obj, oneOf, required } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { parseQuantityNano } from '../../protocol/units.ts'
import { defineResource } from './define.ts'
import { OBJECT_META } from './object.ts'
import { defaultPodOnly, defaultPodSpec } from './pod-defaults.ts'
import { POD_COLUMNS, podCells } from './pod-printer.ts'
import { podSpecIssues } from './pod-rules.ts'
import { POD_STATUS } from './pod-status.ts'
import type { PodStatus } from './pod-status.ts'
import { podUpdateIssues } from './pod-update-rules.ts'
import { policyIssues } from './update-annotations.ts'

export const POD_SHAPE = obj({
  apiVersion: required(oneOf('v1')),
  kind: required(oneOf('Pod')),
  metadata: required(OBJECT_META),
  spec: required(POD_SPEC),
  status: POD_STATUS,
})
export type Pod = Infer<typeof POD_SHAPE>

export const PODS = defineResource<Pod>({
  group: '',
  version: 'v1',
  kind: 'Pod',
  plural: 'pods',
  shortNames: ['po'],
  categories: ['all'],
  namespaced: true,
  nameRule: 'subdomain',
  shape: POD_SHAPE,
  hasStatus: true,
  generationFields: ['spec'],
  defaults: (pod) => {
    const spec = defaultPodOnly(defaultPodSpec(pod.spec))
    return { ...pod, spec, status: { ...pod.status, phase: pod.status?.phase ?? 'Pending', qosClass: pod.status?.qosClass ?? qosClassOf(spec) } }
  },
  rules: (pod, old) => [
    ...podSpecIssues(pod.spec, 'spec'),
    ...policyIssues(pod.metadata.annotations, 'metadata'),
    ...(old === null ? [] : podUpdateIssues(pod.spec, old.spec)),
  ],
  columns: POD_COLUMNS,
  cells: podCells,
  selectableFields: {
    'spec.nodeName': (pod) => pod.spec.nodeName ?? '',
    'spec.restartPolicy': (pod) => pod.spec.restartPolicy ?? '',
    'spec.schedulerName': (pod) => pod.spec.schedulerName ?? '',
    'spec.serviceAccountName': (pod) => pod.spec.serviceAccountName ?? '',
    'spec.hostNetwork': (pod) => String(pod.spec.hostNetwork ?? false),
    'status.phase': (pod) => pod.status?.phase ?? '',
    'status.podIP': (pod) => pod.status?.podIP ?? '',
    'status.nominatedNodeName': (pod) => pod.status?.nominatedNodeName ?? '',
  },
})

/** Guaranteed: every container has cpu and memory requests equal to its limits. BestEffort: none asks for either. */
export function qosClassOf(spec: PodSpec): NonNullable<PodStatus['qosClass']> {
  const asked = spec.containers.flatMap(({ resources }) =>
    ['cpu', 'memory'].map((name) => {
      const limit = nano(resources?.limits?.[name])
      return { limit, request: resources?.requests?.[name] === undefined ? limit : nano(resources.requests[name]) }
    }),
  )
  if (asked.every(({ limit, request }) => limit === 0n && request === 0n)) return 'BestEffort'
  return asked.every(({ limit, request }) => limit > 0n && limit === request) ? 'Guaranteed' : 'Burstable'
}

function nano(value: string | number | undefined): bigint {
  return value === undefined ? 0n : (parseQuantityNano(String(value)) ?? 0n)
}
