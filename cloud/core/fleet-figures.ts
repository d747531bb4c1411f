/** The fleet in numbers, for metrics: counted anew at each scrape from what controllers hold anyway. O(devices + pods). */
import type { Sample } from '../../protocol/exposition.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'
import type { DeviceHeld, DeviceRecord } from './desired.ts'
import { conditionOf, controllerOf, isDeleting, namespaceOf } from './meta.ts'
import type { DEVICE_STATES, DOCUMENT_STATES, INSTANCE_PHASES } from './metric-table.ts'
import { DEVICE_STATES as STATES, DOCUMENT_STATES as DOCUMENTS } from './metric-table.ts'

export type DeviceState = (typeof DEVICE_STATES)[number]
export type DocumentState = (typeof DOCUMENT_STATES)[number]
export type InstancePhase = (typeof INSTANCE_PHASES)[number]

export function deviceState(node: Node): DeviceState {
  const ready = conditionOf(node.status?.conditions, 'Ready')
  if (ready === null || (ready.status === 'Unknown' && node.status?.nodeInfo === undefined)) return 'never-seen'
  if (ready.status === 'Unknown') return 'silent'
  return ready.status === 'True' ? 'ready' : 'not-ready'
}

/** @param behind the device holds something that this cloud did not write */
export function documentState(record: DeviceRecord | null, held: DeviceHeld | null, behind: boolean): DocumentState {
  if (behind) return 'refused'
  if (record === null) return 'none'
  const same = held !== null && held.epoch === record.epoch && held.generation === record.generation && held.digest === record.digest
  return same && held.firm ? 'acknowledged' : 'waiting'
}

export function instancePhase(pod: Pod): InstancePhase {
  if (isDeleting(pod)) return 'ending'
  if (pod.status?.phase === 'Succeeded') return 'succeeded'
  if (pod.status?.phase === 'Failed') return 'failed'
  if (pod.spec.nodeName === undefined) return 'unplaced'
  const ready = conditionOf(pod.status?.conditions, 'Ready')
  if (ready?.status === 'True') return 'ready'
  return ready?.status === 'Unknown' ? 'unreachable' : 'starting'
}

/** One sample for each word, zeros too: an alert on "none" needs a number. */
export function tally<W extends string>(label: string, words: readonly W[], seen: Iterable<W>): readonly Sample[] {
  const counts = new Map<W, number>(words.map((word) => [word, 0]))
  for (const word of seen) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].map(([word, value]) => ({ labels: { [label]: word }, value }))
}

export const devicesByState = (nodes: readonly Node[]): readonly Sample[] => tally('state', STATES, nodes.map(deviceState))
export const documentsByState = (states: Iterable<DocumentState>): readonly Sample[] => tally('state', DOCUMENTS, states)

/** @param deploymentOf name of the Deployment of a ReplicaSet, null = it has none */
export function instancesByWorkload(pods: readonly Pod[], deploymentOf: (namespace: string, set: string) => string | null): readonly Sample[] {
  const counts = new Map<string, Map<InstancePhase, number>>()
  for (const pod of pods) {
    const key = `${namespaceOf(pod)} ${workloadOf(pod, deploymentOf)}`
    const phases = counts.get(key) ?? new Map<InstancePhase, number>()
    counts.set(key, phases)
    const phase = instancePhase(pod)
    phases.set(phase, (phases.get(phase) ?? 0) + 1)
  }
  return [...counts].flatMap(([key, phases], index) => {
    const [namespace = '', workload = ''] = index < LIMITS.metricWorkloads.value ? key.split(' ') : ['other', 'other']
    return [...phases].map(([phase, value]) => ({ labels: { namespace, workload, phase }, value }))
  })
}

function workloadOf(pod: Pod, deploymentOf: (namespace: string, set: string) => string | null): string {
  const owner = controllerOf(pod)
  if (owner === null) return 'Pod'
  const deployment = owner.kind === 'ReplicaSet' ? deploymentOf(namespaceOf(pod), owner.name) : null
  return deployment === null ? `${owner.kind}/${owner.name}` : `Deployment/${deployment}`
}
