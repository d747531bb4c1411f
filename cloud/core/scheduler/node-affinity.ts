/** Node selector terms, read once: which nodes a pod must have, and which it would rather have. */
import type { Affinity, NodeSelectorTerm } from '../../../protocol/pod-scheduling.ts'

/** What terms read of a node. */
export interface NodeFacts {
  readonly name: string
  readonly labels: Readonly<Record<string, string>>
}

export interface NodeAffinity {
  /** one of them must match; null = no demand. An empty list matches nothing. */
  readonly required: readonly NodeSelectorTerm[] | null
  readonly preferred: readonly { readonly weight: number; readonly term: NodeSelectorTerm }[]
}

export function nodeAffinityOf(affinity: Affinity | undefined): NodeAffinity {
  const { requiredDuringSchedulingIgnoredDuringExecution: required, preferredDuringSchedulingIgnoredDuringExecution: preferred } =
    affinity?.nodeAffinity ?? {}
  return {
    required: required === undefined ? null : (required.nodeSelectorTerms ?? []).filter(isSound),
    // a preference without any expression prefers nothing
    preferred: (preferred ?? [])
      .filter(({ weight, preference }) => weight !== 0 && isSound(preference))
      .map(({ weight, preference }) => ({ weight, term: preference })),
  }
}

/** `spec.nodeSelector` and the required terms together, as PodTopologySpread counts nodes. */
export function nodeMatches(selector: Readonly<Record<string, string>>, affinity: NodeAffinity, node: NodeFacts): boolean {
  for (const key of Object.keys(selector)) if (labelOf(node.labels, key) !== selector[key]) return false
  return affinity.required === null || affinity.required.some((term) => termMatchesNode(term, node))
}

/** The value of a label, also when its key is the name of something that every object has. */
export function labelOf(labels: Readonly<Record<string, string>>, key: string): string | undefined {
  return Object.hasOwn(labels, key) ? labels[key] : undefined
}

/** All expressions and fields hold; a term without any matches nothing. */
export function termMatchesNode(term: NodeSelectorTerm, node: NodeFacts): boolean {
  const { matchExpressions = [], matchFields = [] } = term
  if (matchExpressions.length === 0 && matchFields.length === 0) return false
  return (
    matchExpressions.every((one) => holds(one.operator, one.values ?? [], labelOf(node.labels, one.key))) &&
    matchFields.every((one) => holds(one.operator, one.values ?? [], one.key === 'metadata.name' ? node.name : undefined))
  )
}

/** The nodes that the required terms name by `metadata.name`; null when a term leaves the name open. */
export function namedNodes(affinity: NodeAffinity): readonly string[] | null {
  if (affinity.required === null) return null
  const names = new Set<string>()
  for (const { matchFields = [] } of affinity.required) {
    const named = matchFields.find((one) => one.key === 'metadata.name' && one.operator === 'In')
    if (named === undefined) return null
    for (const name of named.values ?? []) names.add(name)
  }
  return [...names]
}

const LABEL_VALUE = /^(?=.{0,63}$)([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/

/** A term with a value that no label can have matches nothing, whatever its operator. */
function isSound({ matchExpressions = [] }: NodeSelectorTerm): boolean {
  return matchExpressions.every(({ values = [] }) => values.every((value) => LABEL_VALUE.test(value) || WHOLE.test(value)))
}

const WHOLE = /^[+-]?\d+$/

function holds(operator: string, values: readonly string[], value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value)
    case 'NotIn':
      return value === undefined || !values.includes(value)
    case 'Exists':
      return value !== undefined
    case 'DoesNotExist':
      return value === undefined
    case 'Gt':
    case 'Lt': {
      const [bound = ''] = values
      if (value === undefined || values.length !== 1 || !WHOLE.test(value) || !WHOLE.test(bound)) return false
      return operator === 'Gt' ? BigInt(value) > BigInt(bound) : BigInt(value) < BigInt(bound)
    }
    default:
      return false
  }
}
