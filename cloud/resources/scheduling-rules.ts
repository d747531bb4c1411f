/** Rules for affinity, topology spread and scheduling gates beyond their shape. */
import type { NodeSelectorTerm, PodAffinityTerm, TopologySpreadConstraint } from '../../protocol/pod-scheduling.ts'
import type { PodSpec } from '../../protocol/pod.ts'
import type { Issue } from '../../protocol/shape.ts'
import { labelSelectorIssues } from './label-selector.ts'

/** Everything wrong with where a pod wants to run; `path` is where the spec stands. */
export function schedulingIssues(spec: PodSpec, path: string): readonly Issue[] {
  const { nodeAffinity, podAffinity, podAntiAffinity } = spec.affinity ?? {}
  const required = nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  const at = `${path}.affinity`
  return [
    ...(required === undefined ? [] : requiredTerms(required.nodeSelectorTerms, `${at}.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution`)),
    ...(nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ preference }, index) =>
      nodeTerm(preference, `${at}.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[${index}].preference`),
    ),
    ...podTerms(podAffinity, `${at}.podAffinity`),
    ...podTerms(podAntiAffinity, `${at}.podAntiAffinity`),
    ...spreadIssues(spec.topologySpreadConstraints ?? [], `${path}.topologySpreadConstraints`),
  ]
}

function requiredTerms(terms: readonly NodeSelectorTerm[], path: string): readonly Issue[] {
  if (terms.length === 0) return [{ path: `${path}.nodeSelectorTerms`, kind: 'required', message: 'must have at least one node selector term' }]
  return terms.flatMap((term, index) => nodeTerm(term, `${path}.nodeSelectorTerms[${index}]`))
}

function nodeTerm(term: NodeSelectorTerm, path: string): readonly Issue[] {
  const issues: Issue[] = []
  for (const [index, { operator, values = [] }] of (term.matchExpressions ?? []).entries()) {
    const at = `${path}.matchExpressions[${index}].values`
    if ((operator === 'In' || operator === 'NotIn') && values.length === 0)
      issues.push({ path: at, kind: 'required', message: `must be specified when operator is ${operator}` })
    if ((operator === 'Exists' || operator === 'DoesNotExist') && values.length > 0)
      issues.push({ path: at, kind: 'forbidden', message: `may not be specified when operator is ${operator}` })
    if ((operator === 'Gt' || operator === 'Lt') && (values.length !== 1 || !/^-?\d+$/.test(values[0] ?? '')))
      issues.push({ path: at, kind: 'invalid', message: `must be one whole number when operator is ${operator}` })
  }
  for (const [index, { key, operator, values = [] }] of (term.matchFields ?? []).entries()) {
    const at = `${path}.matchFields[${index}]`
    if (key !== 'metadata.name') issues.push({ path: `${at}.key`, kind: 'invalid', message: 'must be "metadata.name", the only field of a node' })
    if (operator !== 'In' && operator !== 'NotIn') issues.push({ path: `${at}.operator`, kind: 'invalid', message: 'must be In or NotIn' })
    else if (values.length !== 1) issues.push({ path: `${at}.values`, kind: 'required', message: 'must hold exactly one name' })
  }
  return issues
}

type PodAffinity = NonNullable<NonNullable<PodSpec['affinity']>['podAffinity']>

function podTerms(affinity: PodAffinity | undefined, path: string): readonly Issue[] {
  return [
    ...(affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap((term, index) =>
      podTerm(term, `${path}.requiredDuringSchedulingIgnoredDuringExecution[${index}]`),
    ),
    ...(affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ podAffinityTerm }, index) =>
      podTerm(podAffinityTerm, `${path}.preferredDuringSchedulingIgnoredDuringExecution[${index}].podAffinityTerm`),
    ),
  ]
}

function podTerm(term: PodAffinityTerm, path: string): readonly Issue[] {
  const both = (term.matchLabelKeys ?? []).filter((key) => term.mismatchLabelKeys?.includes(key) === true)
  const keys = [...(term.matchLabelKeys ?? []), ...(term.mismatchLabelKeys ?? [])]
  return [
    ...labelSelectorIssues(term.labelSelector ?? {}, `${path}.labelSelector`),
    ...labelSelectorIssues(term.namespaceSelector ?? {}, `${path}.namespaceSelector`),
    ...both.map((key): Issue => ({
      path: `${path}.matchLabelKeys`,
      kind: 'invalid',
      message: `${JSON.stringify(key)} also stands in mismatchLabelKeys`,
    })),
    ...(keys.length > 0 && term.labelSelector === undefined
      ? [{ path: `${path}.matchLabelKeys`, kind: 'forbidden' as const, message: 'must not be specified when labelSelector is not set' }]
      : []),
  ]
}

function spreadIssues(constraints: readonly TopologySpreadConstraint[], path: string): readonly Issue[] {
  return constraints.flatMap((constraint, index) => {
    const at = `${path}[${index}]`
    const twin = constraints.findIndex(
      (other) => other.topologyKey === constraint.topologyKey && other.whenUnsatisfiable === constraint.whenUnsatisfiable,
    )
    const issues: Issue[] = [...labelSelectorIssues(constraint.labelSelector ?? {}, `${at}.labelSelector`)]
    if (twin < index)
      issues.push({ path: at, kind: 'invalid', message: `{${constraint.topologyKey}, ${constraint.whenUnsatisfiable}} stands here twice` })
    if (constraint.minDomains !== undefined && constraint.whenUnsatisfiable !== 'DoNotSchedule')
      issues.push({ path: `${at}.minDomains`, kind: 'invalid', message: 'can only be used when whenUnsatisfiable is DoNotSchedule' })
    if (constraint.matchLabelKeys !== undefined && constraint.matchLabelKeys.length > 0 && constraint.labelSelector === undefined)
      issues.push({ path: `${at}.matchLabelKeys`, kind: 'forbidden', message: 'must not be specified when labelSelector is not set' })
    return issues
  })
}
