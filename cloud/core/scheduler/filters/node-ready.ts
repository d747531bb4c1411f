import { cause } from '../../../../protocol/causes.ts'
import type { FilterPlugin } from '../framework.ts'

/**
 * A floating pod never goes to a node that is not ready: it would wait there unseen. A pod that is for this very node may,
 * because its desired state waits for the device.
 */
export const nodeReady: FilterPlugin = {
  name: 'NodeReady',
  passes: (pod, node) => node.ready || pod.requiredNode === node.name,
  filter: (pod, node) => (node.ready || pod.requiredNode === node.name ? [] : [cause('placement.node.not-ready', { why: node.notReadyWhy })]),
}
