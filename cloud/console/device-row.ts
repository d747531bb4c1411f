/** One device as a row: the word for its state, what is wrong, what it has and what its pods ask for. */
import type { StatusReport } from '../../protocol/status-report.ts'
import { conditionOf, nameOf } from '../core/meta.ts'
import { amountOf, podRequests } from '../core/scheduler/pod-requests.ts'
import type { Node } from '../resources/node.ts'
import type { Condition } from '../resources/object.ts'
import { parseStamp } from '../../protocol/stamp.ts'
import type { Pod } from '../resources/pod.ts'
import { causeView, saidOnly } from './cause-words.ts'
import { LOCATION_ANNOTATION, placeOf } from './place.ts'
import type { Amounts, CauseView, DeviceRow, DeviceWord, PodRow, Standing } from './view-model.ts'
import { STANDINGS } from './vocabulary.ts'

/** What the cloud knows of a device beside its Node; nulls where it knows nothing. */
export interface DeviceFacts {
  readonly report: StatusReport | null
  readonly heardAtMs: number | null
  /** connected, it may say nothing for so long; absent = not longer than any */
  readonly quietMs?: number
}

export const NO_FACTS: DeviceFacts = { report: null, heardAtMs: null }

/** Pods bound to this device, and the rows of all that must run there. */
export interface DevicePods {
  readonly bound: readonly Pod[]
  readonly rows: readonly PodRow[]
}

export function deviceRow(node: Node, pods: DevicePods, facts: DeviceFacts): DeviceRow {
  const conditions = node.status?.conditions ?? []
  const ready = conditionOf(conditions, 'Ready')
  const info = node.status?.nodeInfo
  const causes = causesOf(conditions, ready, facts)
  const word = wordOf(node, ready, causes)
  const bad = pods.rows.filter((row) => row.tone === 'bad')
  const standing = standingOf(word, pods.rows)
  return {
    name: nameOf(node),
    word,
    standing,
    tone: STANDINGS[standing].tone,
    causes,
    podCauses: podCauses(bad),
    troubled: bad.length,
    held: facts.report?.overrides?.length ?? 0,
    heardAtMs: facts.heardAtMs ?? silentSince(ready),
    ...(facts.quietMs === undefined ? {} : { quietMs: facts.quietMs }),
    cordoned: node.spec?.unschedulable === true,
    arch: info?.architecture ?? '',
    os: info?.osImage ?? '',
    kernel: info?.kernelVersion ?? '',
    engine: (info?.containerRuntimeVersion ?? '').replace('://', ' '),
    agent: info?.kubeletVersion ?? '',
    address: node.status?.addresses?.find((one) => one.type === 'InternalIP')?.address ?? '',
    page: pageOf(facts.report),
    labels: node.metadata.labels ?? {},
    place: placeOf(node.metadata.annotations?.[LOCATION_ANNOTATION]),
    capacity: capacityOf(node),
    asked: askedBy(pods.bound),
  }
}

function wordOf(node: Node, ready: Condition | null, causes: readonly CauseView[]): DeviceWord {
  if (ready === null || ready.status === 'Unknown') return node.status?.nodeInfo === undefined ? 'never-seen' : 'offline'
  return ready.status === 'True' && causes.length === 0 ? 'online' : 'degraded'
}

/** The worst word wins. What runs on a silent device is not known, so it cannot be in trouble. */
function standingOf(word: DeviceWord, rows: readonly PodRow[]): Standing {
  if (word === 'never-seen' || word === 'offline') return word
  if (rows.some((row) => row.tone === 'bad' && row.word !== 'not-placed')) return 'failed'
  if (rows.some((row) => row.word === 'not-placed')) return 'not-placed'
  if (word === 'degraded') return 'degraded'
  return rows.some((row) => row.tone === 'busy') ? 'updating' : 'ok'
}

function podCauses(bad: readonly PodRow[]): readonly CauseView[] {
  const found = new Map<string, CauseView>()
  for (const { word, cause } of bad) {
    const view = cause ?? { code: '', says: `A pod is ${word}.`, next: '' }
    found.set(view.code === '' ? view.says : view.code, view)
  }
  return [...found.values()]
}

function causesOf(conditions: readonly Condition[], ready: Condition | null, facts: DeviceFacts): readonly CauseView[] {
  const unready = ready !== null && ready.status !== 'True' && ready.message !== undefined ? [saidOnly(ready.message)] : []
  const pressed = conditions.filter((one) => one.type !== 'Ready' && one.status === 'True').map((one) => saidOnly(one.message ?? one.type))
  const reported = ready?.status === 'Unknown' ? [] : (facts.report?.causes ?? []).filter((one) => !one.code.startsWith('link.')).map(causeView)
  // the same fault may come as condition and as cause: the one with advice is kept
  const told = new Set(reported.map((one) => one.says))
  return [...reported, ...[...unready, ...pressed].filter((one) => !told.has(one.says))]
}

/** As it listens; every address means the one that the device is known by. */
function pageOf(report: StatusReport | null): DeviceRow['page'] {
  if (report?.page === undefined) return null
  const { host, port } = report.page
  const every = host === '0.0.0.0' || host === '::'
  const address = every ? (report.hostIP ?? '') : host
  const url = `http://${address.includes(':') ? `[${address}]` : address}:${port}/`
  return { url, reachable: address !== '' && !/^(?:127\.|::1$|localhost$)/.test(address) }
}

function silentSince(ready: Condition | null): number | null {
  const at = ready?.status === 'Unknown' && ready.lastTransitionTime !== undefined ? parseStamp(ready.lastTransitionTime) : Number.NaN
  return Number.isNaN(at) ? null : at
}

function capacityOf(node: Node): Amounts | null {
  const has = node.status?.allocatable ?? node.status?.capacity
  if (has === undefined || Object.keys(has).length === 0) return null
  const amount = (name: string): number => (has[name] === undefined ? 0 : amountOf(name, has[name]))
  return { cpuMilli: amount('cpu'), memoryBytes: amount('memory'), pids: amount('pids'), pods: amount('pods') }
}

function askedBy(pods: readonly Pod[]): Amounts {
  const sum = { cpuMilli: 0, memoryBytes: 0, pids: 0, pods: 0 }
  for (const pod of pods) {
    const { requests } = podRequests(pod.spec)
    sum.cpuMilli += requests['cpu'] ?? 0
    sum.memoryBytes += requests['memory'] ?? 0
    sum.pids += requests['pids'] ?? 0
    sum.pods += 1
  }
  return sum
}
