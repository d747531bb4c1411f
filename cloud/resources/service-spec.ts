/** What a Service says. */
import { bool, int, intOrString, list, obj, oneOf, refused, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { LABELS } from './object.ts'

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

export function isHeadless({ clusterIP }: ServiceSpec): boolean {
  return clusterIP === 'None'
}
