/** Empties namespaces that were deleted, then lets them go. */
import { namespaceEnd } from '../core/garbage.ts'
import { keyOf, nameOf, namespaceOf } from '../core/meta.ts'
import type { Store } from '../ports.ts'
import { resourceKey } from '../resources/object.ts'
import type { KubeObject } from '../resources/object.ts'
import { RESOURCE_DEFINITIONS } from '../resources/registry.ts'
import type { Cluster } from './cluster.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

/** Writers that had not yet seen the deletion may add one more object. */
const RECHECK_MS = 100

export function startNamespaceController(deps: ControllerDeps & { readonly store: Store }): Controller {
  const { cluster, store } = deps
  const controller = runController(deps, 'namespace', async (key) => {
    const namespace = cluster.namespaces.get(key)
    if (namespace?.metadata.deletionTimestamp === undefined) return null
    const contents = await contentsOf(store, nameOf(namespace))
    const end = namespaceEnd(
      namespace,
      contents.map(({ object }) => object),
    )
    if (end.kind === 'empty-it') {
      for (const { resource, object } of contents) if (end.objects.includes(object)) await removeOne(cluster, store, resource, object)
      return RECHECK_MS
    }
    if (end.kind === 'close') await cluster.erase(cluster.namespaces, namespace)
    return null
  })
  cluster.namespaces.onChange((next) => {
    if (next !== null) controller.queue.add(keyOf(next))
  })
  // pods and owners with finalizers leave later: look again when one of them is gone
  const left = (next: KubeObject | null, previous: KubeObject | null): void => {
    if (next === null && previous !== null) controller.queue.add(`/${namespaceOf(previous)}`)
  }
  cluster.pods.onChange(left)
  cluster.deployments.onChange(left)
  cluster.replicaSets.onChange(left)
  cluster.daemonSets.onChange(left)
  cluster.cronJobs.onChange(left)
  cluster.jobs.onChange(left)
  cluster.claims.onChange(left)
  cluster.statefulSets.onChange(left)
  return controller
}

interface Content {
  readonly resource: string
  readonly object: KubeObject
}

async function contentsOf(store: Store, namespace: string): Promise<readonly Content[]> {
  const out: Content[] = []
  for (const definition of RESOURCE_DEFINITIONS) {
    if (!definition.namespaced) continue
    const listed = await store.list(resourceKey(definition), { namespace })
    if (!listed.ok) throw new Error(`listing ${definition.plural} of the namespace ${namespace} has to start over`)
    for (const stored of listed.items) out.push({ resource: resourceKey(definition), object: JSON.parse(stored.json) as KubeObject })
  }
  return out
}

async function removeOne(cluster: Cluster, store: Store, resource: string, object: KubeObject): Promise<void> {
  if (resource === cluster.pods.resource) {
    const pod = cluster.pods.get(keyOf(object))
    if (pod !== undefined) await cluster.remove(cluster.pods, pod)
    return
  }
  if ((object.metadata.finalizers ?? []).length === 0) {
    await store.delete(resource, namespaceOf(object), nameOf(object), null)
    return
  }
  // whoever set a finalizer is told by deletionTimestamp and takes it away
  const metadata = { ...object.metadata, deletionTimestamp: cluster.nowIso(), deletionGracePeriodSeconds: 0 }
  await store.update(resource, { ...object, metadata }, Number(object.metadata.resourceVersion))
}
