import { cause } from '../../../../protocol/causes.ts'
import type { FilterPlugin } from '../framework.ts'

/** A pod that names its node goes nowhere else. */
export const nodeName: FilterPlugin = {
  name: 'NodeName',
  applies: (pod) => pod.requiredNode !== null,
  preFilter: (pod, snapshot) => (pod.requiredNode !== null && snapshot.has(pod.requiredNode) ? [pod.requiredNode] : null),
  filter: (pod, node) =>
    pod.requiredNode === null || pod.requiredNode === node.name ? [] : [cause('placement.node.other', { needs: pod.requiredNode })],
}
