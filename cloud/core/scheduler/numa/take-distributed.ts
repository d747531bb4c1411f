/**
 * Which CPUs, in equal shares of several nodes? The kubelet's distribute-cpus-across-numa: the fewest nodes that can each give
 * an equal share, chosen so that what stays free is as even as possible.
 */
import { CpuPool } from './cpu-pool.ts'
import type { CpuTopology } from './cpu-topology.ts'
import { takePacked } from './take-packed.ts'
import type { TakeOptions } from './take-packed.ts'

interface Shares {
  readonly nodes: readonly number[]
  /** CPUs of each node */
  readonly each: number
  /** nodes that give one group more, round by round, until nothing remains */
  readonly extra: readonly number[]
  /** deviation of what stays free */
  readonly balance: number
}

/** `group`: CPUs are handed out in multiples of it; the threads of a core with full-pcpus-only, else 1. Null when too few are free. */
export function takeDistributed(
  topology: CpuTopology,
  free: Iterable<number>,
  count: number,
  group: number,
  options: TakeOptions = {},
): readonly number[] | null {
  const available = [...free]
  // Shares are not cut along caches: the kubelet does not either.
  const packing = { acrossCores: options.acrossCores === true }
  if (count % group !== 0) return takePacked(topology, available, count, packing)
  const pool = new CpuPool(topology, available, count)
  if (pool.satisfied) return []
  if (pool.failed) return null
  const numas = pool.inOrder('numa')
  const [fewest, most] = nodesNeeded(topology, numas.length, count, group)
  for (let width = fewest; width <= most; width += 1) {
    const shares = bestShares(pool, numas, width, count, group)
    if (shares !== null) return takeShares(pool, shares, count, group, packing)
  }
  return takePacked(topology, available, count, packing)
}

function nodesNeeded(topology: CpuTopology, usable: number, count: number, group: number): readonly [number, number] {
  const groups = Math.ceil(topology.seats.size / group)
  const groupsPerNode = Math.ceil(groups / topology.numaNodes.length)
  const needed = Math.ceil(count / group)
  return [Math.ceil(needed / groupsPerNode), Math.min(needed, usable)]
}

/** The first of the most even ones; null when no choice of so many nodes can give equal shares. */
function bestShares(pool: CpuPool, numas: readonly number[], width: number, count: number, group: number): Shares | null {
  const free = new Map(numas.map((numa) => [numa, pool.freeIn('numa', numa).length]))
  let best: Shares | null = null
  for (const nodes of combinations(numas, width)) {
    if (best?.balance === 0) break
    const shares = sharesOf(free, nodes, count, group)
    if (shares !== null && (best === null || shares.balance < best.balance)) best = shares
  }
  return best
}

function sharesOf(free: ReadonlyMap<number, number>, nodes: readonly number[], count: number, group: number): Shares | null {
  const frees = nodes.map((numa) => free.get(numa) ?? 0)
  const groups = frees.reduce((sum, cpus) => sum + Math.floor(cpus / group), 0)
  const each = Math.floor(Math.floor(count / nodes.length) / group) * group
  if (groups * group < count || frees.some((cpus) => cpus < each)) return null
  const after = new Map(free)
  for (const numa of nodes) after.set(numa, (after.get(numa) ?? 0) - each)
  const remainder = count - each * nodes.length
  if (remainder === 0) return { nodes, each, extra: [], balance: deviation([...after.values()]) }
  return evenestExtra(after, nodes, each, remainder, group)
}

/** Many nodes with one group more before few nodes with several. */
function evenestExtra(after: ReadonlyMap<number, number>, nodes: readonly number[], each: number, remainder: number, group: number): Shares | null {
  const candidates = nodes.filter((numa) => (after.get(numa) ?? 0) >= group)
  let best: Shares | null = null
  for (let width = candidates.length; width >= 1; width -= 1) {
    for (const extra of combinations(candidates, width)) {
      const left = withoutExtra(after, extra, remainder, group)
      if (left === null) continue
      const balance = deviation([...left.values()])
      if (best === null || balance < best.balance) best = { nodes, each, extra, balance }
    }
  }
  return best
}

function withoutExtra(
  after: ReadonlyMap<number, number>,
  extra: readonly number[],
  remainder: number,
  group: number,
): ReadonlyMap<number, number> | null {
  const left = new Map(after)
  let rest = remainder
  while (rest > 0) {
    const before = rest
    for (const numa of extra) {
      const cpus = left.get(numa) ?? 0
      if (rest === 0 || cpus < group) continue
      left.set(numa, cpus - group)
      rest -= group
    }
    if (rest === before) return null
  }
  return left
}

function takeShares(pool: CpuPool, shares: Shares, count: number, group: number, options: TakeOptions): readonly number[] | null {
  const give = (numa: number, cpus: number): number => {
    const free = pool.freeIn('numa', numa)
    if (free.length < cpus) return 0
    pool.take(takePacked(pool.topology, free, cpus, options) ?? [])
    return cpus
  }
  for (const numa of shares.nodes) give(numa, shares.each)
  let rest = count - shares.each * shares.nodes.length
  while (rest > 0) {
    const before = rest
    for (const numa of shares.extra) if (rest > 0) rest -= give(numa, group)
    if (rest === before) return null
  }
  return pool.satisfied ? pool.taken() : null
}

/** In lexical order of positions, as the choice among equals depends on it. */
function* combinations(ids: readonly number[], width: number, from = 0): Generator<readonly number[]> {
  if (width === 0) {
    yield []
    return
  }
  for (let at = from; at <= ids.length - width; at += 1) {
    const first = ids[at] ?? 0
    for (const rest of combinations(ids, width - 1, at + 1)) yield [first, ...rest]
  }
}

/** Rounded to thousandths, mean included: near-equal balances must stay equal. */
function deviation(values: readonly number[]): number {
  const mean = thousandths(values.reduce((sum, value) => sum + value, 0) / values.length)
  const square = values.reduce((sum, value) => sum + (value - mean) * (value - mean), 0)
  return thousandths(Math.sqrt(square / values.length))
}

function thousandths(value: number): number {
  return Math.round(value * 1000) / 1000
}
