/** node-resource-topology-match.json: filter verdicts, scores, and the fewest nodes for a request. */
import { leastAverageDistance, leastNodes } from '../../cloud/core/scheduler/numa/least-nodes.ts'
import type { NumaPolicy, NumaScope } from '../../cloud/core/scheduler/numa/topology-policy.ts'
import { zoneMisfit } from '../../cloud/core/scheduler/numa/zone-filter.ts'
import type { ZonedNode } from '../../cloud/core/scheduler/numa/zone-filter.ts'
import { nodeCountScore, zoneScore } from '../../cloud/core/scheduler/numa/zone-score.ts'
import type { ZoneStrategy } from '../../cloud/core/scheduler/numa/zone-score.ts'
import type { Qos, Zone, ZoneAmounts, ZonePod } from '../../cloud/core/scheduler/numa/zone.ts'
import type { Tally } from './suite.ts'

interface ZoneRow {
  readonly id: number
  readonly resources: Readonly<Record<string, { readonly available: number }>>
  readonly distances?: Readonly<Record<string, number>>
}

interface NodeRow {
  readonly name: string
  readonly policy: NumaPolicy
  readonly scope: NumaScope
  readonly zones: readonly ZoneRow[] | null
  readonly allocatable?: ZoneAmounts
}

interface PodRow {
  readonly qos: Qos
  readonly initContainers: readonly { readonly requests?: ZoneAmounts }[]
  readonly containers: readonly { readonly requests?: ZoneAmounts }[]
}

interface Table {
  readonly filterCases?: readonly {
    readonly id: string
    readonly node: NodeRow
    readonly pod: PodRow
    readonly fits: boolean
    readonly reason: string | null
  }[]
  readonly scoreCases?: readonly {
    readonly name: string
    readonly strategy: ZoneStrategy
    readonly nodes: readonly NodeRow[]
    readonly pod: PodRow
    readonly expectedScores?: Readonly<Record<string, number>>
    readonly expectedBest?: Readonly<Record<string, number>>
  }[]
  readonly numaNodesRequired?: readonly {
    readonly name: string
    readonly numaNodes: readonly { readonly id: number; readonly resources: ZoneAmounts; readonly distances: Readonly<Record<string, number>> }[]
    readonly request: ZoneAmounts
    readonly qos: Qos
    readonly expectedNodes: readonly number[] | null
    readonly expectedMinDistance: boolean
  }[]
  readonly normalizeScore?: readonly {
    readonly name: string
    readonly numaNodes: number
    readonly optimalDistance: boolean
    readonly expected: number
  }[]
  readonly minAverageDistance?: readonly {
    readonly name: string
    readonly combinations: readonly (readonly number[])[]
    readonly distances: readonly (readonly number[])[] | null
    readonly expected: number
  }[]
}

export function checkZones(tally: Tally, json: unknown): void {
  const table = json as Table
  for (const row of table.filterCases ?? [])
    tally.equal(`zones ${row.id}`, zoneMisfit(nodeOf(row.node), podOf(row.pod)), row.fits ? null : row.reason)
  for (const row of table.scoreCases ?? []) {
    const scores = new Map(row.nodes.map((node) => [node.name, zoneScore(row.strategy, nodeOf(node), podOf(row.pod))]))
    const best = [...scores].sort(([, a], [, b]) => b - a)[0]
    if (row.expectedScores !== undefined) tally.equal(`zones score ${row.name}`, Object.fromEntries(scores), row.expectedScores)
    if (row.expectedBest !== undefined) tally.equal(`zones best ${row.name}`, best, Object.entries(row.expectedBest)[0])
  }
  for (const row of table.numaNodesRequired ?? []) {
    const zones = row.numaNodes.map((node): Zone => ({ id: node.id, available: node.resources, distances: node.distances }))
    const found = leastNodes(zones, row.request, row.qos)
    tally.equal(
      `zones nodes ${row.name}`,
      [found?.nodes ?? null, found?.closest ?? false],
      [row.expectedNodes?.toSorted((a, b) => a - b) ?? null, row.expectedMinDistance],
    )
  }
  for (const row of table.normalizeScore ?? [])
    tally.equal(`zones normalize ${row.name}`, nodeCountScore(row.numaNodes, row.optimalDistance), row.expected)
  for (const row of table.minAverageDistance ?? []) {
    const zone = (id: number): Zone => ({ id, available: {}, distances: Object.fromEntries(Object.entries(row.distances?.[id] ?? [])) })
    const least = leastAverageDistance(row.combinations.map((nodes) => nodes.map(zone)))
    tally.equal(`zones distance ${row.name}`, least, Math.fround(row.expected))
  }
}

function nodeOf(node: NodeRow): ZonedNode {
  const zones = (node.zones ?? []).map((zone): Zone => ({
    id: zone.id,
    available: Object.fromEntries(Object.entries(zone.resources).map(([name, amounts]) => [name, amounts.available])),
    distances: zone.distances ?? {},
  }))
  return { policy: node.policy, scope: node.scope, zones, allocatable: node.allocatable ?? {} }
}

function podOf(pod: PodRow): ZonePod {
  return {
    qos: pod.qos,
    init: pod.initContainers.map((container) => container.requests ?? {}),
    app: pod.containers.map((container) => container.requests ?? {}),
  }
}
