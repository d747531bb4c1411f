/** Removes what has lost its owner, finishes owners that wait for their dependents, and frees pods of removed devices. */
import { FOREGROUND_FINALIZER, garbageVerdict, ORPHAN_FINALIZER, ownerEnd } from '../core/garbage.ts'
import { isDeleting, keyOf, nameOf, namespaceOf, splitKey, uidOf } from '../core/meta.ts'
import type { Store } from '../ports.ts'
import type { KubeObject, OwnerReference } from '../resources/object.ts'
import type { Kind } from './cluster-kinds.ts'
import { runController } from './run-controller.ts'
import type { Controller, ControllerDeps } from './run-controller.ts'

export function startGarbageController(deps: ControllerDeps & { readonly store: Store }): Controller {
  const { cluster } = deps
  const kinds: Readonly<Record<string, Kind<KubeObject>>> = {
    Pod: asObjects(cluster.pods),
    ReplicaSet: asObjects(cluster.replicaSets),
    Deployment: asObjects(cluster.deployments),
    DaemonSet: asObjects(cluster.daemonSets),
    StatefulSet: asObjects(cluster.statefulSets),
    CronJob: asObjects(cluster.cronJobs),
    Job: asObjects(cluster.jobs),
  }
  const dependentsOf = (uid: string): readonly (readonly [Kind<KubeObject>, KubeObject])[] =>
    Object.values(kinds).flatMap((kind) => kind.by('owner', uid).map((object) => [kind, object] as const))
  const controller = runController(deps, 'garbage', async (key) => {
    const slash = key.indexOf(' ')
    const kind = kinds[key.slice(0, slash)]
    const object = kind?.get(key.slice(slash + 1))
    if (kind === undefined || object === undefined) return null
    await endOwner(deps, kind, object, dependentsOf(uidOf(object)))
    const living = await livingOwners(deps.store, kinds, object)
    const verdict = garbageVerdict(object, (owner) => living.has(owner.uid))
    if (verdict.kind === 'delete') await cluster.remove(kind, object)
    if (verdict.kind === 'prune')
      await cluster.change(kind, keyOf(object), (current) => ({
        ...current,
        metadata: { ...current.metadata, ownerReferences: verdict.ownerReferences },
      }))
    return null
  })
  for (const [name, kind] of Object.entries(kinds)) {
    kind.onChange((next, previous) => {
      if (next !== null && (previous === null || isDeleting(next) !== isDeleting(previous))) controller.queue.add(`${name} ${keyOf(next)}`)
      if (next !== null || previous === null) return
      for (const [, dependent] of dependentsOf(uidOf(previous))) controller.queue.add(`${dependent.kind} ${keyOf(dependent)}`)
      // an owner that ends in the foreground waits for this one
      for (const owner of previous.metadata.ownerReferences ?? []) controller.queue.add(`${owner.kind} ${namespaceOf(previous)}/${owner.name}`)
    })
  }
  // an operator removed the Node: nobody will ever confirm the end of its pods
  cluster.nodes.onChange((next, previous) => {
    if (next !== null || previous === null) return
    for (const pod of cluster.pods.by('node', nameOf(previous)))
      void cluster.remove(cluster.pods, pod).catch(() => deps.log.warn('a pod of a removed device could not be deleted', { pod: keyOf(pod) }))
  })
  return controller
}

/** Kinds with their own type are looked at here only as objects with metadata. */
function asObjects<O extends KubeObject>(kind: Kind<O>): Kind<KubeObject> {
  return kind
}

async function endOwner(
  { cluster }: ControllerDeps,
  kind: Kind<KubeObject>,
  owner: KubeObject,
  dependents: readonly (readonly [Kind<KubeObject>, KubeObject])[],
): Promise<void> {
  const end = ownerEnd(
    owner,
    dependents.map(([, object]) => object),
  )
  const kindOf = (object: KubeObject): Kind<KubeObject> => dependents.find(([, candidate]) => candidate === object)?.[0] ?? kind
  if (end.kind === 'delete-dependents') {
    for (const object of end.dependents) {
      // dependents of dependents go first as well
      await cluster.change(kindOf(object), keyOf(object), (current) => (current.kind === 'ReplicaSet' ? withFinalizer(current) : null))
      const now = kindOf(object).get(keyOf(object))
      if (now !== undefined) await cluster.remove(kindOf(object), now)
    }
  }
  if (end.kind === 'release-dependents') {
    for (const object of end.dependents) {
      await cluster.change(kindOf(object), keyOf(object), (current) => ({
        ...current,
        metadata: {
          ...current.metadata,
          ownerReferences: (current.metadata.ownerReferences ?? []).filter((reference) => reference.uid !== uidOf(owner)),
        },
      }))
    }
  }
  if (end.kind === 'none' || end.kind === 'delete-dependents') return
  const finalizer = end.kind === 'drop-finalizer' ? end.finalizer : ORPHAN_FINALIZER
  const left = (owner.metadata.finalizers ?? []).filter((name) => name !== finalizer)
  if (left.length === 0) await cluster.erase(kind, owner)
  else await cluster.change(kind, keyOf(owner), (current) => ({ ...current, metadata: { ...current.metadata, finalizers: left } }))
}

function withFinalizer(object: KubeObject): KubeObject {
  const finalizers = object.metadata.finalizers ?? []
  return finalizers.includes(FOREGROUND_FINALIZER)
    ? object
    : { ...object, metadata: { ...object.metadata, finalizers: [...finalizers, FOREGROUND_FINALIZER] } }
}

/** uids of owners that exist, or are of a kind this cloud does not know. The store is asked before anything is called dead. */
async function livingOwners(store: Store, kinds: Readonly<Record<string, Kind<KubeObject>>>, object: KubeObject): Promise<ReadonlySet<string>> {
  const living = new Set<string>()
  for (const owner of object.metadata.ownerReferences ?? []) if (await lives(store, kinds, namespaceOf(object), owner)) living.add(owner.uid)
  return living
}

async function lives(store: Store, kinds: Readonly<Record<string, Kind<KubeObject>>>, namespace: string, owner: OwnerReference): Promise<boolean> {
  const kind = Object.hasOwn(kinds, owner.kind) ? kinds[owner.kind] : undefined
  if (kind === undefined) return true
  const { name } = splitKey(`/${owner.name}`)
  if (kind.get(`${namespace}/${name}`)?.metadata.uid === owner.uid) return true
  return (await store.get(kind.resource, namespace, name))?.uid === owner.uid
}
