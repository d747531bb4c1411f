/** One device as a row: the word for its state, what is wrong, what it has and what its pods ask for. */
import type { StatusReport } from '../../protocol/status-report.ts'
import { conditionOf, nameOf } from '../core/meta.ts'
import { podInfo } from '../core/scheduler/pod-info.ts'
import { amountOf } from '../core/scheduler/pod-requests.ts'
import type { Node } from '../resources/node.ts'
import type { Condition } from '../resources/object.ts'
import { parseStamp } from '../resources/human-duration.ts'
import type { Pod } from '../resources/pod.ts'
import { causeView, saidOnly } from './cause-words.ts'
import type { Amounts, CauseView, DeviceRow, DeviceWord, Tone } from './view-model.ts'

/** What the cloud knows of a device beside its Node; nulls where it knows nothing. */
export interface DeviceFacts {
  readonly report: StatusReport | null
  readonly heardAtMs: number | null
}

export const NO_FACTS: DeviceFacts = { report: null, heardAtMs: null }

const TONES: Readonly<Record<DeviceWord, Tone>> = { online: 'ok', degraded: 'warn', offline: 'bad', 'never-seen': 'unknown' }

/** @param pods those bound to this device */
export function deviceRow(node: Node, pods: readonly Pod[], facts: DeviceFacts): DeviceRow {
  const conditions = node.status?.conditions ?? []
  const ready = conditionOf(conditions, 'Ready')
  const info = node.status?.nodeInfo
  const causes = causesOf(conditions, ready, facts)
  const word = wordOf(node, ready, causes)
  return {
    name: nameOf(node),
    word,
    tone: TONES[word],
    causes,
    heardAtMs: facts.heardAtMs ?? silentSince(ready),
    cordoned: node.spec?.unschedulable === true,
    arch: info?.architecture ?? '',
    os: info?.osImage ?? '',
    kernel: info?.kernelVersion ?? '',
    engine: (info?.containerRuntimeVersion ?? '').replace('://', ' '),
    agent: info?.kubeletVersion ?? '',
    address: node.status?.addresses?.find((one) => one.type === 'InternalIP')?.address ?? '',
    labels: node.metadata.labels ?? {},
    capacity: capacityOf(node),
    asked: askedBy(pods),
  }
}

function wordOf(node: Node, ready: Condition | null, causes: readonly CauseView[]): DeviceWord {
  if (ready === null || ready.status === 'Unknown') return node.status?.nodeInfo === undefined ? 'never-seen' : 'offline'
  return ready.status === 'True' && causes.length === 0 ? 'online' : 'degraded'
}

function causesOf(conditions: readonly Condition[], ready: Condition | null, facts: DeviceFacts): readonly CauseView[] {
  const unready = ready !== null && ready.status !== 'True' && ready.message !== undefined ? [saidOnly(ready.message)] : []
  const pressed = conditions.filter((one) => one.type !== 'Ready' && one.status === 'True').map((one) => saidOnly(one.message ?? one.type))
  const reported = ready?.status === 'Unknown' ? [] : (facts.report?.causes ?? []).filter((one) => !one.code.startsWith('link.')).map(causeView)
  // the same fault may come as condition and as cause: the one with advice is kept
  const told = new Set(reported.map((one) => one.says))
  return [...reported, ...[...unready, ...pressed].filter((one) => !told.has(one.says))]
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
    const { requests } = podInfo(pod)
    sum.cpuMilli += requests['cpu'] ?? 0
    sum.memoryBytes += requests['memory'] ?? 0
    sum.pids += requests['pids'] ?? 0
    sum.pods += 1
  }
  return sum
}
