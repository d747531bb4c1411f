/** What a Service may ask for: Kubernetes' rules, and what devices cannot do, by name and with the reason. */
import { isDnsLabel } from '../../protocol/ids.ts'
import { NODE_PORT_FIRST, NODE_PORT_LAST, SERVICE_RANGE, serviceNetwork } from '../../protocol/services.ts'
import type { Issue } from '../../protocol/shape.ts'
import { duplicates } from './container-rules.ts'
import type { ServiceSpec } from './service-spec.ts'

/** `old` is null on create. */
export function serviceIssues(spec: ServiceSpec, old: ServiceSpec | null): readonly Issue[] {
  const issues = [...typeIssues(spec), ...familyIssues(spec)]
  return issues.length > 0 ? issues : [...addressIssues(spec, old), ...portIssues(spec)]
}

function typeIssues(spec: ServiceSpec): readonly Issue[] {
  const issues: Issue[] = []
  if (spec.type === 'LoadBalancer')
    issues.push(unsupported('spec.type', '"LoadBalancer" is not supported: devices have no load balancer in front; use "NodePort"'))
  if (spec.type === 'ExternalName')
    issues.push(
      unsupported(
        'spec.type',
        '"ExternalName" is not supported: name the outside host in the program, or use no selector and Endpoints with its address',
      ),
    )
  else if ((spec.externalName ?? '') !== '')
    issues.push(unsupported('spec.externalName', 'goes with the type "ExternalName", which is not supported'))
  if (spec.externalTrafficPolicy === 'Cluster')
    issues.push(unsupported('spec.externalTrafficPolicy', '"Cluster" is not supported: a node port reaches the pods of its own device; use "Local"'))
  return issues
}

function familyIssues({ ipFamilies = [], ipFamilyPolicy }: ServiceSpec): readonly Issue[] {
  const issues: Issue[] = []
  if (ipFamilies.includes('IPv6')) issues.push(unsupported('spec.ipFamilies', '"IPv6" is not supported; use ["IPv4"]'))
  if (ipFamilyPolicy !== undefined && ipFamilyPolicy !== 'SingleStack')
    issues.push(unsupported('spec.ipFamilyPolicy', `${JSON.stringify(ipFamilyPolicy)} is not supported; use "SingleStack"`))
  return issues
}

function addressIssues(spec: ServiceSpec, old: ServiceSpec | null): readonly Issue[] {
  const { clusterIP } = spec
  const path = 'spec.clusterIP'
  if (spec.type === 'NodePort' && clusterIP === 'None') return [{ path, kind: 'invalid', message: 'may not be "None" for the type NodePort' }]
  if (old?.clusterIP !== undefined && clusterIP !== undefined && clusterIP !== old.clusterIP)
    return [{ path, kind: 'forbidden', message: `is immutable: it is ${JSON.stringify(old.clusterIP)}` }]
  if (clusterIP === undefined || clusterIP === 'None' || serviceNetwork(clusterIP) !== null) return []
  return [
    { path, kind: 'invalid', message: `${JSON.stringify(clusterIP)} is not a service address (${SERVICE_RANGE}); leave it out, and one is given` },
  ]
}

function portIssues(spec: ServiceSpec): readonly Issue[] {
  const { ports = [], clusterIP } = spec
  const headless = clusterIP === 'None'
  if (ports.length === 0) return headless ? [] : [{ path: 'spec.ports', kind: 'required', message: 'is required' }]
  const at = (index: number): string => `spec.ports[${index}]`
  return [
    ...ports.flatMap((port, index): readonly Issue[] => {
      const issues: Issue[] = []
      if (ports.length > 1 && (port.name ?? '') === '')
        issues.push({ path: `${at(index)}.name`, kind: 'required', message: 'is required where there are several ports' })
      if ((port.name ?? '') !== '' && !isDnsLabel(port.name))
        issues.push({ path: `${at(index)}.name`, kind: 'invalid', message: 'must be lower case letters, digits and "-", at most 63' })
      if (!headless && port.protocol !== undefined && port.protocol !== 'TCP')
        issues.push(
          unsupported(
            `${at(index)}.protocol`,
            `"${port.protocol}" is not forwarded by this version of Skerry; use a headless Service or a host port`,
          ),
        )
      const { targetPort } = port
      if (typeof targetPort === 'number' && (targetPort < 1 || targetPort > 65_535))
        issues.push({ path: `${at(index)}.targetPort`, kind: 'invalid', message: `must be from 1 to 65535, is ${targetPort}` })
      if (typeof targetPort === 'string' && !/^(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?$/.test(targetPort))
        issues.push({
          path: `${at(index)}.targetPort`,
          kind: 'invalid',
          message: `${JSON.stringify(targetPort)} is neither a number nor the name of a port`,
        })
      if (port.nodePort !== undefined && (port.nodePort < NODE_PORT_FIRST || port.nodePort > NODE_PORT_LAST))
        issues.push({
          path: `${at(index)}.nodePort`,
          kind: 'invalid',
          message: `must be from ${NODE_PORT_FIRST} to ${NODE_PORT_LAST}, is ${port.nodePort}`,
        })
      return issues
    }),
    ...duplicates(
      ports.map(({ port, protocol }) => `${port}/${protocol ?? 'TCP'}`),
      at,
    ),
    ...duplicates(
      ports.map(({ name }, index) => name ?? `#${index}`),
      (index) => `${at(index)}.name`,
    ),
  ]
}

function unsupported(path: string, message: string): Issue {
  return { path, kind: 'unsupported', message }
}
