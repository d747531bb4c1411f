/**
 * The console's own picture of the store: decoded objects with the indexes that rows need, and a table of rows for each kind.
 * Changes mark rows; `take` makes the marked rows anew and puts those that differ into their tables.
 *
 * INVARIANTS
 * - A row is made from objects only, so a row that is marked too often costs time and never shows anything else.
 * - `take` is the only place where rows change.
 */
import { controllerOf, keyOf } from '../core/meta.ts'
import type { Change, StoredObject } from '../ports.ts'
import type { Event } from '../resources/event.ts'
import type { Mute } from '../resources/mute.ts'
import type { Node } from '../resources/node.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type { Rollout } from '../resources/rollout.ts'
import { NO_FACTS, deviceRow } from './device-row.ts'
import type { DeviceFacts } from './device-row.ts'
import { eventRow } from './event-row.ts'
import { KeyIndex } from './key-index.ts'
import type { MuteView } from './live-protocol.ts'
import { MUTES, mutesByProblem } from './mute-view.ts'
import { placeOf, podRow, workloadKeyOf } from './pod-row.ts'
import { rolloutRow } from './rollout-row.ts'
import type { PodRow, TableName } from './view-model.ts'
import type { FleetTables } from './fleet-tables.ts'
import { EMPTY_TALLY, tallied, workloadRow } from './workload-row.ts'
import type { PodTally, Workload } from './workload-row.ts'

const ROLLOUTS = 'rollouts.skerry.dev'

/** Kinds that are shown or needed to show others, by store key. */
export const MIRRORED = [
  'nodes',
  'pods',
  'deployments.apps',
  'daemonsets.apps',
  'statefulsets.apps',
  'replicasets.apps',
  'jobs.batch',
  'cronjobs.batch',
  ROLLOUTS,
  MUTES,
  'events',
] as const

const WORKLOADS: Readonly<Record<string, string>> = {
  Deployment: 'deployments.apps',
  DaemonSet: 'daemonsets.apps',
  StatefulSet: 'statefulsets.apps',
  Job: 'jobs.batch',
  CronJob: 'cronjobs.batch',
  Pod: 'pods',
}
/** Kinds between a pod and its workload. */
const MIDDLE: Readonly<Record<string, string>> = { ReplicaSet: 'replicasets.apps', Job: 'jobs.batch' }

/** Tables whose rows are made from stored objects. */
type Mirrored = Exclude<TableName, 'audit'>

