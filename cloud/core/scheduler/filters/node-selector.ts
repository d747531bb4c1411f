import { cause } from '../../../../protocol/causes.ts'
import type { FilterPlugin } from '../framework.ts'

export const ARCH_LABEL = 'kubernetes.io/arch'

/** spec.nodeSelector: every label must be there with that value. The architecture has its own rule and words. */
export const nodeSelector: FilterPlugin = {
  name: 'NodeSelector',
  applies: (pod) => Object.keys(pod.selector).some((key) => key !== ARCH_LABEL),
  filter: (pod, node) =>
    Object.entries(pod.selector)
      .filter(([key, value]) => key !== ARCH_LABEL && !(Object.hasOwn(node.labels, key) && node.labels[key] === value))
      .map(([key, needs]) =>
        cause('placement.selector.mismatch', { key, needs, has: Object.hasOwn(node.labels, key) ? (node.labels[key] ?? '') : 'absent' }),
      ),
}
