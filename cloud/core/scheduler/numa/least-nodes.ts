/** The fewest NUMA nodes that together have what is asked for; of equally few the closest together, then the first. */
import { averageDistance } from './node-set.ts'
import { zoneSuffices } from './zone.ts'
import type { Qos, Zone, ZoneAmounts } from './zone.ts'

/** ACPI SLIT: unknown or unreachable. */
const UNKNOWN_DISTANCE = 255

export interface LeastNodes {
  readonly nodes: readonly number[]
  /** no other set of so many nodes is closer together */
  readonly closest: boolean
}

/** null = all together do not have it. `zones` at most LIMITS.numaNodesAligned. */
export function leastNodes(zones: readonly Zone[], asked: ZoneAmounts, qos: Qos): LeastNodes | null {
  for (let width = 1; width <= zones.length; width += 1) {
    const sets = combinations(zones, width)
    const least = leastAverageDistance(sets)
    let best: { readonly set: readonly Zone[]; readonly distance: number } | null = null
    for (const set of sets) {
      if (!suffices(set, asked, qos)) continue
      const distance = zoneDistance(set)
      if (best === null || distance < best.distance) best = { set, distance }
    }
    if (best !== null) return { nodes: best.set.map((zone) => zone.id).sort((a, b) => a - b), closest: best.distance === least }
  }
  return null
}

/** Smallest mean distance of any of these sets. */
export function leastAverageDistance(sets: readonly (readonly Zone[])[]): number {
  return Math.min(UNKNOWN_DISTANCE, ...sets.map(zoneDistance))
}

/** Mean over all ordered pairs in single precision, as published scores compare it. */
function zoneDistance(set: readonly Zone[]): number {
  const byId = new Map(set.map((zone) => [zone.id, zone]))
  return Math.fround(averageDistance([...byId.keys()], (from, to) => byId.get(from)?.distances[`${to}`] ?? UNKNOWN_DISTANCE))
}

/** Every node of the set has some of every resource: one without is not part of the place. */
function suffices(set: readonly Zone[], asked: ZoneAmounts, qos: Qos): boolean {
  if (!set.every((zone) => Object.keys(asked).every((resource) => Object.hasOwn(zone.available, resource)))) return false
  return Object.entries(asked).every(([resource, amount]) => {
    const available = set.reduce((sum, zone) => sum + (zone.available[resource] ?? 0), 0)
    return amount === 0 || zoneSuffices(qos, resource, amount, available)
  })
}

function combinations(zones: readonly Zone[], width: number): readonly (readonly Zone[])[] {
  if (width === 0) return [[]]
  return zones.flatMap((zone, at) => combinations(zones.slice(at + 1), width - 1).map((rest) => [zone, ...rest]))
}
