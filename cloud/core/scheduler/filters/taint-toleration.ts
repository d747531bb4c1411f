import { cause } from '../../../../protocol/causes.ts'
import type { FilterPlugin } from '../framework.ts'
import { taintText, tolerates } from './tolerations.ts'

/** Taints with NoSchedule or NoExecute keep pods away that do not tolerate them. */
export const taintToleration: FilterPlugin = {
  name: 'TaintToleration',
  passes: (pod, node) =>
    node.taints.length === 0 || node.taints.every((taint) => taint.effect === 'PreferNoSchedule' || tolerates(pod.tolerations, taint)),
  filter: (pod, node) =>
    node.taints
      .filter((taint) => (taint.effect === 'NoSchedule' || taint.effect === 'NoExecute') && !tolerates(pod.tolerations, taint))
      .map((taint) => cause('placement.taint.untolerated', { taint: taintText(taint) })),
}
