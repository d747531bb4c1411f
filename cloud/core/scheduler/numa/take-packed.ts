/** Which CPUs, close together? The kubelet's default: whole sockets and nodes, whole cores, then single threads. */
import { CpuPool } from './cpu-pool.ts'
import type { CpuTopology } from './cpu-topology.ts'

export interface TakeOptions {
  /** distribute-cpus-across-cores: one thread of each core before a second of any */
  readonly acrossCores?: boolean
  /** prefer-align-cpus-by-uncorecache: as few last-level caches as possible */
  readonly alignByCache?: boolean
}

/** Exactly `count` of the free CPUs, ascending; null when there are not so many. */
export function takePacked(topology: CpuTopology, free: Iterable<number>, count: number, options: TakeOptions = {}): readonly number[] | null {
  const pool = new CpuPool(topology, free, count)
  if (pool.satisfied) return []
  if (pool.failed) return null
  const steps: readonly (() => void)[] = [
    ...pool.levels.map((level) => () => pool.takeWhole(level)),
    ...(options.alignByCache === true ? [() => takeByCache(pool)] : []),
    ...(options.acrossCores === true ? [] : [() => pool.takeWhole('core')]),
    () => pool.take((options.acrossCores === true ? pool.spread() : pool.packed()).slice(0, pool.needed)),
  ]
  for (const step of steps) {
    step()
    if (pool.satisfied) return pool.taken()
  }
  return null
}

/** Whole caches first; what is left goes to the first cache that can hold all of it. */
function takeByCache(pool: CpuPool): void {
  for (const cache of pool.inOrder('cache')) {
    if (pool.needed >= pool.allIn('cache', cache).length) pool.takeWhole('cache')
    if (pool.satisfied) return
    takePartOfCache(pool, cache)
    if (pool.satisfied) return
  }
}

function takePartOfCache(pool: CpuPool, cache: number): void {
  const coresNeeded = Math.ceil(pool.needed / pool.topology.threadsPerCore)
  const free = pool.freeIn('cache', cache)
  const cores = [...new Set(free.map((cpu) => pool.topology.seats.get(cpu)?.core ?? 0))].sort((a, b) => a - b).slice(0, coresNeeded)
  const cpus = cores
    .flatMap((core) => pool.freeIn('core', core))
    .sort((a, b) => a - b)
    .slice(0, pool.needed)
  if (cpus.length === pool.needed) pool.take(cpus)
}
