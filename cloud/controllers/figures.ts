/** What controllers know, as metrics: looked up when somebody scrapes. */
import type { Sample } from '../../protocol/exposition.ts'
import { devicesByState, documentsByState, documentState, instancesByWorkload } from '../core/fleet-figures.ts'
import type { DocumentState } from '../core/fleet-figures.ts'
import { controllerOf, nameOf, namespaceOf } from '../core/meta.ts'
import { rolloutFigures } from '../core/rollout-figures.ts'
import type { MetricName } from '../core/metric-table.ts'
import type { Cluster } from './cluster.ts'
import type { DeviceBook } from './device-book.ts'
import type { Controller } from './run-controller.ts'

export type Figures = { readonly [M in MetricName]?: readonly Sample[] }

export function fleetFigures(cluster: Cluster, book: DeviceBook, controllers: readonly Controller[]): Figures {
  const nodes = cluster.nodes.values()
  const documents: DocumentState[] = []
  let connected = 0
  let converged = 0
  for (const node of nodes) {
    const view = book.peek(nameOf(node))
    if (view?.present === true) connected += 1
    if (view?.report?.converged === true && view.silent === null) converged += 1
    documents.push(documentState(cluster.deviceStates.get(`/${nameOf(node)}`)?.spec ?? null, view?.held ?? null, (view?.behind ?? null) !== null))
  }
  const deploymentOf = (namespace: string, set: string): string | null => {
    const found = cluster.replicaSets.get(`${namespace}/${set}`)
    const owner = found === undefined ? null : controllerOf(found)
    return owner?.kind === 'Deployment' ? owner.name : null
  }
  return {
    skerry_devices: devicesByState(nodes),
    skerry_devices_connected: [{ labels: {}, value: connected }],
    skerry_devices_converged: [{ labels: {}, value: converged }],
    skerry_device_documents: documentsByState(documents),
    skerry_workload_instances: instancesByWorkload(cluster.pods.values(), deploymentOf),
    skerry_workload_instances_wanted: wanted(cluster),
    ...rolloutFigures(cluster.rollouts.values()),
    skerry_work_queue_keys: controllers.map(({ name, queue }) => ({ labels: { queue: name }, value: queue.waiting() })),
    skerry_store_objects: cluster.sizes().map(({ resource, size }) => ({ labels: { resource }, value: size })),
  }
}

function wanted({ deployments, daemonSets }: Cluster): readonly Sample[] {
  const sample = (kind: string, namespace: string, name: string, value: number): Sample => ({
    labels: { namespace, workload: `${kind}/${name}` },
    value,
  })
  return [
    ...deployments.values().map((one) => sample('Deployment', namespaceOf(one), nameOf(one), one.spec.replicas ?? 1)),
    ...daemonSets.values().map((one) => sample('DaemonSet', namespaceOf(one), nameOf(one), one.status?.desiredNumberScheduled ?? 0)),
  ]
}
