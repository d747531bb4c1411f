/**
 * Services: gives them their address and node ports, and keeps their Endpoints and EndpointSlices. INVARIANTS: one worker, so
 * that no address is given twice; Endpoints of a Service without a selector are somebody's own and never touched.
 */
import { canonicalJson } from '../../protocol/revision.ts'
import { keyOf, namespaceOf, splitKey } from '../core/meta.ts'
import { movedPorts, takenBy, withAddresses } from '../core/service-address.ts'
import { endpointsObject, endpointsOf, endpointSlices, MANAGED_LABEL, MANAGER, serviceSelects } from '../core/service-endpoints.ts'
import type { KubeObject } from '../resources/object.ts'
import { SERVICE_NAME_LABEL, SLICE_MANAGER_LABEL } from '../resources/endpoint-slice.ts'
import type { EndpointSlice } from '../resources/endpoint-slice.ts'
import type { Pod } from '../resources/pod.ts'
import type { Service } from '../resources/service.ts'
import type { Kind } from './cluster-kinds.ts'
import type { Cluster } from './cluster.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

/** Pods of a rollout become ready one after another: their news are taken together, for longer the more there is to write. */
const QUIET_MS = 100
const QUIET_MAX_MS = 5_000

export function startServiceController(deps: ControllerDeps): Controller {
  const { cluster } = deps
  const controller = runController(deps, 'service', (key) => work(deps, key), 1)
  cluster.services.onChange((next, previous) => {
    const service = next ?? previous
    if (service !== null) controller.queue.add(keyOf(service))
  })
  cluster.endpoints.onChange((next, previous) => {
    const changed = next ?? previous
    if (changed !== null && isManaged(changed)) controller.queue.add(keyOf(changed))
  })
  cluster.endpointSlices.onChange((next, previous) => {
    const changed = next ?? previous
    if (changed !== null && isOwnSlice(changed))
      controller.queue.add(`${namespaceOf(changed)}/${changed.metadata.labels?.[SERVICE_NAME_LABEL] ?? ''}`)
  })
  cluster.pods.onChange((next, previous) => {
    const pod = next ?? previous
    if (pod === null) return
    for (const service of cluster.services.by('namespace', namespaceOf(pod)))
      if (concerns(service, next) || concerns(service, previous)) controller.queue.addAfter(keyOf(service), quietMs(cluster, keyOf(service)))
  })
  return controller
}

function quietMs(cluster: Cluster, key: string): number {
  return Math.min(QUIET_MAX_MS, QUIET_MS * Math.max(1, cluster.endpointSlices.by('service', key).length))
}

function concerns(service: Service, pod: Pod | null): boolean {
  return pod !== null && serviceSelects(service, pod.metadata.labels)
}

async function work({ cluster, events }: ControllerDeps, key: string): Promise<null> {
  const before = cluster.services.get(key)
  const service = await cluster.change(cluster.services, key, (current) => withAddresses(current, takenBy(cluster.services.values(), current)))
  if (before !== undefined && service !== null)
    for (const { asked, got } of movedPorts(before, service)) {
      const message = `Node port ${asked} belongs to an older Service; ${got} was given instead`
      events.record({ about: service, type: 'Warning', reason: 'NodePortTaken', message, component: 'service-controller' })
    }
  const { namespace } = splitKey(key)
  const slices = cluster.endpointSlices.by('service', key).filter(isOwnSlice)
  const endpoints = cluster.endpoints.get(key)
  if (service === null || Object.keys(service.spec.selector ?? {}).length === 0) {
    if (endpoints !== undefined && isManaged(endpoints)) await cluster.erase(cluster.endpoints, endpoints)
    for (const slice of slices) await cluster.erase(cluster.endpointSlices, slice)
    return null
  }
  if (cluster.isClosing(namespace)) return null
  const found = endpointsOf(service, cluster.pods.by('namespace', namespace))
  // somebody's own of the same name, from before the Service had a selector, are taken over as in Kubernetes
  await keep(cluster, cluster.endpoints, endpointsObject(service, found))
  const wanted = endpointSlices(service, found)
  for (const slice of wanted) await keep(cluster, cluster.endpointSlices, slice)
  const names = new Set(wanted.map((slice) => slice.metadata.name))
  for (const slice of slices) if (!names.has(slice.metadata.name)) await cluster.erase(cluster.endpointSlices, slice)
  return null
}

async function keep<O extends KubeObject>(cluster: Cluster, kind: Kind<O>, wanted: O): Promise<void> {
  if (kind.get(keyOf(wanted)) === undefined && (await cluster.create(kind, wanted)) !== null) return
  await cluster.change(kind, keyOf(wanted), (current) => {
    const { labels, annotations, ownerReferences } = wanted.metadata
    const metadata = { ...current.metadata, labels, annotations, ownerReferences }
    const next = { ...wanted, metadata: JSON.parse(JSON.stringify(metadata)) as O['metadata'] }
    return canonicalJson(next) === canonicalJson(current) ? null : next
  })
}

function isManaged(endpoints: KubeObject): boolean {
  return endpoints.metadata.labels?.[MANAGED_LABEL] === MANAGER
}

function isOwnSlice(slice: EndpointSlice): boolean {
  return slice.metadata.labels?.[SLICE_MANAGER_LABEL] === MANAGER
}
