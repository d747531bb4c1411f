/** The Services that travel with the pods of a device: all of the namespaces of its pods, which is whom a pod may ask for. */
import { LIMITS } from '../../protocol/limits.ts'
import type { DesiredService, ServiceOutside, ServicePeer } from '../../protocol/services.ts'
import type { Endpoints } from '../resources/endpoints.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'
import type { Service } from '../resources/service.ts'
import { isHeadless } from '../resources/service-spec.ts'
import { compareText, isDeleting, keyOf, nameOf, namespaceOf } from './meta.ts'
import { isFinished } from './pod-state.ts'
import { serviceSelects } from './service-endpoints.ts'

/** Devices with the same value see each other without the cloud. */
export const SITE_LABEL = 'skerry.dev/site'

export function siteOf(node: Node | null | undefined): string | undefined {
  const site = node?.metadata.labels?.[SITE_LABEL]
  return site === '' ? undefined : site
}

export function addressOf(node: Node): string | undefined {
  return node.status?.addresses?.find(({ type }) => type === 'InternalIP')?.address
}

/** Another device of the site, with the pods bound to it. */
export interface SiteNode {
  readonly node: Node
  readonly pods: readonly Pod[]
}

/**
 * @param bound pods of the device
 * @param services of the namespaces of these pods
 * @param endpoints of a Service without a selector, by key
 * @param site the other devices of its site
 */
export function servicesBeside(
  bound: readonly Pod[],
  services: readonly Service[],
  endpoints: (key: string) => Endpoints | undefined,
  site: readonly SiteNode[],
): readonly DesiredService[] {
  return ranked(bound, services)
    .slice(0, LIMITS.servicesPerDevice.value)
    .toSorted((a, b) => compareText(keyOf(a), keyOf(b)))
    .map((service) => desiredService(service, endpoints(keyOf(service)), site))
}

/** Those for which a device has no room. */
export function servicesLeftOut(bound: readonly Pod[], services: readonly Service[]): readonly Service[] {
  return services.length <= LIMITS.servicesPerDevice.value ? [] : ranked(bound, services).slice(LIMITS.servicesPerDevice.value)
}

/** Those of its own pods are never pushed out by others. */
function ranked(bound: readonly Pod[], services: readonly Service[]): readonly Service[] {
  const own = (service: Service): boolean => bound.some((pod) => isEndpoint(service, pod))
  return services
    .filter((service) => service.spec.clusterIP !== undefined && !isDeleting(service))
    .toSorted((a, b) => Number(own(b)) - Number(own(a)) || compareText(keyOf(a), keyOf(b)))
}

/** Does this pod stand, or will it stand, behind the Service? */
export function isEndpoint(service: Service, pod: Pod): boolean {
  return namespaceOf(service) === namespaceOf(pod) && serviceSelects(service, pod.metadata.labels) && !isDeleting(pod) && !isFinished(pod)
}

function desiredService(service: Service, endpoints: Endpoints | undefined, site: readonly SiteNode[]): DesiredService {
  const { spec } = service
  const selector = spec.selector ?? {}
  const hasPods = Object.keys(selector).length > 0
  const peers = spec.type === 'NodePort' && hasPods && spec.internalTrafficPolicy !== 'Local' ? peersOf(service, site) : []
  const outside = hasPods ? [] : outsideOf(endpoints)
  return {
    namespace: namespaceOf(service),
    name: nameOf(service),
    ...(isHeadless(spec) || spec.clusterIP === undefined ? {} : { address: spec.clusterIP }),
    ports: (spec.ports ?? []).map(({ name, port, targetPort, nodePort }) => ({
      ...(name === undefined ? {} : { name }),
      port,
      target: targetPort ?? port,
      ...(nodePort === undefined ? {} : { nodePort }),
    })),
    ...(hasPods ? { selector } : {}),
    ...(spec.sessionAffinity === 'ClientIP'
      ? { affinity: 'ClientIP' as const, affinitySeconds: spec.sessionAffinityConfig?.clientIP?.timeoutSeconds ?? 10_800 }
      : {}),
    ...(spec.publishNotReadyAddresses === true ? { notReady: true } : {}),
    ...(spec.internalTrafficPolicy === 'Local' ? { localOnly: true } : {}),
    ...(peers.length === 0 ? {} : { peers }),
    ...(outside.length === 0 ? {} : { outside }),
  }
}

/** Whether a pod there is ready is not told: its device answers on the node port only while one is, and the caller goes on else. */
function peersOf(service: Service, site: readonly SiteNode[]): readonly ServicePeer[] {
  return site
    .flatMap(({ node, pods }): readonly ServicePeer[] => {
      const address = addressOf(node)
      return address !== undefined && pods.some((pod) => isEndpoint(service, pod)) ? [{ device: nameOf(node), address }] : []
    })
    .toSorted((a, b) => compareText(a.device, b.device))
    .slice(0, LIMITS.peersPerService.value)
}

function outsideOf(endpoints: Endpoints | undefined): readonly ServiceOutside[] {
  return (endpoints?.subsets ?? [])
    .flatMap(({ addresses = [], ports = [] }) =>
      addresses.map(({ ip }) => ({
        address: ip,
        ports: ports.flatMap(({ name, port }) => (port === undefined ? [] : [{ ...(name === undefined ? {} : { name }), port }])),
      })),
    )
    .slice(0, LIMITS.peersPerService.value)
}
