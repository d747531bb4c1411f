/** What may change in the spec of a pod that exists: images, and tolerations by addition. */
import type { ContainerSpec, PodSpec, Toleration } from '../../protocol/pod.ts'
import { canonicalJson } from '../../protocol/revision.ts'
import type { Issue } from '../../protocol/shape.ts'

const MAY = 'may not change after the pod was created; only spec.containers[*].image and added spec.tolerations may'

/** An issue for each field that changed and must not. Both specs have their defaults. */
export function podUpdateIssues(spec: PodSpec, old: PodSpec): readonly Issue[] {
  const fields = new Set(
    [...Object.keys(spec), ...Object.keys(old)].filter((field) => field !== 'containers' && field !== 'tolerations' && field !== 'schedulingGates'),
  )
  return [
    ...changed(spec, old, fields, 'spec'),
    ...containerChanges(spec.containers, old.containers),
    ...tolerationChanges(spec.tolerations ?? [], old.tolerations ?? []),
    ...gateChanges(spec.schedulingGates ?? [], old.schedulingGates ?? []),
  ]
}

function containerChanges(containers: readonly ContainerSpec[], old: readonly ContainerSpec[]): readonly Issue[] {
  if (containers.length !== old.length)
    return [{ path: 'spec.containers', kind: 'forbidden', message: 'may not be added or removed after the pod was created' }]
  return containers.flatMap((container, index) => {
    const before = old[index]
    if (before === undefined) return []
    const fields = new Set([...Object.keys(container), ...Object.keys(before)].filter((field) => field !== 'image'))
    return changed(container, before, fields, `spec.containers[${index}]`)
  })
}

function tolerationChanges(tolerations: readonly Toleration[], old: readonly Toleration[]): readonly Issue[] {
  const present = new Set(tolerations.map(withoutSeconds))
  const lost = old.some((toleration) => !present.has(withoutSeconds(toleration)))
  return lost
    ? [{ path: 'spec.tolerations', kind: 'forbidden', message: 'existing tolerations may not be changed or removed, except their tolerationSeconds' }]
    : []
}

function gateChanges(gates: readonly { readonly name: string }[], old: readonly { readonly name: string }[]): readonly Issue[] {
  return gates.every(({ name }) => old.some((gate) => gate.name === name))
    ? []
    : [{ path: 'spec.schedulingGates', kind: 'forbidden', message: 'only deletion is allowed; gates may not be added after the pod was created' }]
}

function withoutSeconds({ tolerationSeconds: _, ...rest }: Toleration): string {
  return canonicalJson(rest)
}

function changed(
  value: Readonly<Record<string, unknown>>,
  old: Readonly<Record<string, unknown>>,
  fields: ReadonlySet<string>,
  path: string,
): readonly Issue[] {
  return [...fields]
    .filter((field) => canonicalJson(value[field]) !== canonicalJson(old[field]))
    .map((field): Issue => ({ path: `${path}.${field}`, kind: 'forbidden', message: MAY }))
}
