/** How well do the free parts of a device's NUMA nodes suit this pod? NodeResourceTopologyMatch's scores, 0 to 100. */
import { podAmounts } from './device-hints.ts'
import { leastNodes } from './least-nodes.ts'
import type { ZonedNode } from './zone-filter.ts'
import { subtractFromZones, usableZones } from './zone.ts'
import type { Zone, ZoneAmounts, ZonePod } from './zone.ts'

export type ZoneStrategy = 'LeastNUMANodes' | 'LeastAllocated' | 'MostAllocated' | 'BalancedAllocation'

const MAX = 100
/** Steps of the LeastNUMANodes score: one for each node of the largest device that is aligned. */
const MOST_NODES = 8

/** `zones: null` in the node means that nothing is known of it: it scores lowest. */
export function zoneScore(strategy: ZoneStrategy, node: ZonedNode, pod: ZonePod): number {
  if (pod.qos !== 'Guaranteed') return MAX
  const zones = usableZones(node.zones)
  if (zones.length === 0) return 0
  if (strategy === 'LeastNUMANodes') return leastNodesScore(zones, node, pod)
  if (node.policy !== 'single-numa-node') return 0
  if (node.scope === 'pod') return worstZone(strategy, zones, podAmounts(pod.init, pod.app))
  const scores = [...pod.init, ...pod.app].map((amounts) => worstZone(strategy, zones, amounts))
  return Math.trunc(scores.reduce((sum, score) => sum + score, 0) / scores.length)
}

/** 100 less a step for each node needed, plus half a step when they could not be closer together. */
export function nodeCountScore(nodes: number, closest: boolean): number {
  const step = Math.trunc(MAX / MOST_NODES)
  return MAX - nodes * step + (closest ? Math.trunc(step / 2) : 0)
}

function leastNodesScore(zones: readonly Zone[], node: ZonedNode, pod: ZonePod): number {
  const parts = node.scope === 'pod' ? [podAmounts(pod.init, pod.app)] : [...pod.init, ...pod.app]
  let left = zones
  let most = 0
  let closest = true
  for (const amounts of parts) {
    if (!Object.keys(amounts).some((name) => left.some((zone) => Object.hasOwn(zone.available, name)))) continue
    const found = leastNodes(left, amounts, pod.qos)
    if (found === null) return 0
    most = Math.max(most, found.nodes.length)
    closest &&= found.closest
    left = subtractFromZones(left, found.nodes, amounts)
  }
  return most === 0 ? MAX : nodeCountScore(most, closest)
}

/** The lowest score of the nodes where it fits at all: any of them may be chosen later. */
function worstZone(strategy: Exclude<ZoneStrategy, 'LeastNUMANodes'>, zones: readonly Zone[], asked: ZoneAmounts): number {
  const scores = zones.map((zone) => STRATEGIES[strategy](asked, zone.available)).filter((score) => score > 0)
  return scores.length === 0 ? 0 : Math.min(...scores)
}

const STRATEGIES: Readonly<Record<Exclude<ZoneStrategy, 'LeastNUMANodes'>, (asked: ZoneAmounts, available: ZoneAmounts) => number>> = {
  LeastAllocated: (asked, available) => meanScore(asked, available, (want, has) => Math.trunc(((has - want) * MAX) / has)),
  MostAllocated: (asked, available) => meanScore(asked, available, (want, has) => Math.trunc((want * MAX) / has)),
  BalancedAllocation: balanced,
}

function meanScore(asked: ZoneAmounts, available: ZoneAmounts, score: (want: number, has: number) => number): number {
  const names = Object.keys(asked)
  const scores = names.map((name) => {
    const [want, has] = [whole(name, asked[name] ?? 0), whole(name, available[name] ?? 0)]
    return has === 0 || want > has ? 0 : score(want, has)
  })
  return names.length === 0 ? 0 : Math.trunc(scores.reduce((sum, value) => sum + value, 0) / names.length)
}

function balanced(asked: ZoneAmounts, available: ZoneAmounts): number {
  const fractions = Object.entries(asked).map(([name, amount]) => {
    const has = whole(name, available[name] ?? 0)
    return has === 0 ? 1 : whole(name, amount) / has
  })
  if (fractions.some((fraction) => fraction > 1)) return 0
  if (fractions.length < 2) return MAX
  const mean = fractions.reduce((sum, fraction) => sum + fraction, 0) / fractions.length
  const variance = fractions.reduce((sum, fraction) => sum + (fraction - mean) ** 2, 0) / (fractions.length - 1)
  return Math.trunc((1 - variance) * MAX)
}

/** Published scores count whole CPUs, rounded up. */
function whole(name: string, amount: number): number {
  return name === 'cpu' ? Math.ceil(amount / 1000) : amount
}
