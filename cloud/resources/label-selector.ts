/** Label selectors as objects: requirements, matching, rules and the text that kubectl prints for them. */
import type { Issue } from '../../protocol/shape.ts'
import type { LabelSelector } from './object.ts'

export type Labels = Readonly<Record<string, string>>

/** One comparison of a label; all requirements of a selector must hold. `values` is empty for exists and absent. */
export interface Requirement {
  readonly key: string
  readonly operator: '=' | '!=' | 'in' | 'notin' | 'exists' | 'absent'
  readonly values: readonly string[]
}

const OPERATORS: Readonly<Record<string, Requirement['operator']>> = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: 'absent' }

/** A checked LabelSelector as requirements. An empty selector gives none, which match everything. */
export function requirementsOf(selector: LabelSelector): readonly Requirement[] {
  const equal = Object.entries(selector.matchLabels ?? {}).map(([key, value]): Requirement => ({ key, operator: '=', values: [value] }))
  const expressions = (selector.matchExpressions ?? []).map((e): Requirement => ({
    key: e.key,
    operator: OPERATORS[e.operator] ?? 'exists',
    values: e.values ?? [],
  }))
  return [...equal, ...expressions]
}

/** True when every requirement holds. As in Kubernetes, `!=` and `notin` also match where the label is absent. */
export function matchesRequirements(requirements: readonly Requirement[], labels: Labels | undefined): boolean {
  return requirements.every((requirement) => holds(requirement, labels ?? {}))
}

/** True when the labels match. A missing selector matches nothing, an empty one everything. */
export function selects(selector: LabelSelector | undefined, labels: Labels | undefined): boolean {
  return selector !== undefined && matchesRequirements(requirementsOf(selector), labels)
}

/** The selector as one line, sorted by key: `app=web,tier in (a,b),!old`; `<none>` when empty or missing. */
export function formatLabelSelector(selector: LabelSelector | undefined): string {
  const parts = requirementsOf(selector ?? {}).toSorted((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
  return parts.length === 0 ? '<none>' : parts.map(formatRequirement).join(',')
}

/** `a=b,c=d` sorted by key, `<none>` when empty. */
export function formatLabels(labels: Labels | undefined): string {
  const entries = Object.entries(labels ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1))
  return entries.length === 0 ? '<none>' : entries.map(([key, value]) => `${key}=${value}`).join(',')
}

/** Rules beyond the shape: In and NotIn need values, Exists and DoesNotExist take none. */
export function labelSelectorIssues(selector: LabelSelector, path: string): readonly Issue[] {
  return (selector.matchExpressions ?? []).flatMap((expression, index): readonly Issue[] => {
    const at = `${path}.matchExpressions[${index}].values`
    const wantsValues = expression.operator === 'In' || expression.operator === 'NotIn'
    const count = expression.values?.length ?? 0
    if (wantsValues && count === 0) return [{ path: at, kind: 'required', message: `is required for the operator ${expression.operator}` }]
    if (!wantsValues && count > 0) return [{ path: at, kind: 'forbidden', message: `must be empty for the operator ${expression.operator}` }]
    return []
  })
}

function holds(requirement: Requirement, labels: Labels): boolean {
  const has = Object.hasOwn(labels, requirement.key)
  switch (requirement.operator) {
    case 'exists':
      return has
    case 'absent':
      return !has
    case '=':
    case 'in':
      return has && requirement.values.includes(labels[requirement.key] ?? '')
    case '!=':
    case 'notin':
      return !has || !requirement.values.includes(labels[requirement.key] ?? '')
  }
}

function formatRequirement({ key, operator, values }: Requirement): string {
  switch (operator) {
    case 'exists':
      return key
    case 'absent':
      return `!${key}`
    case '=':
    case '!=':
      return `${key}${operator}${values[0] ?? ''}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${values.toSorted().join(',')})`
  }
}
