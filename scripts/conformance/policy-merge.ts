/** topology-manager.json: merging hints, comparing two, and what single-numa-node leaves of them. */
import type { Hint, ResourceHints } from '../../cloud/core/scheduler/numa/hints.ts'
import { isBetter, widestNeed } from '../../cloud/core/scheduler/numa/merge-hints.ts'
import { nodeSet } from '../../cloud/core/scheduler/numa/node-set.ts'
import { align, singleNode } from '../../cloud/core/scheduler/numa/topology-policy.ts'
import type { NumaPolicy } from '../../cloud/core/scheduler/numa/topology-policy.ts'
import type { Tally } from './suite.ts'

export interface HintRow {
  readonly numa: readonly number[] | null
  readonly preferred: boolean
}

interface MergeTable {
  readonly mergeCases?: readonly {
    readonly id: string
    readonly policies: readonly NumaPolicy[]
    readonly numaNodes: readonly number[]
    readonly distances: readonly (readonly number[])[] | null
    readonly options: { readonly preferClosestNuma?: boolean }
    readonly providers: readonly (Readonly<Record<string, readonly HintRow[] | null>> | null)[]
    readonly expected: HintRow
    readonly admit?: boolean
  }[]
  readonly compare?: readonly {
    readonly name: string
    readonly bestNonPreferredAffinityCount: number
    readonly current: HintRow | null
    readonly candidate: HintRow
    readonly expected: 'current' | 'candidate'
  }[]
  readonly maxOfMin?: readonly { readonly hints: readonly (readonly HintRow[])[]; readonly expected: number }[]
  readonly singleNumaFilter?: readonly { readonly name: string; readonly in: readonly (readonly HintRow[])[]; readonly expected: unknown }[]
}

export function checkTopologyManager(tally: Tally, table: unknown): void {
  const { mergeCases = [], compare = [], maxOfMin = [], singleNumaFilter = [] } = table as MergeTable
  for (const row of mergeCases) {
    const resources = row.providers.flatMap(providerHints)
    const distance = (from: number, to: number): number => row.distances?.[row.numaNodes.indexOf(from)]?.[row.numaNodes.indexOf(to)] ?? 10
    const world = { nodes: row.numaNodes, closest: row.options.preferClosestNuma === true ? distance : null }
    for (const policy of row.policies) {
      const { hint, admit } = align(policy, world, resources)
      const mayRun = policy === 'none' || policy === 'best-effort' || row.expected.preferred
      tally.equal(
        `topology-manager ${row.id} ${policy}`,
        { hint: hintRow(hint), admit },
        { hint: sortedRow(row.expected), admit: row.admit ?? mayRun },
      )
    }
  }
  for (const row of compare) {
    const [current, candidate] = [row.current === null ? null : toHint(row.current), toHint(row.candidate)]
    const better = current === null ? (candidate.nodes?.length ?? 0) > 0 : isBetter(null, row.bestNonPreferredAffinityCount, current, candidate)
    tally.equal(`topology-manager compare ${row.name}`, better ? 'candidate' : 'current', row.expected)
  }
  for (const [index, row] of maxOfMin.entries())
    tally.equal(`topology-manager maxOfMin ${index}`, widestNeed(row.hints.map((hints) => hints.map(toHint))), row.expected)
  for (const row of singleNumaFilter)
    tally.equal(
      `topology-manager filter ${row.name}`,
      row.in.map((hints) => singleNode(hints.map(toHint)).map(hintRow)),
      row.expected,
    )
}

/** A provider without a word has no preference. */
function providerHints(provider: Readonly<Record<string, readonly HintRow[] | null>> | null): readonly ResourceHints[] {
  const lists = Object.values(provider ?? {})
  return lists.length === 0 ? [null] : lists.map((hints) => hints?.map(toHint) ?? null)
}

export function toHint(row: HintRow): Hint {
  return { nodes: row.numa === null ? null : nodeSet(row.numa), preferred: row.preferred }
}

export function hintRow(hint: Hint): HintRow {
  return { numa: hint.nodes, preferred: hint.preferred }
}

export function sortedRow(row: HintRow): HintRow {
  return hintRow(toHint(row))
}

/** Hints as a set: their order says nothing. */
export function hintSet(hints: readonly HintRow[] | null): readonly string[] | null {
  return hints?.map((hint) => JSON.stringify(sortedRow(hint))).sort() ?? null
}
