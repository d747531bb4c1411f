/**
 * The console's own picture of the store: decoded objects with the indexes that rows need. Changes mark rows; `take` makes
 * the marked rows anew and returns those that differ.
 *
 * INVARIANTS
 * - A row is made from objects only, so a row that is marked too often costs time and never shows anything else.
 * - `take` is the only place where rows change; a delta applied to the snapshot before it gives the snapshot after it.
 */
import type { Change, StoredObject } from '../ports.ts'
import { controllerOf, nameOf, namespaceOf } from '../core/meta.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Event } from '../resources/event.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'
import { NO_FACTS, deviceRow } from './device-row.ts'
import type { DeviceFacts } from './device-row.ts'
import { eventRow } from './event-row.ts'
import { podRow, workloadKeyOf } from './pod-row.ts'
import type { Delta, PodRow, Tables } from './view-model.ts'
import { workloadRow } from './workload-row.ts'
import type { Workload } from './workload-row.ts'

/** Kinds that are shown or needed to show others, by store key. */
export const MIRRORED = ['nodes', 'pods', 'deployments.apps', 'daemonsets.apps', 'replicasets.apps', 'events'] as const

type Table = keyof Tables
type Row<T extends Table> = Tables[T][number]

const TABLES: readonly Table[] = ['devices', 'pods', 'workloads', 'events']

