/** Which CPUs does a container get, once it is known on which nodes? Aligned ones first, then any. */
import type { CpuOptions } from './cpu-hints.ts'
import type { CpuTopology } from './cpu-topology.ts'
import { socketsOfNodes } from './cpu-topology.ts'
import type { NodeSet } from './node-set.ts'
import { takeDistributed } from './take-distributed.ts'
import { takePacked } from './take-packed.ts'

/** Exactly `count` of `free`, ascending; null when they cannot be had. `nodes`: null = anywhere. */
export function assignCpus(
  topology: CpuTopology,
  free: readonly number[],
  count: number,
  nodes: NodeSet | null,
  options: CpuOptions = {},
): readonly number[] | null {
  if (options.fullCores === true && !wholeCoresSuffice(topology, free, count)) return null
  const near = nodes === null ? [] : alignedCpus(topology, free, nodes, options)
  const aligned = takeCpus(topology, near, Math.min(near.length, count), options)
  if (aligned === null) return null
  const rest = takeCpus(
    topology,
    free.filter((cpu) => !aligned.includes(cpu)),
    count - aligned.length,
    options,
  )
  return rest === null ? null : [...aligned, ...rest].sort((a, b) => a - b)
}

/** full-pcpus-only: a whole number of cores, and so many cores that are free altogether. */
export function wholeCoresSuffice(topology: CpuTopology, free: readonly number[], count: number): boolean {
  if (count % topology.threadsPerCore !== 0) return false
  const open = new Set(free)
  const broken = new Set([...topology.seats.values()].filter((seat) => !open.has(seat.cpu)).map((seat) => seat.core))
  return free.filter((cpu) => !broken.has(topology.seats.get(cpu)?.core ?? -1)).length >= count
}

function alignedCpus(topology: CpuTopology, free: readonly number[], nodes: NodeSet, options: CpuOptions): readonly number[] {
  const sockets = options.alignBySocket === true ? socketsOfNodes(topology, nodes) : null
  return free.filter((cpu) => {
    const seat = topology.seats.get(cpu)
    return seat !== undefined && (sockets === null ? nodes.includes(seat.numa) : sockets.includes(seat.socket))
  })
}

function takeCpus(topology: CpuTopology, free: readonly number[], count: number, options: CpuOptions): readonly number[] | null {
  const take = { acrossCores: options.acrossCores === true, alignByCache: options.alignByCache === true }
  if (options.acrossNodes !== true) return takePacked(topology, free, count, take)
  return takeDistributed(topology, free, count, options.fullCores === true ? topology.threadsPerCore : 1, take)
}

/** CPUs that may be given away: those for sharing less the reserved ones, which stay in the shared pool. */
export function exclusiveCandidates(shared: readonly number[], reserved: readonly number[]): readonly number[] {
  return shared.filter((cpu) => !reserved.includes(cpu))
}

/** strict-cpu-reservation keeps shared containers off the reserved CPUs too. */
export function sharedPool(online: readonly number[], exclusive: readonly number[], reserved: readonly number[], strict: boolean): readonly number[] {
  return online.filter((cpu) => !exclusive.includes(cpu) && !(strict && reserved.includes(cpu)))
}
