/** PriorityClass: a named priority. Admission writes its value into each pod that names it. */
import type { PodSpec } from '../../protocol/pod.ts'
import { bool, int, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { OBJECT_META } from './object.ts'

/** Above it only Kubernetes' own two classes may go. */
const HIGHEST_USER_PRIORITY = 1_000_000_000

export const PRIORITY_CLASS_SHAPE = obj({
  apiVersion: required(oneOf('scheduling.k8s.io/v1')),
  kind: required(oneOf('PriorityClass')),
  metadata: required(OBJECT_META),
  value: required(int(-2_147_483_648, 2_147_483_647)),
  globalDefault: bool(),
  description: str({ max: 4096 }),
  preemptionPolicy: oneOf('PreemptLowerPriority', 'Never'),
})
export type PriorityClass = Infer<typeof PRIORITY_CLASS_SHAPE>

/** The classes that Kubernetes always has. */
export const SYSTEM_PRIORITIES: Readonly<Record<string, number>> = {
  'system-cluster-critical': 2_000_000_000,
  'system-node-critical': 2_000_001_000,
}

export const PRIORITY_CLASSES = defineResource<PriorityClass>({
  group: 'scheduling.k8s.io',
  version: 'v1',
  kind: 'PriorityClass',
  plural: 'priorityclasses',
  shortNames: ['pc'],
  namespaced: false,
  nameRule: 'subdomain',
  shape: PRIORITY_CLASS_SHAPE,
  generationFields: ['value'],
  defaults: (one) => ({ ...one, preemptionPolicy: one.preemptionPolicy ?? 'PreemptLowerPriority' }),
  rules: (one, old) => [...valueIssues(one), ...(old === null ? [] : fixedIssues(one, old))],
  columns: [
    NAME_COLUMN,
    column('Value', 'integer', 'Priority of pods that name this class; higher goes first.'),
    column('Global-Default', 'string', 'Whether pods that name no class get it.'),
    AGE_COLUMN,
    column('PreemptionPolicy', 'string', 'Whether such pods may push out others.'),
  ],
  cells: (one, nowMs) => [nameCell(one), one.value, String(one.globalDefault ?? false), ageCell(one, nowMs), one.preemptionPolicy ?? ''],
})

export type PriorityResult = { readonly ok: true; readonly spec: PodSpec } | { readonly ok: false; readonly why: string }

/**
 * The pod spec with the priority and preemption policy of its class; a pod without a class gets the global default, if there is one.
 * Not ok when the class does not exist, or the pod says another priority than its class.
 */
export function withPriority(spec: PodSpec, classes: readonly PriorityClass[]): PriorityResult {
  const name = spec.priorityClassName ?? ''
  const fallback = classes
    .filter((one) => one.globalDefault === true)
    .reduce<PriorityClass | null>((lowest, one) => (lowest === null || one.value < lowest.value ? one : lowest), null)
  const found = name === '' ? fallback : (classes.find((one) => one.metadata.name === name) ?? null)
  if (name === '' && found === null) return { ok: true, spec }
  const value = found?.value ?? SYSTEM_PRIORITIES[name]
  if (value === undefined) return { ok: false, why: `no PriorityClass with name ${name} was found` }
  if (spec.priority !== undefined && spec.priority !== value)
    return {
      ok: false,
      why: `the integer value of priority (${spec.priority}) must not be provided in pod spec; priority admission computed ${value}`,
    }
  const className = found?.metadata.name ?? name
  return {
    ok: true,
    spec: {
      ...spec,
      ...(className === '' ? {} : { priorityClassName: className }),
      priority: value,
      preemptionPolicy: spec.preemptionPolicy ?? found?.preemptionPolicy ?? 'PreemptLowerPriority',
    },
  }
}

function valueIssues({ metadata, value }: PriorityClass): readonly Issue[] {
  const name = metadata.name ?? ''
  if (SYSTEM_PRIORITIES[name] === value) return []
  if (name.startsWith('system-')) return [{ path: 'metadata.name', kind: 'forbidden', message: 'priority class names with "system-" are reserved' }]
  return value > HIGHEST_USER_PRIORITY
    ? [{ path: 'value', kind: 'forbidden', message: `must be at most ${HIGHEST_USER_PRIORITY}; higher values are the system's own` }]
    : []
}

function fixedIssues(one: PriorityClass, old: PriorityClass): readonly Issue[] {
  return (['value', 'preemptionPolicy'] as const)
    .filter((field) => one[field] !== old[field])
    .map((field): Issue => ({ path: field, kind: 'forbidden', message: 'may not be changed; make another class' }))
}
