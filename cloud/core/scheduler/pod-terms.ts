/** What a pod says about other pods, read once: affinity terms and spread constraints. */
import type { PodAffinityTerm, PodLabelSelector, TopologySpreadConstraint } from '../../../protocol/pod-scheduling.ts'
import type { PodSpec } from '../../../protocol/pod.ts'
import { matchesRequirements, requirementsOf } from '../../resources/label-selector.ts'
import type { Labels, Requirement } from '../../resources/label-selector.ts'

/** Which other pods, and within what. Terms with equal keys mean the same, whoever carries them. */
export interface Term {
  readonly key: string
  readonly topologyKey: string
  readonly namespaces: readonly string[]
  /** null = only the namespaces named */
  readonly namespaceSelector: readonly Requirement[] | null
  /** null = no pod */
  readonly selector: readonly Requirement[] | null
}

export interface WeightedTerm {
  readonly term: Term
  readonly weight: number
}

export interface PodTerms {
  readonly required: readonly Term[]
  readonly requiredAnti: readonly Term[]
  readonly preferred: readonly WeightedTerm[]
  readonly preferredAnti: readonly WeightedTerm[]
}

export interface SpreadConstraint {
  readonly topologyKey: string
  readonly maxSkew: number
  readonly hard: boolean
  readonly minDomains: number
  /** null = counts no pod */
  readonly selector: readonly Requirement[] | null
  readonly selectorKey: string
  readonly honorsAffinity: boolean
  readonly honorsTaints: boolean
}

export interface Labelled {
  readonly namespace: string
  readonly labels: Labels
}

const NO_TERMS: PodTerms = { required: [], requiredAnti: [], preferred: [], preferredAnti: [] }
const NO_SPREAD: readonly SpreadConstraint[] = []

export function podTermsOf(spec: PodSpec, of: Labelled): PodTerms {
  const { podAffinity, podAntiAffinity } = spec.affinity ?? {}
  if (podAffinity === undefined && podAntiAffinity === undefined) return NO_TERMS
  const plain = (terms: readonly PodAffinityTerm[] | undefined) => (terms ?? []).map((term) => termOf(term, of))
  const weighted = (terms: readonly { readonly weight: number; readonly podAffinityTerm: PodAffinityTerm }[] | undefined) =>
    (terms ?? []).map(({ weight, podAffinityTerm }) => ({ weight, term: termOf(podAffinityTerm, of) }))
  return {
    required: plain(podAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    requiredAnti: plain(podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferred: weighted(podAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
    preferredAnti: weighted(podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution),
  }
}

export function hasTerms({ required, requiredAnti, preferred, preferredAnti }: PodTerms): boolean {
  return required.length > 0 || requiredAnti.length > 0 || preferred.length > 0 || preferredAnti.length > 0
}

export function termMatchesPod(term: Term, pod: Labelled, namespaceLabels: (namespace: string) => Labels): boolean {
  const inNamespace =
    term.namespaces.includes(pod.namespace) ||
    (term.namespaceSelector !== null && matchesRequirements(term.namespaceSelector, namespaceLabels(pod.namespace)))
  return inNamespace && term.selector !== null && matchesRequirements(term.selector, pod.labels)
}

export function spreadOf(spec: PodSpec, labels: Labels): readonly SpreadConstraint[] {
  if (spec.topologySpreadConstraints === undefined || spec.topologySpreadConstraints.length === 0) return NO_SPREAD
  return spec.topologySpreadConstraints.map((one) => constraintOf(one, labels))
}

function constraintOf(one: TopologySpreadConstraint, labels: Labels): SpreadConstraint {
  const selector = withKeys(one.labelSelector, labels, one.matchLabelKeys ?? [], [])
  return {
    topologyKey: one.topologyKey,
    maxSkew: one.maxSkew,
    hard: one.whenUnsatisfiable === 'DoNotSchedule',
    minDomains: one.minDomains ?? 1,
    selector,
    selectorKey: JSON.stringify(selector),
    honorsAffinity: one.nodeAffinityPolicy !== 'Ignore',
    honorsTaints: one.nodeTaintsPolicy === 'Honor',
  }
}

function termOf(term: PodAffinityTerm, { namespace, labels }: Labelled): Term {
  const named = term.namespaces ?? []
  const made = {
    topologyKey: term.topologyKey,
    namespaces: named.length === 0 && term.namespaceSelector === undefined ? [namespace] : named,
    namespaceSelector: term.namespaceSelector === undefined ? null : requirementsOf(term.namespaceSelector),
    selector: withKeys(term.labelSelector, labels, term.matchLabelKeys ?? [], term.mismatchLabelKeys ?? []),
  }
  return { ...made, key: JSON.stringify(made) }
}

/** The selector, narrowed to pods with the same (or another) value of these labels as the pod itself. */
function withKeys(
  selector: PodLabelSelector | undefined,
  labels: Labels,
  same: readonly string[],
  other: readonly string[],
): readonly Requirement[] | null {
  if (selector === undefined) return null
  const narrowed = (keys: readonly string[], operator: 'in' | 'notin') =>
    keys.filter((key) => Object.hasOwn(labels, key)).map((key): Requirement => ({ key, operator, values: [labels[key] ?? ''] }))
  return [...requirementsOf(selector), ...narrowed(same, 'in'), ...narrowed(other, 'notin')]
}
