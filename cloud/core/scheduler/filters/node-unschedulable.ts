import { cause } from '../../../../protocol/causes.ts'
import type { FilterPlugin } from '../framework.ts'
import { tolerates } from './tolerations.ts'

const CORDON_TAINT = { key: 'node.kubernetes.io/unschedulable', effect: 'NoSchedule' } as const

/** `kubectl cordon`: nothing new comes, unless the pod tolerates exactly that. */
export const nodeUnschedulable: FilterPlugin = {
  name: 'NodeUnschedulable',
  passes: (pod, node) => !node.unschedulable || tolerates(pod.tolerations, CORDON_TAINT),
  filter: (pod, node) => (node.unschedulable && !tolerates(pod.tolerations, CORDON_TAINT) ? [cause('placement.node.cordoned')] : []),
}
