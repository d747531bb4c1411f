/** The store as controllers use it: informers to read, and writes that compare-and-set and are visible at once. */
import { sameJson } from '../../protocol/revision.ts'
import { SECRETS } from '../resources/secret.ts'
import type { Secret } from '../resources/secret.ts'
import { configKeysOf } from '../core/configs-beside.ts'
import type { DeviceRecord } from '../core/desired.ts'
import { isDeleting, nameOf, namespaceOf } from '../core/meta.ts'
import type { Clock, Log, Random, Store, Written } from '../ports.ts'
import { CONFIG_MAPS } from '../resources/config-map.ts'
import type { ConfigMap } from '../resources/config-map.ts'
import { CRON_JOBS } from '../resources/cron-job.ts'
import type { CronJob } from '../resources/cron-job.ts'
import { DAEMON_SETS } from '../resources/daemon-set.ts'
import type { DaemonSet } from '../resources/daemon-set.ts'
import { DEPLOYMENTS } from '../resources/deployment.ts'
import type { Deployment } from '../resources/deployment.ts'
import { ENDPOINT_SLICES, SERVICE_NAME_LABEL } from '../resources/endpoint-slice.ts'
import type { EndpointSlice } from '../resources/endpoint-slice.ts'
import { ENDPOINTS } from '../resources/endpoints.ts'
import type { Endpoints } from '../resources/endpoints.ts'
import { EVENTS } from '../resources/event.ts'
import type { Event } from '../resources/event.ts'
import { JOBS } from '../resources/job.ts'
import type { Job } from '../resources/job.ts'
import { NAMESPACES } from '../resources/namespace.ts'
import type { Namespace } from '../resources/namespace.ts'
import { NODE_RESOURCE_TOPOLOGIES } from '../resources/node-resource-topology.ts'
import type { NodeResourceTopology } from '../resources/node-resource-topology.ts'
import { NODES } from '../resources/node.ts'
import type { Node } from '../resources/node.ts'
import type { KubeObject, ResourceDefinition } from '../resources/object.ts'
import { resourceKey } from '../resources/object.ts'
import { PODS } from '../resources/pod.ts'
import type { Pod } from '../resources/pod.ts'
import { PRIORITY_CLASSES, withPriority } from '../resources/priority-class.ts'
import type { PriorityClass } from '../resources/priority-class.ts'
import { REPLICA_SETS } from '../resources/replica-set.ts'
import type { ReplicaSet } from '../resources/replica-set.ts'
import { ROLLOUT_MEMBERS, ROLLOUT_RELEASES } from '../resources/rollout-members.ts'
import type { RolloutMembers, RolloutRelease } from '../resources/rollout-members.ts'
import { ROLLOUTS } from '../resources/rollout.ts'
import type { Rollout } from '../resources/rollout.ts'
import { SERVICES } from '../resources/service.ts'
import type { Service } from '../resources/service.ts'
import { createInformer } from './informer.ts'
import type { Informer } from './informer.ts'

/** Not served by the API: what was last published for a device, by device name. */
export interface DeviceState extends KubeObject {
  readonly spec: DeviceRecord
}
export const DEVICE_STATES = 'devicestates.skerry.dev'

export interface Kind<O extends KubeObject> extends Informer<O> {
  defaults(object: O): O
}

export interface ClusterDeps {
  readonly store: Store
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

const CONFLICT_TRIES = 8

export class Cluster {
  readonly pods: Kind<Pod>
  readonly nodes: Kind<Node>
  readonly topologies: Kind<NodeResourceTopology>
  readonly deployments: Kind<Deployment>
  readonly replicaSets: Kind<ReplicaSet>
  readonly daemonSets: Kind<DaemonSet>
  readonly cronJobs: Kind<CronJob>
  readonly jobs: Kind<Job>
  readonly namespaces: Kind<Namespace>
  readonly secrets: Kind<Secret>
  readonly configMaps: Kind<ConfigMap>
  readonly events: Kind<Event>
  readonly priorityClasses: Kind<PriorityClass>
  readonly services: Kind<Service>
  readonly endpoints: Kind<Endpoints>
  readonly endpointSlices: Kind<EndpointSlice>
  readonly deviceStates: Kind<DeviceState>
  readonly rollouts: Kind<Rollout>
  readonly rolloutMembers: Kind<RolloutMembers>
  readonly rolloutReleases: Kind<RolloutRelease>
  readonly #deps: ClusterDeps

