/** The topology of one device with what each pod has of it: for the API, the console and `skerry topology`. */
import type { Placement } from '../../protocol/desired-state.ts'
import type { Inventory, Topology } from '../../protocol/inventory.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { ContainerReport, StatusReport } from '../../protocol/status-report.ts'
import { topologyFacts } from '../../protocol/topology-facts.ts'
import type { PlaceFacts, TopologyFacts } from '../../protocol/topology-facts.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'
import { placementOf } from './desired-pod.ts'
import { annotationOf, compareText, isDeleting, keyOf, uidOf } from './meta.ts'
import { isFinished } from './pod-state.ts'
import { TOPOLOGY_ANNOTATION } from './scheduler/numa/node-topology.ts'
import { amountOf, podRequests } from './scheduler/pod-requests.ts'

export interface TopologyQuestion {
  readonly node: Node
  /** null = this process has not heard it yet: what the Node keeps is used */
  readonly inventory: Inventory | null
  /** bound there */
  readonly pods: readonly Pod[]
  readonly report: StatusReport | null
  /** pod uid -> processes and threads now */
  readonly pidsUsed: ReadonlyMap<string, number>
  /** pods without a device that the scheduler would put there */
  readonly planned: readonly { readonly pod: Pod; readonly placement: Placement }[]
}

export interface TopologyAnswer {
  readonly device: string
  /** RFC 3339, when the device told; '' = not known */
  readonly toldAt: string
  readonly facts: TopologyFacts
}

export function topologyAnswer({ node, inventory, pods, report, pidsUsed, planned }: TopologyQuestion): TopologyAnswer {
  const reported = new Map(report?.pods.map((one) => [one.uid, one.containers]) ?? [])
  const there = pods.filter((pod) => !isFinished(pod)).sort((a, b) => compareText(keyOf(a), keyOf(b)))
  const places = [
    ...there.map((pod): PlaceFacts => {
      const running = (reported.get(uidOf(pod)) ?? []).filter(({ state }) => state === 'running')
      const when = isDeleting(pod) ? 'now' : running.length > 0 ? 'both' : 'plan'
      return placeOf(pod, placementOf(pod), pidsText(running, pidsUsed.get(uidOf(pod)), placementOf(pod).pids), when)
    }),
    ...planned.map(({ pod, placement }): PlaceFacts => placeOf(pod, placement, pidsText([], undefined, placement.pids), 'plan')),
  ]
  const cpu = node.status?.allocatable?.['cpu']
  const topology = inventory?.topology ?? keptTopology(node)
  return {
    device: node.metadata.name ?? '',
    toldAt: inventory?.at ?? '',
    facts: topologyFacts(topology, cpu === undefined ? null : amountOf('cpu', cpu), places),
  }
}

function placeOf(pod: Pod, { cpus = '', memoryNodes = '', gpus = [] }: Placement, pids: string, when: PlaceFacts['when']): PlaceFacts {
  const memory = podRequests(pod.spec).requests['memory'] ?? 0
  return { name: keyOf(pod), cpus, memoryNodes, gpus, memoryBytes: memory === 0 ? null : memory, pids, when }
}

/** `812 main; 4 in all; at most 64` */
function pidsText(running: readonly ContainerReport[], used: number | undefined, limit: number | undefined): string {
  const first = running.flatMap(({ pid, name }) => (pid === undefined ? [] : [`${pid} ${name}`]))
  return [
    ...(first.length === 0 ? [] : [first.join(', ')]),
    ...(used === undefined ? [] : [`${used} in all`]),
    ...(limit === undefined ? [] : [`at most ${limit}${running.length > 1 ? ' each' : ''}`]),
  ].join('; ')
}

/** What admission let in once may be read without doubt; what cannot be read is nothing. */
function keptTopology(node: Node): Partial<Topology> {
  try {
    const kept: unknown = JSON.parse(annotationOf(node, TOPOLOGY_ANNOTATION) ?? 'null')
    return isRecord(kept) && Array.isArray(kept['numaNodes']) ? kept : {}
  } catch {
    return {}
  }
}
