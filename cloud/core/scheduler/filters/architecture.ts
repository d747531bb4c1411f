import { cause } from '../../../../protocol/causes.ts'
import type { FilterPlugin } from '../framework.ts'
import { ARCH_LABEL } from './node-selector.ts'

/** A pod that selects an architecture runs on no other: said in its own words, for it is the usual surprise at the edge. */
export const architecture: FilterPlugin = {
  name: 'Architecture',
  applies: (pod) => pod.selector[ARCH_LABEL] !== undefined,
  filter: (pod, node) => {
    const needs = pod.selector[ARCH_LABEL]
    const has = node.labels[ARCH_LABEL]
    return needs === undefined || needs === has ? [] : [cause('placement.arch.mismatch', { needs, has: has ?? 'of unknown architecture' })]
  },
}
