/** Where does this pod go? Pure: the same pod and snapshot always give the same answer. */
import type { Placement } from '../../../protocol/desired-state.ts'
import { compareText } from '../meta.ts'
import { explain } from './explain.ts'
import type { Refusal } from './explain.ts'
import type { NodeInfo, PodInfo, Profile, Snapshot } from './framework.ts'

export type Decision =
  | { readonly kind: 'node'; readonly node: string; readonly placement: Placement; readonly score: number; readonly feasible: number }
  | { readonly kind: 'none'; readonly refusal: Refusal }

export function schedule(profile: Profile, pod: PodInfo, snapshot: Snapshot): Decision {
  const feasible = candidates(profile, pod, snapshot).filter((node) => profile.filters.every((plugin) => plugin.filter(pod, node).length === 0))
  if (feasible.length === 0) return { kind: 'none', refusal: explain(profile, pod, snapshot) }
  const totals = scoreAll(profile, pod, feasible)
  let best = 0
  // A total order: higher score, then smaller name. Chance would scatter equal pods and could not be replayed.
  for (let index = 1; index < feasible.length; index += 1) {
    const order = (totals[index] ?? 0) - (totals[best] ?? 0) || compareText(feasible[best]?.name ?? '', feasible[index]?.name ?? '')
    if (order > 0) best = index
  }
  const node = feasible[best]
  if (node === undefined) return { kind: 'none', refusal: explain(profile, pod, snapshot) }
  let placement: Placement = {}
  for (const plugin of profile.reserves) placement = { ...placement, ...plugin.reserve(pod, node) }
  return { kind: 'node', node: node.name, placement, score: totals[best] ?? 0, feasible: feasible.length }
}

function candidates(profile: Profile, pod: PodInfo, snapshot: Snapshot): readonly NodeInfo[] {
  let names: readonly string[] | null = null
  for (const plugin of profile.filters) {
    const narrowed = plugin.preFilter?.(pod, snapshot) ?? null
    if (narrowed === null) continue
    const keep = new Set(narrowed)
    names = names === null ? narrowed : names.filter((name) => keep.has(name))
  }
  if (names === null) return [...snapshot.values()]
  return names.map((name) => snapshot.get(name)).filter((node) => node !== undefined)
}

/** Weighted sum per node, in the order of `nodes`. */
function scoreAll(profile: Profile, pod: PodInfo, nodes: readonly NodeInfo[]): readonly number[] {
  const totals = nodes.map(() => 0)
  if (nodes.length === 1) return totals
  for (const { plugin, weight } of profile.scores) {
    const raw = nodes.map((node) => plugin.score(pod, node))
    const scores = plugin.normalizeScore?.(raw) ?? raw
    scores.forEach((score, index) => {
      totals[index] = (totals[index] ?? 0) + score * weight
    })
  }
  return totals
}
