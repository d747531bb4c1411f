/** Which Services travel to a device, and which devices a change concerns. */
import { sameJson } from '../../protocol/revision.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { DesiredService } from '../../protocol/services.ts'
import { isDeleting, keyOf, nameOf, namespaceOf } from '../core/meta.ts'
import { isFinished } from '../core/pod-state.ts'
import { serviceSelects } from '../core/service-endpoints.ts'
import { addressOf, servicesBeside, servicesLeftOut, siteOf } from '../core/services-beside.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type { Service } from '../resources/service.ts'
import type { Cluster } from './cluster.ts'
import type { ControllerDeps } from './run-controller.ts'

/** What travels beside the pods of this device for the names that they may ask for. */
export function servicesOf(cluster: Cluster, device: string, bound: readonly Pod[]): { readonly services?: readonly DesiredService[] } {
  const services = concerning(cluster, bound)
  if (services.length === 0) return {}
  const site = siteOf(cluster.nodes.get(`/${device}`))
  const others = site === undefined ? [] : cluster.nodes.by('site', site).filter((node) => nameOf(node) !== device)
  const made = servicesBeside(
    bound,
    services,
    (key) => cluster.endpoints.get(key),
    others.map((node) => ({ node, pods: cluster.pods.by('node', nameOf(node)) })),
  )
  return made.length === 0 ? {} : { services: made }
}

/** Says of each Service for which the device has no room that it is not there. */
export function tellServicesLeftOut({ cluster, events }: Pick<ControllerDeps, 'cluster' | 'events'>, device: string, bound: readonly Pod[]): void {
  for (const about of servicesLeftOut(bound, concerning(cluster, bound))) {
    const message = `Device ${device} holds ${LIMITS.servicesPerDevice.value} Services at most, and this one is not among them`
    events.record({ about, type: 'Warning', reason: 'NotOnDevice', message, component: 'publisher' })
  }
}

function concerning(cluster: Cluster, bound: readonly Pod[]): readonly Service[] {
  const namespaces = new Set(bound.filter((pod) => !isDeleting(pod)).map(namespaceOf))
  return [...namespaces].flatMap((namespace) => cluster.services.by('namespace', namespace))
}

/** Calls back with each device whose Services may have changed. */
export function watchServiceWishes(cluster: Cluster, wake: (device: string) => void): void {
  const wakeNamespace = (object: KubeObject): void => {
    const devices = new Set(cluster.pods.by('namespace', namespaceOf(object)).flatMap((pod) => pod.spec.nodeName ?? []))
    for (const device of devices) wake(device)
  }
  const wakeSite = (site: string | undefined): void => {
    if (site !== undefined) for (const node of cluster.nodes.by('site', site)) wake(nameOf(node))
  }
  cluster.services.onChange((next, previous) => {
    const service = next ?? previous
    if (service !== null && !(next !== null && previous !== null && sameJson(next.spec, previous.spec))) wakeNamespace(service)
  })
  cluster.endpoints.onChange((next, previous) => {
    const endpoints = next ?? previous
    const service = endpoints === null ? undefined : cluster.services.get(keyOf(endpoints))
    // of a Service with pods the devices see their own pods
    if (service !== undefined && Object.keys(service.spec.selector ?? {}).length === 0) wakeNamespace(service)
  })
  cluster.pods.onChange((next, previous) => {
    if (sameJson(standing(next), standing(previous))) return
    for (const pod of [next, previous]) {
      const site = pod?.spec.nodeName === undefined ? undefined : siteOf(cluster.nodes.get(`/${pod.spec.nodeName}`))
      if (pod === null || site === undefined) continue
      const services = cluster.services.by('namespace', namespaceOf(pod))
      if (services.some((service) => service.spec.type === 'NodePort' && serviceSelects(service, pod.metadata.labels))) wakeSite(site)
    }
  })
  cluster.nodes.onChange((next, previous) => {
    const [before, after] = [siteOf(previous), siteOf(next)]
    if (before === after && next !== null && previous !== null && addressOf(next) === addressOf(previous)) return
    for (const site of new Set([before, after])) wakeSite(site)
    if (before !== undefined && after === undefined && next !== null) wake(nameOf(next))
  })
}

/** What others of its site have to know of a pod. */
function standing(pod: Pod | null): unknown {
  return pod === null ? null : [pod.spec.nodeName ?? null, isDeleting(pod), isFinished(pod), pod.metadata.labels ?? {}]
}
