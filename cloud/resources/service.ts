/** Service: one name and one address for the pods of a selector. */
import { anything, list, obj, oneOf, required } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { formatLabels } from './label-selector.ts'
import { CONDITION, OBJECT_META } from './object.ts'
import { serviceIssues } from './service-rules.ts'
import { SERVICE_SPEC } from './service-spec.ts'
import type { ServiceSpec } from './service-spec.ts'

const AFFINITY_SECONDS = 10_800

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
