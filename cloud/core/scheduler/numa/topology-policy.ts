/** May a pod run with the place its resources found? The four policies of the kubelet's topology manager. */
import type { Hint, ResourceHints } from './hints.ts'
import { mergeHints, withDefaults } from './merge-hints.ts'
import type { MergeWorld } from './merge-hints.ts'
import { nodeSet, sameSet } from './node-set.ts'

export const NUMA_POLICIES = ['none', 'best-effort', 'restricted', 'single-numa-node'] as const
export type NumaPolicy = (typeof NUMA_POLICIES)[number]

/** One place per container, or one for the whole pod. */
export const NUMA_SCOPES = ['container', 'pod'] as const
export type NumaScope = (typeof NUMA_SCOPES)[number]

export interface Alignment {
  readonly hint: Hint
  readonly admit: boolean
}

export function align(policy: NumaPolicy, world: MergeWorld, resources: readonly ResourceHints[]): Alignment {
  if (policy === 'none') return { hint: { nodes: null, preferred: true }, admit: true }
  if (policy === 'single-numa-node') return alignOnOne(world, resources)
  const hint = mergeHints(world, resources)
  return { hint, admit: policy === 'best-effort' || hint.preferred }
}

/** A common place of all nodes says nothing about where: it is kept as "any". */
function alignOnOne(world: MergeWorld, resources: readonly ResourceHints[]): Alignment {
  const single = resources.map((hints) => singleNode(withDefaults(hints)))
  const merged = single.some((hints) => hints.length === 0) ? { nodes: nodeSet(world.nodes), preferred: false } : mergeHints(world, single)
  const nodes = sameSet(merged.nodes, nodeSet(world.nodes)) ? null : merged.nodes
  return { hint: { nodes, preferred: merged.preferred }, admit: merged.preferred }
}

/** Only hints that one node can satisfy, and those that do not care. */
export function singleNode(hints: readonly Hint[]): readonly Hint[] {
  return hints.filter((hint) => hint.preferred && (hint.nodes === null || hint.nodes.length === 1))
}