  constructor(deps: ClusterDeps) {
    this.#deps = deps
    const kind = <O extends KubeObject>(
      definition: ResourceDefinition<O>,
      indexes: Readonly<Record<string, (object: O) => readonly string[]>> = {},
    ): Kind<O> =>
      Object.assign(createInformer<O>({ ...deps, resource: resourceKey(definition), indexes }), {
        defaults: (object: O) => definition.defaults(object),
      })
    this.pods = kind(PODS, {
      owner: ownerUids,
      namespace: namespaces,
      config: configKeysOf,
      node: (pod) => (pod.spec.nodeName === undefined ? [] : [pod.spec.nodeName]),
    })
    this.nodes = kind(NODES)
    this.topologies = kind(NODE_RESOURCE_TOPOLOGIES)
    this.deployments = kind(DEPLOYMENTS, { owner: ownerUids })
    this.replicaSets = kind(REPLICA_SETS, { owner: ownerUids })
    this.daemonSets = kind(DAEMON_SETS, { owner: ownerUids })
    this.cronJobs = kind(CRON_JOBS, { owner: ownerUids })
    this.jobs = kind(JOBS, { owner: ownerUids })
    this.namespaces = kind(NAMESPACES)
    this.secrets = kind(SECRETS)
    this.configMaps = kind(CONFIG_MAPS)
    this.events = kind(EVENTS)
    this.priorityClasses = kind(PRIORITY_CLASSES)
    this.services = kind(SERVICES, { namespace: namespaces })
    this.endpoints = kind(ENDPOINTS)
    this.endpointSlices = kind(ENDPOINT_SLICES, { service: serviceKeys })
    this.deviceStates = Object.assign(createInformer<DeviceState>({ ...deps, resource: DEVICE_STATES }), { defaults: (state: DeviceState) => state })
    this.rollouts = kind(ROLLOUTS)
    const ofRollout = { rollout: (object: RolloutMembers | RolloutRelease): readonly string[] => [object.spec.rolloutUid] }
    this.rolloutMembers = Object.assign(createInformer<RolloutMembers>({ ...deps, resource: ROLLOUT_MEMBERS, indexes: ofRollout }), {
      defaults: (chunk: RolloutMembers) => chunk,
    })
    this.rolloutReleases = Object.assign(createInformer<RolloutRelease>({ ...deps, resource: ROLLOUT_RELEASES, indexes: ofRollout }), {
      defaults: (release: RolloutRelease) => release,
    })
  }

