import { MAX_SCORE } from '../framework.ts'
import type { NodeInfo, PodInfo, WorldScorePlugin, WorldView } from '../framework.ts'
import { termTally } from '../filters/inter-pod-affinity.ts'
import { labelOf } from '../node-affinity.ts'
import { termMatchesPod } from '../pod-terms.ts'

export interface InterPodAffinityArgs {
  /** how much a pod's required affinity also draws the pods it wants near */
  readonly hardPodAffinityWeight?: number
}

/** Prefers the neighbours that pods ask for: this pod its own, and those already placed theirs. */
export function interPodAffinityPreference({ hardPodAffinityWeight = 1 }: InterPodAffinityArgs = {}): WorldScorePlugin {
  return {
    name: 'InterPodAffinity',
    applies: (pod, world) =>
      pod.terms.preferred.length > 0 || pod.terms.preferredAnti.length > 0 || ![...world.carried()].every(({ kind }) => kind === 'requiredAnti'),
    preScore(pod, world, feasible) {
      const raw = pullOn(pod, world, feasible, hardPodAffinityWeight)
      return raw === null ? null : spreadOut(raw)
    },
  }
}

/** Summed weights of what draws the pod to each node, negative where more keeps it away; null when nothing does either. */
export function pullOn(pod: PodInfo, world: WorldView, nodes: readonly NodeInfo[], hardPodAffinityWeight: number): readonly number[] | null {
  const pulls: { readonly key: string; amount(domain: string | undefined): number }[] = []
  for (const { term, weight } of pod.terms.preferred) pulls.push(pull(term.topologyKey, weight, termTally(term, world)))
  for (const { term, weight } of pod.terms.preferredAnti) pulls.push(pull(term.topologyKey, -weight, termTally(term, world)))
  for (const { kind, term, weight, domains } of world.carried()) {
    const draws = kind === 'required' ? hardPodAffinityWeight : kind === 'preferred' ? weight : kind === 'preferredAnti' ? -weight : 0
    if (draws === 0 || !termMatchesPod(term, pod, world.namespaceLabels)) continue
    pulls.push({ key: term.topologyKey, amount: (domain) => draws * (domain === undefined ? 0 : (domains.get(domain) ?? 0)) })
  }
  if (pulls.length === 0) return null
  return nodes.map((node) => pulls.reduce((sum, { key, amount }) => sum + amount(labelOf(node.labels, key)), 0))
}

function pull(key: string, weight: number, tally: { amount(domain: string | undefined): number }) {
  return { key, amount: (domain: string | undefined) => weight * tally.amount(domain) }
}

/** From the true smallest and greatest to 0 and MAX_SCORE. */
function spreadOut(raw: readonly number[]): readonly number[] | null {
  let least = Number.POSITIVE_INFINITY
  let most = Number.NEGATIVE_INFINITY
  for (const score of raw) {
    least = Math.min(least, score)
    most = Math.max(most, score)
  }
  return most > least ? raw.map((score) => Math.trunc(MAX_SCORE * ((score - least) / (most - least)))) : null
}
