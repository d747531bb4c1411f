/** The environment of a container as it starts with it. A ConfigMap that changes later does not restart anything. */
import type { PlannedVariable } from './pod-model.ts'
import type { EnvFrom, EnvVar } from '../../protocol/pod-env.ts'
import type { ContainerSpec, DesiredPod } from './model.ts'
import { configOf, fieldValue, missing, resourceValue, textOf, unreadable, valuesOf } from './pod-values.ts'
import type { Configs, Resolved, Surroundings } from './pod-values.ts'

/** envFrom first, then env; a later name wins where the engine adapter builds the list. */
export function environmentOf(
  pod: DesiredPod,
  container: ContainerSpec,
  configs: Configs,
  around: Surroundings,
): Resolved<readonly PlannedVariable[]> {
  const variables: PlannedVariable[] = []
  for (const source of container.envFrom ?? []) {
    const taken = fromObject(source, pod, configs)
    if (!taken.ok) return taken
    variables.push(...taken.value)
  }
  for (const variable of container.env ?? []) {
    const { name, valueFrom, value = '' } = variable
    if (valueFrom === undefined) variables.push({ name, value })
    else {
      const taken = fromElsewhere(variable, pod, container, configs, around)
      if (!taken.ok) return taken
      if (taken.value !== null) variables.push({ name, value: taken.value, literal: true })
    }
  }
  return { ok: true, value: variables }
}

function fromObject({ prefix = '', configMapRef, secretRef }: EnvFrom, pod: DesiredPod, configs: Configs): Resolved<readonly PlannedVariable[]> {
  const ref = configMapRef ?? secretRef
  if (ref === undefined) return { ok: true, value: [] }
  const kind = configMapRef === undefined ? 'Secret' : 'ConfigMap'
  const config = configOf(configs, kind, pod.namespace, ref.name)
  if (config === null) return ref.optional === true ? { ok: true, value: [] } : missing(kind, ref.name)
  const taken = [...valuesOf({ ...config, binaryData: {} })].map(([key, value]) => ({
    name: `${prefix}${key}`,
    value: textOf(value),
    literal: true as const,
  }))
  return { ok: true, value: taken.toSorted((a, b) => (a.name < b.name ? -1 : 1)) }
}

/** null = optional and not there: the variable is left out. */
function fromElsewhere(
  { name, valueFrom = {} }: EnvVar,
  pod: DesiredPod,
  container: ContainerSpec,
  configs: Configs,
  around: Surroundings,
): Resolved<string | null> {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = valueFrom
  if (fieldRef !== undefined) return fieldValue(fieldRef, pod, around)
  if (resourceFieldRef !== undefined) return resourceValue(resourceFieldRef, pod, container, around)
  const ref = configMapKeyRef ?? secretKeyRef
  if (ref === undefined) return unreadable(`env ${name}`, 'valueFrom names no source')
  const kind = configMapKeyRef === undefined ? 'Secret' : 'ConfigMap'
  const config = configOf(configs, kind, pod.namespace, ref.name)
  const value = config === null ? undefined : valuesOf(config).get(ref.key)
  if (value !== undefined) return { ok: true, value: textOf(value) }
  if (ref.optional === true) return { ok: true, value: null }
  return config === null ? missing(kind, ref.name) : missing(kind, ref.name, ref.key)
}
