/**
 * A device as placement sees it: CPUs and where they sit, memory per NUMA node, GPUs and their nodes. Made from the inventory's
 * topology; travels as an annotation of the Node, so that the scheduler needs no second object.
 */
import { TOPOLOGY } from '../../../../protocol/inventory.ts'
import type { Accelerator, NumaNode, Topology } from '../../../../protocol/inventory.ts'
import { parse } from '../../../../protocol/shape.ts'
import type { CpuSeat, CpuTopology } from './cpu-topology.ts'
import { cpuTopology } from './cpu-topology.ts'
import { parseIdList } from '../../../../protocol/id-list.ts'
import type { Distance } from './node-set.ts'

/** On the Node: the parts of the inventory's topology that decide where a pod goes, as JSON. */
export const TOPOLOGY_ANNOTATION = 'skerry.dev/topology'

export interface Gpu {
  /** what a placement names */
  readonly id: string
  /** the resource it counts for when taken whole */
  readonly resource: string
  readonly model: string
  /** NUMA node id, null = not known */
  readonly node: number | null
  /** 0 = not known, or shared with the system */
  readonly memoryBytes: number
  /** a part of a GPU cannot be shared again */
  readonly shareable: boolean
}

export interface NodeTopology {
  readonly cpus: CpuTopology
  /** CPUs that containers may use, ascending */
  readonly usableCpus: readonly number[]
  /** NUMA node id -> bytes, of nodes that have CPUs: nothing is placed on memory alone */
  readonly memory: ReadonlyMap<number, number>
  readonly distance: Distance
  /** in the order of their ids */
  readonly gpus: readonly Gpu[]
}

/** ACPI: a node to itself, and to another when nothing is said. */
const LOCAL = 10
const REMOTE = 20

export function nodeTopology(topology: Topology): NodeTopology {
  const nodes = topology.numaNodes.filter((node) => node.memoryOnly !== true && node.gpuMemory !== true && node.cpus !== '')
  const online = new Set(ids(topology.onlineCpus))
  const usable = topology.allowedCpus === undefined ? online : new Set(ids(topology.allowedCpus).filter((cpu) => online.has(cpu)))
  const seats = nodes.flatMap((node) => ids(node.cpus).map((cpu) => ({ cpu, numa: node.id })))
  const row = new Map(topology.numaNodes.map((node, index) => [node.id, index]))
  return {
    cpus: cpuTopology(
      seatsOf(
        topology,
        seats.filter((seat) => online.has(seat.cpu)),
      ),
    ),
    usableCpus: [...usable].sort((a, b) => a - b),
    memory: new Map(nodes.map((node) => [node.id, ordinaryMemory(node)])),
    distance: (from, to) => topology.distances?.[row.get(from) ?? -1]?.[row.get(to) ?? -1] ?? (from === to ? LOCAL : REMOTE),
    gpus: (topology.accelerators ?? []).flatMap(gpuOf).sort((a, b) => (a.id < b.id ? -1 : 1)),
  }
}

/** What the annotation holds; sources of heat and load are left out, so that it changes only when the hardware does. */
export function topologyAnnotation(topology: Topology): string {
  const { onlineCpus, threads, allowedCpus, numaNodes, distances, coreCpus, packageCpus, cacheCpus } = topology
  const accelerators = topology.accelerators?.map(({ id, kind, model, numaNode, parent, memoryBytes, sharesSystemMemory, resource }) =>
    withoutUndefined({ id, kind, model, numaNode, parent, memoryBytes, sharesSystemMemory, resource }),
  )
  return JSON.stringify({ threads, onlineCpus, allowedCpus, numaNodes, distances, coreCpus, packageCpus, cacheCpus, accelerators })
}

/** null = there is none, or it is not readable. Equal texts give the same value. */
export function parseTopologyAnnotation(text: string | undefined): NodeTopology | null {
  if (text === undefined) return null
  const parsed = parse(TOPOLOGY, parseJson(text))
  return parsed.ok ? nodeTopology(parsed.value) : null
}

function parseJson(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return null
  }
}

function withoutUndefined(object: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
}

/** Where the device does not say which CPUs share a core, each is its own; packages and caches are then the nodes. */
function seatsOf(topology: Topology, seats: readonly { readonly cpu: number; readonly numa: number }[]): readonly CpuSeat[] {
  const core = groupOf(topology.coreCpus)
  const socket = groupOf(topology.packageCpus)
  const cache = groupOf(topology.cacheCpus)
  const cores = topology.coreCpus?.length ?? 0
  return seats.map(({ cpu, numa }) => ({
    cpu,
    numa,
    core: core.get(cpu) ?? cores + cpu,
    socket: topology.packageCpus === undefined ? numa : (socket.get(cpu) ?? 0),
    cache: topology.cacheCpus === undefined ? numa : (cache.get(cpu) ?? 0),
  }))
}

function groupOf(groups: readonly string[] | undefined): ReadonlyMap<number, number> {
  return new Map((groups ?? []).flatMap((cpus, group) => ids(cpus).map((cpu) => [cpu, group] as const)))
}

/** Huge pages are a resource of their own. */
function ordinaryMemory({ memoryBytes = 0, hugepages = {} }: NumaNode): number {
  const huge = Object.entries(hugepages).reduce((sum, [size, pages]) => sum + Number(size) * pages, 0)
  return Math.max(0, memoryBytes - huge)
}

function gpuOf(one: Accelerator): readonly Gpu[] {
  if (one.resource === undefined) return []
  return [
    {
      id: one.id,
      resource: one.resource,
      model: one.model ?? '',
      node: one.numaNode ?? null,
      memoryBytes: one.sharesSystemMemory === true ? 0 : (one.memoryBytes ?? 0),
      shareable: one.kind === 'gpu' || one.kind === 'integrated-gpu',
    },
  ]
}

/** A list that is not one is empty: the agent's words are checked, never trusted. */
function ids(text: string): readonly number[] {
  return parseIdList(text) ?? []
}