export class Mirror {
  readonly #objects = new Map<string, Map<string, KubeObject>>(MIRRORED.map((resource) => [resource, new Map()]))
  readonly #podsOfDevice = new Map<string, Set<string>>()
  readonly #podsOfWorkload = new Map<string, Set<string>>()
  readonly #links = new Map<string, { readonly workload: string; readonly device: string | null }>()
  readonly #marked: { readonly [T in Table]: Set<string> } = { devices: new Set(), pods: new Set(), workloads: new Set(), events: new Set() }
  readonly #rows: { readonly [T in Table]: Map<string, { readonly row: Row<T>; readonly json: string }> } = {
    devices: new Map(),
    pods: new Map(),
    workloads: new Map(),
    events: new Map(),
  }
  readonly #facts: (device: string) => DeviceFacts

  constructor(facts: (device: string) => DeviceFacts = () => NO_FACTS) {
    this.#facts = facts
  }

  apply(change: Change): void {
    this.put(change.object, change.type === 'DELETED')
  }

  put(stored: StoredObject, gone = false): void {
    const kind = this.#objects.get(stored.resource)
    if (kind === undefined) return
    const key = stored.resource === 'nodes' ? stored.name : `${stored.namespace}/${stored.name}`
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

  tables(): Tables {
    const all = <T extends Table>(table: T): readonly Row<T>[] => [...this.#rows[table].values()].map((one) => one.row)
    return { devices: all('devices'), workloads: all('workloads'), pods: all('pods'), events: all('events') }
  }

  pod(key: string): Pod | undefined {
    return this.#objects.get('pods')?.get(key) as Pod | undefined
  }

  /** Makes marked rows anew; null when none differs. Pods go before workloads, which count them. */
  take(revision: number): Delta | null {
    const changed: { -readonly [T in Table]?: Row<T>[] } = {}
    const gone: { -readonly [T in Table]?: string[] } = {}
    for (const table of TABLES) {
      for (const key of this.#marked[table]) this.#remake(table, key, changed, gone)
      this.#marked[table].clear()
    }
    return Object.keys(changed).length + Object.keys(gone).length === 0 ? null : { revision, changed, gone }
  }

  #remake(table: Table, key: string, changed: Partial<Record<Table, unknown[]>>, gone: Partial<Record<Table, string[]>>): void {
    const rows: Map<string, { readonly row: unknown; readonly json: string }> = this.#rows[table]
    const row = this.#make(table, key)
    if (row === null) {
      if (rows.delete(key)) (gone[table] ??= []).push(key)
      return
    }
    const json = JSON.stringify(row)
    if (rows.get(key)?.json === json) return
    rows.set(key, { row, json })
    ;(changed[table] ??= []).push(row)
  }

  #make(table: Table, key: string): Row<Table> | null {
    switch (table) {
      case 'devices': {
        const node = this.#objects.get('nodes')?.get(key) as Node | undefined
        return node === undefined ? null : deviceRow(node, this.#podsOn(key), this.#facts(key))
      }
      case 'pods': {
        const pod = this.pod(key)
        return pod === undefined ? null : this.#podRow(pod)
      }
      case 'workloads': {
        const workload = this.#workload(key)
        return workload === undefined ? null : workloadRow(workload, this.#podRowsOf(key))
      }
      case 'events': {
        const event = this.#objects.get('events')?.get(key) as Event | undefined
        return event === undefined ? null : eventRow(event)
      }
    }
  }

  #podRow(pod: Pod): PodRow {
    const device = pod.spec.nodeName
    const report = device === undefined ? undefined : this.#facts(device).report?.pods.find((one) => one.uid === pod.metadata.uid)
    const node = device === undefined ? undefined : (this.#objects.get('nodes')?.get(device) as Node | undefined)
    const deviceSilent = node?.status?.conditions?.some((one) => one.type === 'Ready' && one.status === 'Unknown') === true
    return podRow(pod, { workload: this.#workloadKey(pod), report: report ?? null, deviceSilent })
  }

  #workload(key: string): Workload | undefined {
    const [kind, ...rest] = key.split('/')
    const resource = kind === 'Deployment' ? 'deployments.apps' : kind === 'DaemonSet' ? 'daemonsets.apps' : kind === 'Pod' ? 'pods' : ''
    return this.#objects.get(resource)?.get(rest.join('/')) as Workload | undefined
  }

  #podsOn(device: string): readonly Pod[] {
    return [...(this.#podsOfDevice.get(device) ?? [])].flatMap((key) => this.pod(key) ?? [])
  }

  #podRowsOf(workload: string): readonly PodRow[] {
    return [...(this.#podsOfWorkload.get(workload) ?? [])].flatMap((key) => this.#rows.pods.get(key)?.row ?? [])
  }

  #workloadKey(pod: Pod): string {
    return workloadKeyOf(pod, (namespace, name) => this.#objects.get('replicasets.apps')?.get(`${namespace}/${name}`))
  }

  #mark(resource: string, key: string, object: KubeObject | undefined): void {
    if (resource === 'events') this.#marked.events.add(key)
    else if (resource === 'pods') this.#marked.pods.add(key)
    else if (resource === 'nodes') {
      this.#marked.devices.add(key)
      for (const pod of this.#podsOfDevice.get(key) ?? []) this.#markPod(pod)
    } else if (object !== undefined && resource !== 'replicasets.apps') this.#marked.workloads.add(`${object.kind}/${key}`)
    else if (object !== undefined) this.#relinkPodsOf(object)
  }

  #markPod(key: string): void {
    this.#marked.pods.add(key)
    const link = this.#links.get(key)
    if (link === undefined) return
    this.#marked.workloads.add(link.workload)
    if (link.device !== null) this.#marked.devices.add(link.device)
  }

  /** A ReplicaSet may arrive after its pods: they then belong to its Deployment. */
  #relinkPodsOf(set: KubeObject): void {
    for (const [key, object] of this.#objects.get('pods') ?? []) {
      if (namespaceOf(object) !== namespaceOf(set) || controllerOf(object)?.name !== nameOf(set)) continue
      this.#unlink(key)
      this.#link(key, object as Pod)
    }
  }

  #link(key: string, pod: Pod | undefined): void {
    if (pod === undefined) return
    const workload = this.#workloadKey(pod)
    const device = pod.spec.nodeName ?? null
    this.#links.set(key, { workload, device })
    addTo(this.#podsOfWorkload, workload, key)
    if (device !== null) addTo(this.#podsOfDevice, device, key)
    this.#markPod(key)
  }

  #unlink(key: string): void {
    const link = this.#links.get(key)
    if (link === undefined) return
    this.#markPod(key)
    this.#links.delete(key)
    removeFrom(this.#podsOfWorkload, link.workload, key)
    if (link.device !== null) removeFrom(this.#podsOfDevice, link.device, key)
  }
}

function addTo(index: Map<string, Set<string>>, group: string, key: string): void {
  const keys = index.get(group) ?? new Set()
  index.set(group, keys.add(key))
}

function removeFrom(index: Map<string, Set<string>>, group: string, key: string): void {
  const keys = index.get(group)
  keys?.delete(key)
  if (keys?.size === 0) index.delete(group)
}
