/**
 * The free CPUs of a device while some are being taken: what is free on each level (node, socket, cache, core), and in which
 * order it is used up. Fuller places come first, so that whole ones stay whole; equal ones by id.
 */
import type { CpuSeat, CpuTopology } from './cpu-topology.ts'
import { cpusWhere } from './cpu-topology.ts'

export type Level = 'numa' | 'socket' | 'cache' | 'core'

export class CpuPool {
  readonly topology: CpuTopology
  readonly #free: Set<number>
  readonly #taken: number[] = []
  #needed: number
  /** the larger unit first: nodes that hold sockets, or sockets that hold nodes */
  readonly #outer: 'numa' | 'socket'
  readonly #inner: 'numa' | 'socket'

  constructor(topology: CpuTopology, free: Iterable<number>, needed: number) {
    this.topology = topology
    this.#free = new Set([...free].filter((cpu) => topology.seats.has(cpu)))
    this.#needed = needed
    const nodesHoldSockets = topology.sockets.length >= topology.numaNodes.length
    this.#outer = nodesHoldSockets ? 'numa' : 'socket'
    this.#inner = nodesHoldSockets ? 'socket' : 'numa'
  }

  get needed(): number {
    return this.#needed
  }

  get satisfied(): boolean {
    return this.#needed < 1
  }

  /** More is needed than is free. */
  get failed(): boolean {
    return this.#needed > this.#free.size
  }

  get levels(): readonly ['numa' | 'socket', 'numa' | 'socket'] {
    return [this.#outer, this.#inner]
  }

  taken(): readonly number[] {
    return [...this.#taken].sort((a, b) => a - b)
  }

  take(cpus: readonly number[]): void {
    for (const cpu of cpus) if (this.#free.delete(cpu)) this.#taken.push(cpu)
    this.#needed -= cpus.length
  }

  /** Takes whole free units of this level, as many as are needed. */
  takeWhole(level: Level): void {
    for (const id of this.wholeFree(level)) {
      const cpus = this.allIn(level, id)
      if (this.#needed >= cpus.length) this.take(cpus)
    }
  }

  /** Units of this level of which every CPU is free, in order of use. */
  wholeFree(level: Level): readonly number[] {
    return this.inOrder(level).filter((id) => this.freeIn(level, id).length === this.allIn(level, id).length)
  }

  /** Units of this level with a free CPU, in order of use. */
  inOrder(level: Level): readonly number[] {
    if (level === this.#outer) return this.#sorted(level, this.#seats())
    if (level === this.#inner) return this.#within(this.#outer, level)
    return this.#within(level === 'cache' ? 'numa' : this.#inner, level)
  }

  /** Free CPUs core by core: a started core is filled first. */
  packed(): readonly number[] {
    return this.inOrder('core').flatMap((core) => this.freeIn('core', core))
  }

  /** Free CPUs socket by socket, by id: cores are shared last. */
  spread(): readonly number[] {
    return this.inOrder('socket').flatMap((socket) => this.freeIn('socket', socket))
  }

  freeIn(level: Level, id: number): readonly number[] {
    return this.#seats()
      .filter((seat) => seat[level] === id)
      .map((seat) => seat.cpu)
      .sort((a, b) => a - b)
  }

  allIn(level: Level, id: number): readonly number[] {
    return cpusWhere(this.topology, (seat) => seat[level] === id)
  }

  #within(outer: Level, level: Level): readonly number[] {
    const ids = this.inOrder(outer).flatMap((id) =>
      this.#sorted(
        level,
        this.#seats().filter((seat) => seat[outer] === id),
      ),
    )
    return [...new Set(ids)]
  }

  #sorted(level: Level, seats: readonly CpuSeat[]): readonly number[] {
    const free = new Map<number, number>()
    for (const seat of this.#seats()) free.set(seat[level], (free.get(seat[level]) ?? 0) + 1)
    const ids = [...new Set(seats.map((seat) => seat[level]))]
    return ids.sort((a, b) => (free.get(a) ?? 0) - (free.get(b) ?? 0) || a - b)
  }

  #seats(): readonly CpuSeat[] {
    return [...this.#free].map((cpu) => this.topology.seats.get(cpu)).filter((seat) => seat !== undefined)
  }
}