export class Mirror {
  readonly tables: FleetTables
  readonly #objects = new Map<string, Map<string, KubeObject>>(MIRRORED.map((resource) => [resource, new Map()]))
  readonly #podsOfDevice = new KeyIndex()
  readonly #podsOfWorkload = new KeyIndex()
  /** by `<Kind>/<namespace>/<name>` of the owner, which may arrive later */
  readonly #podsOfOwner = new KeyIndex()
  readonly #links = new Map<string, { readonly workload: string; readonly device: string | null; readonly owner: string }>()
  readonly #tallies = new Map<string, PodTally>()
  readonly #marked: { readonly [T in Mirrored]: Set<string> } = {
    devices: new Set(),
    pods: new Set(),
    workloads: new Set(),
    events: new Set(),
    rollouts: new Set(),
  }
  readonly #facts: (device: string) => DeviceFacts

  constructor(tables: FleetTables, facts: (device: string) => DeviceFacts = () => NO_FACTS) {
    this.tables = tables
    this.#facts = facts
  }

  apply(change: Change): void {
    this.put(change.object, change.type === 'DELETED')
  }

  put(stored: StoredObject, gone = false): void {
    const kind = this.#objects.get(stored.resource)
    if (kind === undefined) return
    const key = stored.resource === 'nodes' || stored.resource === MUTES ? stored.name : `${stored.namespace}/${stored.name}`
    const before = kind.get(key)
    if (before !== undefined && Number(before.metadata.resourceVersion) > stored.revision) return
    const after = gone ? undefined : (JSON.parse(stored.json) as KubeObject)
    if (stored.resource === 'pods') this.#unlink(key)
    if (after === undefined) kind.delete(key)
    else kind.set(key, after)
    if (stored.resource === 'pods') this.#link(key, after as Pod | undefined)
    this.#mark(stored.resource, key, after ?? before)
  }

  /** Something about the device that is not in the store has changed. */
  touchDevice(device: string): void {
    this.#mark('nodes', device, undefined)
  }

  pod(key: string): Pod | undefined {
    return this.#objects.get('pods')?.get(key) as Pod | undefined
  }

  rollout(key: string): Rollout | undefined {
    return this.#objects.get(ROLLOUTS)?.get(key) as Rollout | undefined
  }

  /** By problem; of several the one that lasts longest. Those that are over are left out. */
  mutes(nowMs: number): ReadonlyMap<string, MuteView> {
    return mutesByProblem((this.#objects.get(MUTES)?.values() ?? []) as Iterable<Mute>, nowMs)
  }

  podsOn(device: string): readonly Pod[] {
    return this.#podsOfDevice.get(device).flatMap((key) => this.pod(key) ?? [])
  }

  podRowsOf(workload: string): readonly PodRow[] {
    return this.#podsOfWorkload.get(workload).flatMap((key) => this.tables.pods.get(key) ?? [])
  }

  /** Makes marked rows anew; false when none differs. Pods go first: devices and workloads are told from them. */
  take(): boolean {
    let differs = false
    for (const key of this.#drain('pods')) differs = this.#takePod(key) || differs
    for (const key of this.#drain('devices')) {
      const node = this.#objects.get('nodes')?.get(key) as Node | undefined
      const row = node === undefined ? null : deviceRow(node, this.#podsOfNode(key), this.#facts(key))
      differs = this.tables.devices.keep(key, row) || differs
    }
    for (const key of this.#drain('workloads')) {
      const workload = this.#workload(key)
      differs =
        this.tables.workloads.keep(key, workload === undefined ? null : workloadRow(workload, this.#tallies.get(key) ?? EMPTY_TALLY)) || differs
    }
    for (const key of this.#drain('events')) {
      const event = this.#objects.get('events')?.get(key) as Event | undefined
      differs = this.tables.events.keep(key, event === undefined ? null : eventRow(event)) || differs
    }
    for (const key of this.#drain('rollouts')) {
      const rollout = this.#objects.get(ROLLOUTS)?.get(key) as Rollout | undefined
      differs = this.tables.rollouts.keep(key, rollout === undefined ? null : rolloutRow(rollout)) || differs
    }
    return differs
  }

  #drain(table: Mirrored): readonly string[] {
    const keys = [...this.#marked[table]]
    this.#marked[table].clear()
    return keys
  }

  #takePod(key: string): boolean {
    const pod = this.pod(key)
    const before = this.tables.pods.get(key)
    const row = pod === undefined ? null : this.#podRow(pod)
    if (!this.tables.pods.keep(key, row)) return false
    for (const [one, by] of [
      [before, -1],
      [row, 1],
    ] as const) {
      if (one === null || one === undefined) continue
      const tally = tallied(this.#tallies.get(one.workload) ?? EMPTY_TALLY, one, by)
      if (tally.all === 0) this.#tallies.delete(one.workload)
      else this.#tallies.set(one.workload, tally)
      this.#marked.workloads.add(one.workload)
    }
    return true
  }

  #podRow(pod: Pod): PodRow {
    const device = pod.spec.nodeName
    const report = device === undefined ? undefined : this.#facts(device).report?.pods.find((one) => one.uid === pod.metadata.uid)
    const node = device === undefined ? undefined : (this.#objects.get('nodes')?.get(device) as Node | undefined)
    const deviceSilent = node?.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'Unknown') === true
    return podRow(pod, { workload: this.#workloadKey(pod), report: report ?? null, deviceSilent })
  }

  #podsOfNode(device: string): { readonly bound: readonly Pod[]; readonly rows: readonly PodRow[] } {
    const pods = this.podsOn(device)
    return { bound: pods.filter((pod) => pod.spec.nodeName === device), rows: pods.flatMap((pod) => this.tables.pods.get(keyOf(pod)) ?? []) }
  }

  #workload(key: string): Workload | undefined {
    const [kind = '', ...rest] = key.split('/')
    return this.#objects.get(WORKLOADS[kind] ?? '')?.get(rest.join('/')) as Workload | undefined
  }

  #workloadKey(pod: Pod): string {
    return workloadKeyOf(pod, (kind, namespace, name) => this.#objects.get(MIDDLE[kind] ?? '')?.get(`${namespace}/${name}`))
  }

  #mark(resource: string, key: string, object: KubeObject | undefined): void {
    // no rows: they are read when problems are told
    if (resource === MUTES) return
    if (resource === 'events') this.#marked.events.add(key)
    else if (resource === ROLLOUTS) this.#marked.rollouts.add(key)
    else if (resource === 'nodes') {
      this.#marked.devices.add(key)
      for (const pod of this.#podsOfDevice.get(key)) this.#markPod(pod)
    } else if (resource !== 'pods' && resource !== 'replicasets.apps' && object !== undefined) this.#marked.workloads.add(`${object.kind}/${key}`)
    if (object !== undefined && MIDDLE[object.kind] !== undefined) this.#relink(`${object.kind}/${key}`)
  }

  #markPod(key: string): void {
    this.#marked.pods.add(key)
    const link = this.#links.get(key)
    if (link === undefined) return
    this.#marked.workloads.add(link.workload)
    if (link.device !== null) this.#marked.devices.add(link.device)
  }

  /** What owns pods may arrive after them: they then belong to its own owner. */
  #relink(owner: string): void {
    for (const key of this.#podsOfOwner.get(owner)) {
      const pod = this.pod(key)
      if (pod === undefined || this.#links.get(key)?.workload === this.#workloadKey(pod)) continue
      this.#unlink(key)
      this.#link(key, pod)
    }
  }

  #link(key: string, pod: Pod | undefined): void {
    if (pod === undefined) return
    const above = controllerOf(pod)
    const owner = above === null ? '' : `${above.kind}/${pod.metadata.namespace ?? ''}/${above.name}`
    const link = { workload: this.#workloadKey(pod), device: placeOf(pod), owner }
    this.#links.set(key, link)
    this.#podsOfWorkload.add(link.workload, key)
    if (owner !== '') this.#podsOfOwner.add(owner, key)
    if (link.device !== null) this.#podsOfDevice.add(link.device, key)
    this.#markPod(key)
  }

  #unlink(key: string): void {
    const link = this.#links.get(key)
    if (link === undefined) return
    this.#markPod(key)
    this.#links.delete(key)
    this.#podsOfWorkload.remove(link.workload, key)
    this.#podsOfOwner.remove(link.owner, key)
    if (link.device !== null) this.#podsOfDevice.remove(link.device, key)
  }
}
