import { cause } from '../../../../protocol/causes.ts'
import type { NodeSelectorTerm } from '../../../../protocol/pod-scheduling.ts'
import type { FilterPlugin } from '../framework.ts'
import { labelOf, namedNodes, termMatchesNode } from '../node-affinity.ts'
import type { NodeAffinity } from '../node-affinity.ts'

export interface NodeAffinityArgs {
  /** a demand on top of each pod's own: a site rule of this profile */
  readonly addedAffinity?: NodeAffinity
}

/** spec.affinity.nodeAffinity: one of the required terms must match. */
export function nodeAffinityFilter({ addedAffinity }: NodeAffinityArgs = {}): FilterPlugin {
  const added = addedAffinity?.required ?? null
  const passes: NonNullable<FilterPlugin['passes']> = ({ nodeAffinity: { required } }, node) =>
    (added === null || added.some((term) => termMatchesNode(term, node))) &&
    (required === null || required.some((term) => termMatchesNode(term, node)))
  return {
    name: 'NodeAffinity',
    preFilter: (pod) => namedNodes(pod.nodeAffinity),
    applies: (pod) => added !== null || pod.nodeAffinity.required !== null,
    passes,
    filter: (pod, node) => {
      if (passes(pod, node)) return []
      const terms = pod.nodeAffinity.required ?? []
      const needs = terms.length === 0 ? 'what the profile demands' : terms.map(termText).join(' or ')
      const keys = [...new Set(terms.flatMap((term) => (term.matchExpressions ?? []).map((one) => one.key)))]
      const has = keys.map((key) => `${key}=${labelOf(node.labels, key) ?? '(absent)'}`).join(', ')
      return [cause('placement.affinity.node', { needs, has: has === '' ? node.name : has })]
    },
  }
}

function termText({ matchExpressions = [], matchFields = [] }: NodeSelectorTerm): string {
  const parts = [...matchExpressions, ...matchFields].map(({ key, operator, values = [] }) =>
    values.length === 0 ? `${key} ${operator}` : `${key} ${operator} ${values.join(',')}`,
  )
  return parts.length === 0 ? 'nothing' : parts.join(' and ')
}
