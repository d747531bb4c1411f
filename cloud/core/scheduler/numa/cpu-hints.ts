/** On which nodes could a container have its exclusive CPUs? The kubelet's static CPU manager. */
import type { CpuTopology } from './cpu-topology.ts'
import { socketsOfNodes } from './cpu-topology.ts'
import type { Hint, ResourceHints } from './hints.ts'
import { hintsOver } from './hints.ts'
import type { NodeSet } from './node-set.ts'

export interface CpuOptions {
  /** full-pcpus-only: whole cores, or not at all */
  readonly fullCores?: boolean
  /** distribute-cpus-across-numa */
  readonly acrossNodes?: boolean
  /** align-by-socket: nodes of one socket are as good as one node */
  readonly alignBySocket?: boolean
  /** distribute-cpus-across-cores */
  readonly acrossCores?: boolean
  /** prefer-align-cpus-by-uncorecache */
  readonly alignByCache?: boolean
}

export interface CpuAsk {
  /** whole CPUs; 0 = it shares, and does not care where */
  readonly count: number
  /** CPUs free for exclusive use */
  readonly free: readonly number[]
  /** CPUs it holds already: hints come from exactly those, and only for the same number */
  readonly held: readonly number[]
  /** CPUs of its finished init containers: used again first */
  readonly reusable?: readonly number[]
}

export function cpuHints(topology: CpuTopology, ask: CpuAsk, options: CpuOptions = {}): ResourceHints {
  if (ask.count === 0) return null
  if (ask.held.length > 0) return ask.held.length === ask.count ? generate(topology, ask.count, ask.held, [], options) : []
  const reusable = ask.reusable ?? []
  const free = ask.free.filter((cpu) => !reusable.includes(cpu))
  if (free.length + reusable.length < ask.count) return []
  return generate(topology, ask.count, free, reusable, options)
}

function generate(topology: CpuTopology, count: number, free: readonly number[], reusable: readonly number[], options: CpuOptions): readonly Hint[] {
  const all = tally(topology, topology.seats.keys())
  const now = tally(topology, free)
  const again = tally(topology, reusable)
  const { hints, narrowest } = hintsOver(topology.numaNodes, (set) => {
    const reused = sumOver(again, set)
    return {
      couldHold: sumOver(all, set) >= count,
      holds: reused === reusable.length && sumOver(now, set) + reused >= count,
    }
  })
  if (options.alignBySocket !== true) return hints
  return hints.map((hint) => (onFewestSockets(topology, hint.nodes ?? [], narrowest) ? { ...hint, preferred: true } : hint))
}

function onFewestSockets(topology: CpuTopology, nodes: NodeSet, narrowest: number): boolean {
  const nodesPerSocket = Math.floor(topology.numaNodes.length / topology.sockets.length)
  return nodesPerSocket > 0 && socketsOfNodes(topology, nodes).length === Math.ceil(narrowest / nodesPerSocket)
}

function tally(topology: CpuTopology, cpus: Iterable<number>): ReadonlyMap<number, number> {
  const counts = new Map<number, number>()
  for (const cpu of cpus) {
    const numa = topology.seats.get(cpu)?.numa
    if (numa !== undefined) counts.set(numa, (counts.get(numa) ?? 0) + 1)
  }
  return counts
}

function sumOver(counts: ReadonlyMap<number, number>, set: NodeSet): number {
  return set.reduce((sum, id) => sum + (counts.get(id) ?? 0), 0)
}