  async start(): Promise<void> {
    await Promise.all(this.#kinds().map((kind) => kind.start()))
  }

  stop(): void {
    for (const kind of this.#kinds()) kind.stop()
  }

  /** A namespace that is being deleted: nothing new is made in it. */
  isClosing(namespace: string): boolean {
    const found = this.namespaces.get(`/${namespace}`)
    return found !== undefined && isDeleting(found)
  }

  nowIso(): string {
    return isoSeconds(this.#deps.clock.nowMs())
  }

  /** Stores a new object with uid, times and defaults; null when the name is taken. */
  async create<O extends KubeObject>(kind: Kind<O>, object: O): Promise<O | null> {
    const metadata = { ...object.metadata, uid: this.#deps.random.uuid(), creationTimestamp: this.nowIso(), generation: 1 }
    const written = await this.#deps.store.create(kind.resource, kind.defaults(this.#prioritized({ ...object, metadata })))
    if (!written.ok) {
      if (written.current !== null) kind.absorb(written.current)
      return null
    }
    kind.absorb(written.object)
    return kind.get(`${namespaceOf(object)}/${nameOf(object)}`) ?? null
  }

  /**
   * Changes an object by compare-and-set on what was read; on a conflict `edit` sees the newer state. `edit` answers null
   * for "leave it", and an equal object is not written. Resolves to the object as it is now, null when it is gone.
   */
  async change<O extends KubeObject>(kind: Kind<O>, key: string, edit: (current: O) => O | null): Promise<O | null> {
    for (let tries = 0; tries < CONFLICT_TRIES; tries += 1) {
      const current = kind.get(key)
      if (current === undefined) return null
      const next = edit(current)
      if (next === null || sameJson(next, current)) return current
      const written = await this.#deps.store.update(kind.resource, withGeneration(current, next), Number(current.metadata.resourceVersion))
      if (written.ok) {
        kind.absorb(written.object)
        return kind.get(key) ?? null
      }
      if (written.why === 'not-found') return null
      if (written.current !== null) kind.absorb(written.current)
    }
    throw new Error(`${kind.resource} ${key} changed ${CONFLICT_TRIES} times while it was being written`)
  }

  /**
   * Stores `next` in place of exactly `current`, whose spec it changes; null when somebody wrote meanwhile. For writers that
   * know what they change: nothing is compared.
   */
  async replaceSpec<O extends KubeObject>(kind: Kind<O>, current: O, next: O): Promise<O | null> {
    const metadata = { ...next.metadata, generation: (current.metadata.generation ?? 0) + 1 }
    const written = await this.#deps.store.update(kind.resource, { ...next, metadata }, Number(current.metadata.resourceVersion))
    if (!written.ok) {
      if (written.current !== null) kind.absorb(written.current)
      return null
    }
    kind.absorb(written.object)
    return kind.get(`${namespaceOf(next)}/${nameOf(next)}`) ?? null
  }

  /** Takes an object out of the store at once. */
  async erase<O extends KubeObject>(kind: Kind<O>, object: O): Promise<void> {
    const written: Written = await this.#deps.store.delete(kind.resource, namespaceOf(object), nameOf(object), null)
    if (written.ok) kind.absorbDeletion(written.object)
  }

  /** Asks for an object's end: at once, or by its finalizers, or (a bound pod) after its device confirmed. */
  async remove<O extends KubeObject>(kind: Kind<O>, object: O): Promise<void> {
    const pod = kind.resource === this.pods.resource ? this.pods.get(`${namespaceOf(object)}/${nameOf(object)}`) : undefined
    const bound = pod?.spec.nodeName !== undefined
    if (!bound && (object.metadata.finalizers ?? []).length === 0) return this.erase(kind, object)
    const grace = pod?.spec.terminationGracePeriodSeconds ?? 0
    const at = isoSeconds(this.#deps.clock.nowMs() + grace * 1000)
    await this.change(kind, `${namespaceOf(object)}/${nameOf(object)}`, (current) => {
      if (isDeleting(current) || current.metadata.uid !== object.metadata.uid) return null
      // a grace period of zero means "by force" for a pod, so an ordinary end has at least one second
      const metadata = { ...current.metadata, deletionTimestamp: at, deletionGracePeriodSeconds: bound ? Math.max(1, grace) : 0 }
      return { ...current, metadata }
    })
  }

  /** A pod gets the priority of its class here, as from the API; an unknown class is left for the scheduler to name. */
  #prioritized<O extends KubeObject>(object: O): O {
    if (object.kind !== 'Pod') return object
    const result = withPriority(object['spec'] as Pod['spec'], this.priorityClasses.values())
    return result.ok ? { ...object, spec: result.spec } : object
  }

  #kinds(): readonly Pick<Kind<KubeObject>, 'start' | 'stop'>[] {
    return [
      this.pods,
      this.nodes,
      this.topologies,
      this.deployments,
      this.replicaSets,
      this.daemonSets,
      this.cronJobs,
      this.jobs,
      this.secrets,
      this.configMaps,
      this.namespaces,
      this.events,
      this.priorityClasses,
      this.services,
      this.endpoints,
      this.endpointSlices,
      this.deviceStates,
      this.rollouts,
      this.rolloutMembers,
      this.rolloutReleases,
    ]
  }
}

function ownerUids(object: KubeObject): readonly string[] {
  return (object.metadata.ownerReferences ?? []).map((reference) => reference.uid)
}

function namespaces(object: KubeObject): readonly string[] {
  return [namespaceOf(object)]
}

/** Keys of the Service that a slice is a part of. */
function serviceKeys(slice: EndpointSlice): readonly string[] {
  return [`${namespaceOf(slice)}/${slice.metadata.labels?.[SERVICE_NAME_LABEL] ?? ''}`]
}

function withGeneration<O extends KubeObject>(current: O, next: O): O {
  if (sameJson(current['spec'], next['spec'])) return next
  return { ...next, metadata: { ...next.metadata, generation: (current.metadata.generation ?? 0) + 1 } }
}

/** RFC 3339 in whole seconds, as Kubernetes writes times. */
export function isoSeconds(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
