import { cause } from '../../../../protocol/causes.ts'
import type { FilterPlugin, PodInfo } from '../framework.ts'
import { labelOf } from '../node-affinity.ts'
import { NETWORK_CLASS_LABEL } from '../scores/pull-cost.ts'

/** On a pod: the network classes that will do, `ethernet,wifi`. */
export const NETWORK_CLASS_ANNOTATION = 'skerry.dev/network-class'

/** A pod that names classes goes to no device of another or an unknown class. */
export const networkClass: FilterPlugin = {
  name: 'NetworkClass',
  applies: (pod) => wanted(pod) !== undefined,
  filter: (pod, node) => {
    const needs = wanted(pod)
    const has = labelOf(node.labels, NETWORK_CLASS_LABEL)
    if (needs === undefined || (has !== undefined && needs.split(',').some((name) => name.trim() === has))) return []
    return [cause('placement.network.class', { needs: needs.replaceAll(',', ' or '), has: has ?? 'unknown' })]
  },
}

function wanted({ pod }: PodInfo): string | undefined {
  return pod.metadata.annotations?.[NETWORK_CLASS_ANNOTATION]
}
