/** Where each CPU of a device sits. Ids are the kernel's: they may be sparse and are never positions in a list. */

export interface CpuSeat {
  readonly cpu: number
  /** unique on the device; CPUs of one core share it */
  readonly core: number
  readonly socket: number
  /** NUMA node id */
  readonly numa: number
  /** last-level cache, where the device says */
  readonly cache: number
}

export interface CpuTopology {
  readonly seats: ReadonlyMap<number, CpuSeat>
  /** ids of NUMA nodes that have CPUs, ascending */
  readonly numaNodes: readonly number[]
  /** ids of sockets, ascending */
  readonly sockets: readonly number[]
  /** most CPUs that share a core */
  readonly threadsPerCore: number
}

export function cpuTopology(seats: readonly CpuSeat[]): CpuTopology {
  const perCore = new Map<number, number>()
  for (const { core } of seats) perCore.set(core, (perCore.get(core) ?? 0) + 1)
  return {
    seats: new Map(seats.map((seat) => [seat.cpu, seat])),
    numaNodes: distinct(seats.map((seat) => seat.numa)),
    sockets: distinct(seats.map((seat) => seat.socket)),
    threadsPerCore: Math.max(1, ...perCore.values()),
  }
}

/** CPUs of these nodes, ascending. */
export function cpusOfNodes(topology: CpuTopology, nodes: readonly number[]): readonly number[] {
  return cpusWhere(topology, (seat) => nodes.includes(seat.numa))
}

/** Sockets that these nodes are part of, ascending. */
export function socketsOfNodes(topology: CpuTopology, nodes: readonly number[]): readonly number[] {
  return distinct([...topology.seats.values()].filter((seat) => nodes.includes(seat.numa)).map((seat) => seat.socket))
}

export function cpusWhere(topology: CpuTopology, wanted: (seat: CpuSeat) => boolean): readonly number[] {
  return [...topology.seats.values()]
    .filter(wanted)
    .map((seat) => seat.cpu)
    .sort((a, b) => a - b)
}

export function distinct(ids: readonly number[]): readonly number[] {
  return [...new Set(ids)].sort((a, b) => a - b)
}
