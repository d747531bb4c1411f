/**
 * One place for all resources of a pod: the kubelet's merge of hints. Every combination of one hint per resource is
 * intersected; the best intersection wins. Combinations are folded resource by resource into the few states that differ, so
 * many resources on eight nodes cost hundreds of steps, not millions.
 */
import type { Hint, ResourceHints } from './hints.ts'
import type { Distance, NodeSet } from './node-set.ts'
import { averageDistance, compareNumbers, intersect, nodeSet, sameSet } from './node-set.ts'

export interface MergeWorld {
  /** all node ids of the device */
  readonly nodes: readonly number[]
  /** prefer-closest-numa-nodes: null = equally wide sets are chosen by number alone */
  readonly closest: Distance | null
}

/** The best common place; all nodes, not preferred, when the resources share none. Its `nodes` is never null. */
export function mergeHints(world: MergeWorld, resources: readonly ResourceHints[]): Hint & { readonly nodes: NodeSet } {
  const lists = resources.map(withDefaults)
  const ideal = widestNeed(lists)
  let best: (Hint & { readonly nodes: NodeSet }) | null = null
  for (const hint of combine(nodeSet(world.nodes), lists)) {
    if (best === null ? hint.nodes.length > 0 : isBetter(world.closest, ideal, best, hint)) best = hint
  }
  return best === null ? { nodes: nodeSet(world.nodes), preferred: false } : { nodes: best.nodes, preferred: best.preferred }
}

/** No preference counts as "any, preferred"; not to be had as "any, not preferred". */
export function withDefaults(hints: ResourceHints): readonly Hint[] {
  if (hints === null) return [{ nodes: null, preferred: true }]
  return hints.length === 0 ? [{ nodes: null, preferred: false }] : hints
}

/** Nodes that the neediest resource needs at least: no common place can be had on fewer without splitting one of them. */
export function widestNeed(lists: readonly (readonly Hint[])[]): number {
  let widest = 0
  for (const hints of lists) {
    const widths = hints.filter((hint) => hint.nodes !== null).map((hint) => hint.nodes?.length ?? 0)
    if (widths.length > 0) widest = Math.max(widest, Math.min(...widths))
  }
  return widest
}

/**
 * Is `candidate` better than `current`? Preferred first. Of two preferred ones the narrower. Of two others the one nearest to
 * `ideal` nodes from below, then the narrower. Equally wide: closer together (when asked), then lower-numbered.
 */
export function isBetter(closest: Distance | null, ideal: number, current: Hint, candidate: Hint): boolean {
  const [now, next] = [current.nodes ?? [], candidate.nodes ?? []]
  if (next.length === 0) return false
  if (current.preferred !== candidate.preferred) return candidate.preferred
  if (now.length === next.length) return isFitter(closest, now, next)
  if (current.preferred || now.length > ideal) return next.length < now.length
  return next.length > now.length && next.length <= ideal
}

function isFitter(closest: Distance | null, current: NodeSet, candidate: NodeSet): boolean {
  if (closest !== null) {
    const difference = averageDistance(candidate, closest) - averageDistance(current, closest)
    if (difference !== 0) return difference < 0
  }
  return compareNumbers(candidate, current) < 0
}

interface State {
  readonly nodes: NodeSet
  readonly preferred: boolean
  /** the one set that all hints so far named, null while none named any; meaningless once not preferred */
  readonly common: NodeSet | null
}

/** Distinct outcomes of all combinations. Preferred only if all hints are, and name the same set. */
function combine(all: NodeSet, lists: readonly (readonly Hint[])[]): readonly (Hint & { readonly nodes: NodeSet })[] {
  let states: ReadonlyMap<string, State> = new Map([['', { nodes: all, preferred: true, common: null }]])
  for (const hints of lists) {
    const next = new Map<string, State>()
    for (const state of states.values()) {
      for (const hint of hints) {
        const merged = step(state, hint)
        if (merged.nodes.length > 0) next.set(`${merged.nodes.join()};${merged.preferred};${merged.common?.join() ?? '*'}`, merged)
      }
    }
    states = next
  }
  return [...states.values()]
}

function step(state: State, hint: Hint): State {
  const nodes = hint.nodes === null ? state.nodes : intersect(state.nodes, hint.nodes)
  const agrees = hint.nodes === null || state.common === null || sameSet(hint.nodes, state.common)
  const preferred = state.preferred && hint.preferred && agrees
  return { nodes, preferred, common: preferred ? (state.common ?? hint.nodes) : null }
}
