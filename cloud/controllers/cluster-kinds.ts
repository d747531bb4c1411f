/** The kinds that controllers read, each as an informer: all objects of a kind, parsed, indexed and current. */
import { SECRETS } from '../resources/secret.ts'
import type { Secret } from '../resources/secret.ts'
import { configKeysOf } from '../core/configs-beside.ts'
import type { DeviceRecord } from '../core/desired.ts'
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
import { RUN_DEVICE_ANNOTATION } from '../resources/device-schedule.ts'
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
import { CLAIMS } from '../resources/persistent-volume-claim.ts'
import type { PersistentVolumeClaim } from '../resources/persistent-volume-claim.ts'
import { PERSISTENT_VOLUMES } from '../resources/persistent-volume.ts'
import type { PersistentVolume } from '../resources/persistent-volume.ts'
import { PODS } from '../resources/pod.ts'
import type { Pod } from '../resources/pod.ts'
import { PRIORITY_CLASSES } from '../resources/priority-class.ts'
import type { PriorityClass } from '../resources/priority-class.ts'
import { REPLICA_SETS } from '../resources/replica-set.ts'
import type { ReplicaSet } from '../resources/replica-set.ts'
import { ROLLOUT_MEMBERS, ROLLOUT_RELEASES } from '../resources/rollout-members.ts'
import type { RolloutMembers, RolloutRelease } from '../resources/rollout-members.ts'
import { ROLLOUTS } from '../resources/rollout.ts'
import type { Rollout } from '../resources/rollout.ts'
import { SERVICES } from '../resources/service.ts'
import type { Service } from '../resources/service.ts'
import { STATEFUL_SETS } from '../resources/stateful-set.ts'
import type { StatefulSet } from '../resources/stateful-set.ts'
import { createInformer } from './informer.ts'
import type { Informer, InformerOptions } from './informer.ts'
import { namespaceOf } from '../core/meta.ts'
import { claimKeysOf } from '../core/volume-claims.ts'
import { siteOf } from '../core/services-beside.ts'
import type { Clock, Log, Store } from '../ports.ts'

/** Not served by the API: what was last published for a device, by device name. */
export interface DeviceState extends KubeObject {
  readonly spec: DeviceRecord
}
export const DEVICE_STATES = 'devicestates.skerry.dev'

export interface Kind<O extends KubeObject> extends Informer<O> {
  defaults(object: O): O
}

export interface KindsDeps {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
}

export class ClusterKinds {
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
  readonly statefulSets: Kind<StatefulSet>
  readonly services: Kind<Service>
  readonly claims: Kind<PersistentVolumeClaim>
  readonly volumes: Kind<PersistentVolume>
  readonly endpoints: Kind<Endpoints>
  readonly endpointSlices: Kind<EndpointSlice>
  readonly deviceStates: Kind<DeviceState>
  readonly rollouts: Kind<Rollout>
  readonly rolloutMembers: Kind<RolloutMembers>
  readonly rolloutReleases: Kind<RolloutRelease>
  readonly #all: Pick<Kind<KubeObject>, 'start' | 'stop' | 'resource' | 'size'>[] = []

  constructor(deps: KindsDeps) {
    const open = <O extends KubeObject>(options: Pick<InformerOptions<O>, 'resource' | 'indexes'>, defaults: (object: O) => O): Kind<O> => {
      const made = Object.assign(createInformer<O>({ store: deps.store, clock: deps.clock, log: deps.log, ...options }), { defaults })
      this.#all.push(made)
      return made
    }
    const asIs = <O extends KubeObject>(object: O): O => object
    const kind = <O extends KubeObject>(
      definition: ResourceDefinition<O>,
      indexes: Readonly<Record<string, (object: O) => readonly string[]>> = {},
    ): Kind<O> => open({ resource: resourceKey(definition), indexes }, (object) => definition.defaults(object))
    this.pods = kind(PODS, {
      owner: ownerUids,
      namespace: namespaces,
      config: configKeysOf,
      claim: claimKeysOf,
      node: (pod) => (pod.spec.nodeName === undefined ? [] : [pod.spec.nodeName]),
    })
    this.nodes = kind(NODES, { site: (node) => [siteOf(node)].filter((site) => site !== undefined) })
    this.topologies = kind(NODE_RESOURCE_TOPOLOGIES)
    this.deployments = kind(DEPLOYMENTS, { owner: ownerUids })
    this.replicaSets = kind(REPLICA_SETS, { owner: ownerUids })
    this.daemonSets = kind(DAEMON_SETS, { owner: ownerUids })
    this.cronJobs = kind(CRON_JOBS, { owner: ownerUids })
    this.jobs = kind(JOBS, { owner: ownerUids, device: runDevice })
    this.namespaces = kind(NAMESPACES)
    this.secrets = kind(SECRETS)
    this.configMaps = kind(CONFIG_MAPS)
    this.events = kind(EVENTS)
    this.priorityClasses = kind(PRIORITY_CLASSES)
    this.claims = kind(CLAIMS)
    this.volumes = kind(PERSISTENT_VOLUMES)
    this.statefulSets = kind(STATEFUL_SETS, { owner: ownerUids })
    this.services = kind(SERVICES, { namespace: namespaces })
    this.endpoints = kind(ENDPOINTS)
    this.endpointSlices = kind(ENDPOINT_SLICES, { service: serviceKeys })
    this.deviceStates = open<DeviceState>({ resource: DEVICE_STATES }, asIs)
    this.rollouts = kind(ROLLOUTS)
    const ofRollout = { rollout: (object: RolloutMembers | RolloutRelease): readonly string[] => [object.spec.rolloutUid] }
    this.rolloutMembers = open<RolloutMembers>({ resource: ROLLOUT_MEMBERS, indexes: ofRollout }, asIs)
    this.rolloutReleases = open<RolloutRelease>({ resource: ROLLOUT_RELEASES, indexes: ofRollout }, asIs)
  }

  async start(): Promise<void> {
    await Promise.all(this.#all.map((kind) => kind.start()))
  }

  stop(): void {
    for (const kind of this.#all) kind.stop()
  }

  /** how many objects of each kind there are */
  sizes(): readonly { readonly resource: string; readonly size: number }[] {
    return this.#all.map(({ resource, size }) => ({ resource, size: size() }))
  }
}

function runDevice(object: KubeObject): readonly string[] {
  const device = object.metadata.annotations?.[RUN_DEVICE_ANNOTATION]
  return device === undefined ? [] : [device]
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
