/** Service: one name and one address for the pods of a selector. */
import { anything, bool, int, intOrString, list, obj, oneOf, refused, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { formatLabels } from './label-selector.ts'
import { CONDITION, LABELS, OBJECT_META } from './object.ts'
import { serviceIssues } from './service-rules.ts'

const AFFINITY_SECONDS = 10_800
const TEXT = str({ max: 253 })

export const SERVICE_PORT = obj({
  name: str({ max: 63 }),
  port: required(int(1, 65_535)),
  protocol: oneOf('TCP', 'UDP', 'SCTP'),
  appProtocol: TEXT,
  targetPort: intOrString(),
  nodePort: int(0, 65_535),
})

export const SERVICE_SPEC = obj({
  /** others are known, and refused with the reason */
  type: oneOf('ClusterIP', 'NodePort', 'LoadBalancer', 'ExternalName'),
  /** given by the cloud; None = headless */
  clusterIP: TEXT,
  clusterIPs: list(TEXT, { max: 2 }),
  ports: list(SERVICE_PORT, { mergeKey: 'port', max: 32 }),
  selector: LABELS,
  sessionAffinity: oneOf('None', 'ClientIP'),
  sessionAffinityConfig: obj({ clientIP: obj({ timeoutSeconds: int(1, 86_400) }) }),
  publishNotReadyAddresses: bool(),
  internalTrafficPolicy: oneOf('Cluster', 'Local'),
  externalTrafficPolicy: oneOf('Cluster', 'Local'),
  ipFamilies: list(oneOf('IPv4', 'IPv6'), { max: 2 }),
  ipFamilyPolicy: oneOf('SingleStack', 'PreferDualStack', 'RequireDualStack'),
  externalName: TEXT,
  externalIPs: refused('is not supported: devices do not take addresses of others; use type NodePort'),
  loadBalancerIP: refused('is not supported: there is no load balancer; use type NodePort'),
  loadBalancerSourceRanges: refused('is not supported: there is no load balancer; use type NodePort'),
  loadBalancerClass: refused('is not supported: there is no load balancer; use type NodePort'),
  allocateLoadBalancerNodePorts: refused('is not supported: there is no load balancer; use type NodePort'),
  healthCheckNodePort: refused('is not supported: there is no load balancer; use type NodePort'),
  trafficDistribution: refused('is not supported: pods of the device itself come first; internalTrafficPolicy Local takes only them'),
})
export type ServiceSpec = Infer<typeof SERVICE_SPEC>

export const SERVICE_SHAPE = obj({
  apiVersion: required(oneOf('v1')),
  kind: required(oneOf('Service')),
  metadata: required(OBJECT_META),
  spec: required(SERVICE_SPEC),
  status: obj({ loadBalancer: obj({ ingress: anything() }), conditions: list(CONDITION, { mergeKey: 'type', max: 64 }) }),
})
export type Service = Infer<typeof SERVICE_SHAPE>

export const SERVICES = defineResource<Service>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  shortNames: ['svc'],
  categories: ['all'],
  namespaced: true,
  nameRule: 'label',
  shape: SERVICE_SHAPE,
  hasStatus: true,
  defaults: (service) => ({ ...service, spec: defaultSpec(service.spec), status: { loadBalancer: {}, ...service.status } }),
  rules: (service, old) => serviceIssues(service.spec, old?.spec ?? null),
  columns: [
    NAME_COLUMN,
    column('Type', 'string', 'How it is reached: inside only, or on a port of its devices as well.'),
    column('Cluster-IP', 'string', 'Its address on every device; None = its name stands for the pods themselves.'),
    column('External-IP', 'string', 'Always none: devices have no load balancer.'),
    column('Port(s)', 'string', 'Its ports, with those of the devices behind ":".'),
    AGE_COLUMN,
    column('Selector', 'string', 'Labels of its pods.', { wide: true }),
  ],
  cells: (service, nowMs) => [
    nameCell(service),
    service.spec.type ?? 'ClusterIP',
    service.spec.clusterIP ?? '<none>',
    '<none>',
    portsCell(service.spec),
    ageCell(service, nowMs),
    formatLabels(service.spec.selector),
  ],
  selectableFields: { 'spec.clusterIP': ({ spec }) => spec.clusterIP ?? '', 'spec.type': ({ spec }) => spec.type ?? '' },
})

export function isHeadless({ clusterIP }: ServiceSpec): boolean {
  return clusterIP === 'None'
}

function defaultSpec(spec: ServiceSpec): ServiceSpec {
  const type = spec.type ?? 'ClusterIP'
  const { clusterIP: given, clusterIPs: _all, externalTrafficPolicy, ...rest } = spec
  const clusterIP = given === '' ? undefined : given
  const seconds = spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? AFFINITY_SECONDS
  return {
    ...rest,
    type,
    ...(clusterIP === undefined ? {} : { clusterIP, clusterIPs: [clusterIP] }),
    ...(spec.ports === undefined ? {} : { ports: spec.ports.map((port) => defaultPort(port, type === 'NodePort')) }),
    sessionAffinity: spec.sessionAffinity ?? 'None',
    ...(spec.sessionAffinity === 'ClientIP' ? { sessionAffinityConfig: { clientIP: { timeoutSeconds: seconds } } } : {}),
    internalTrafficPolicy: spec.internalTrafficPolicy ?? 'Cluster',
    ...(type === 'NodePort' ? { externalTrafficPolicy: externalTrafficPolicy ?? 'Local' } : {}),
    ipFamilies: spec.ipFamilies ?? ['IPv4'],
    ipFamilyPolicy: spec.ipFamilyPolicy ?? 'SingleStack',
  }
}

type Port = NonNullable<ServiceSpec['ports']>[number]

/** A node port that a change of the type left over goes. */
function defaultPort(port: Port, hasNodePorts: boolean): Port {
  const { nodePort, ...rest } = port
  return {
    ...rest,
    protocol: port.protocol ?? 'TCP',
    targetPort: port.targetPort ?? port.port,
    ...(hasNodePorts && nodePort !== undefined && nodePort !== 0 ? { nodePort } : {}),
  }
}

function portsCell({ ports = [] }: ServiceSpec): string {
  const cells = ports.map(({ port, nodePort, protocol = 'TCP' }) =>
    nodePort === undefined ? `${port}/${protocol}` : `${port}:${nodePort}/${protocol}`,
  )
  return cells.length === 0 ? '<none>' : cells.join(',')
}
