/** Rules for containers beyond their shape: unique names and ports, resources. */
import type { ContainerPort, ContainerSpec } from '../../protocol/pod.ts'
import type { Issue } from '../../protocol/shape.ts'
import { containerResourceIssues } from './quantity-rules.ts'

/** Issues of a pod's containers; `path` ends in `containers`. */
export function containerIssues(containers: readonly ContainerSpec[], path: string, hostNetwork: boolean): readonly Issue[] {
  if (containers.length === 0) return [{ path, kind: 'required', message: 'must have at least one container' }]
  return [
    ...duplicates(
      containers.map((container) => container.name),
      (index) => `${path}[${index}].name`,
    ),
    ...duplicateHostPorts(containers, path),
    ...containers.flatMap((container, index) => oneContainer(container, `${path}[${index}]`, hostNetwork)),
  ]
}

function oneContainer(container: ContainerSpec, path: string, hostNetwork: boolean): readonly Issue[] {
  const ports = container.ports ?? []
  return [
    ...duplicates(
      ports.map((port) => port.name),
      (index) => `${path}.ports[${index}].name`,
    ),
    ...duplicates(ports.map(portKey), (index) => `${path}.ports[${index}]`),
    ...ports.flatMap((port, index) => portIssues(port, `${path}.ports[${index}]`, hostNetwork)),
    ...containerResourceIssues(container.resources ?? {}, `${path}.resources`),
  ]
}

function portIssues(port: ContainerPort, path: string, hostNetwork: boolean): readonly Issue[] {
  const issues: Issue[] = []
  if (port.name !== undefined && (port.name.length > 15 || !/[a-z]/.test(port.name) || port.name.includes('--'))) {
    issues.push({
      path: `${path}.name`,
      kind: 'invalid',
      message: `${JSON.stringify(port.name)} must be at most 15 characters, with a letter and no "--"`,
    })
  }
  if (hostNetwork && port.hostPort !== undefined && port.hostPort !== port.containerPort) {
    issues.push({
      path: `${path}.hostPort`,
      kind: 'invalid',
      message: `must equal containerPort (${port.containerPort}) when hostNetwork is true, is ${port.hostPort}`,
    })
  }
  return issues
}

/** The same host port twice in one pod can never be bound. */
function duplicateHostPorts(containers: readonly ContainerSpec[], path: string): readonly Issue[] {
  const bound = containers.flatMap((container, c) =>
    (container.ports ?? []).map((port, p) => ({
      key:
        port.hostPort === undefined
          ? undefined
          : `${port.hostPort}/${port.protocol ?? 'TCP'}${port.hostIP === undefined ? '' : ` on ${port.hostIP}`}`,
      path: `${path}[${c}].ports[${p}].hostPort`,
    })),
  )
  return duplicates(
    bound.map((port) => port.key),
    (index) => bound[index]?.path ?? path,
  )
}

function portKey(port: ContainerPort): string | undefined {
  // with a host port, the host port rule speaks
  return port.hostPort === undefined ? `${port.containerPort}/${port.protocol ?? 'TCP'}` : undefined
}

/** An issue for each value that stood before in the list; undefined never counts. */
export function duplicates(values: readonly (string | undefined)[], pathOf: (index: number) => string): readonly Issue[] {
  const seen = new Set<string>()
  return values.flatMap((value, index): readonly Issue[] => {
    if (value === undefined) return []
    if (seen.has(value)) return [{ path: pathOf(index), kind: 'invalid', message: `${JSON.stringify(value)} is there twice` }]
    seen.add(value)
    return []
  })
}
