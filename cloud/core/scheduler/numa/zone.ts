/** Zones: what is free on each NUMA node of a device, as NodeResourceTopology tells it. */

/** Amounts by resource name: cpu in milli, everything else in whole units. */
export type ZoneAmounts = Readonly<Record<string, number>>

export interface Zone {
  readonly id: number
  readonly available: ZoneAmounts
  /** node id -> distance from here; empty = not said */
  readonly distances: Readonly<Record<string, number>>
}

export type Qos = 'Guaranteed' | 'Burstable' | 'BestEffort'

export interface ZonePod {
  readonly qos: Qos
  readonly init: readonly ZoneAmounts[]
  readonly app: readonly ZoneAmounts[]
}

/** Ids above are ignored: upstream keeps node sets in 64 bits, and no kernel numbers usable nodes so high. */
const HIGHEST_ID = 63

export function usableZones(zones: readonly Zone[]): readonly Zone[] {
  return zones.filter((zone) => zone.id >= 0 && zone.id <= HIGHEST_ID)
}

/** Is there enough of one resource on a zone? Only Guaranteed pods have cpu and memory of their own; devices are always counted. */
export function zoneSuffices(qos: Qos, resource: string, asked: number, available: number): boolean {
  if (qos !== 'Guaranteed' && (resource === 'cpu' || resource === 'memory' || resource.startsWith('hugepages-'))) return true
  return available >= asked
}

/** Resources of Kubernetes itself; all others come from device plugins. */
export function isNative(resource: string): boolean {
  return !resource.includes('/') || resource.includes('kubernetes.io/')
}

/** Takes amounts from zones, the first ones first. */
export function subtractFromZones(zones: readonly Zone[], ids: readonly number[], amounts: ZoneAmounts): readonly Zone[] {
  const rest = new Map(Object.entries(amounts))
  const after = new Map<number, Zone>()
  for (const id of ids) {
    const zone = zones.find((candidate) => candidate.id === id)
    if (zone !== undefined) after.set(id, { ...zone, available: takeFrom(zone.available, rest) })
  }
  return zones.map((zone) => after.get(zone.id) ?? zone)
}

function takeFrom(available: ZoneAmounts, rest: Map<string, number>): ZoneAmounts {
  return Object.fromEntries(
    Object.entries(available).map(([name, amount]) => {
      const taken = Math.min(amount, rest.get(name) ?? 0)
      rest.set(name, (rest.get(name) ?? 0) - taken)
      return [name, amount - taken]
    }),
  )
}
