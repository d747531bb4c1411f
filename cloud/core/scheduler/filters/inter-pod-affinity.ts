import { cause } from '../../../../protocol/causes.ts'
import type { NodeInfo, NodeTest, PodInfo, Sums, WorldFilterPlugin, WorldView } from '../framework.ts'
import { labelOf } from '../node-affinity.ts'
import { termMatchesPod } from '../pod-terms.ts'
import type { Term } from '../pod-terms.ts'

/** Required affinity and anti-affinity between pods, and the anti-affinity of pods that are already there. */
export const interPodAffinity: WorldFilterPlugin = {
  name: 'InterPodAffinity',
  preFilter(pod, world): NodeTest | null {
    const together = pod.terms.required.map((term) => ({ key: term.topologyKey, tally: togetherTally(pod, term, world) }))
    const apart = pod.terms.requiredAnti.map((term) => ({ key: term.topologyKey, tally: termTally(term, world) }))
    const guarded = guardedDomains(pod, world)
    if (together.length === 0 && apart.length === 0 && guarded.length === 0) return null
    // the first of a group that wants to be together: nobody is there yet, and it matches its own terms
    const first =
      together.every(({ tally }) => tally.total === 0) && pod.terms.required.every((term) => termMatchesPod(term, pod, world.namespaceLabels))
    const misses = (node: NodeInfo): string | null => {
      for (const { key, tally } of together) {
        const domain = labelOf(node.labels, key)
        if (domain === undefined || (!first && tally.amount(domain) <= 0)) return key
      }
      return null
    }
    const meets = (node: NodeInfo): string | null => apart.find(({ key, tally }) => tally.amount(labelOf(node.labels, key)) > 0)?.key ?? null
    const refusedBy = (node: NodeInfo): string | null => guarded.find(({ key, domains }) => domains.has(labelOf(node.labels, key) ?? ''))?.key ?? null
    return {
      passes: (node) => misses(node) === null && meets(node) === null && refusedBy(node) === null,
      filter: (node) => {
        const [missing, met, refused] = [misses(node), meets(node), refusedBy(node)]
        const domain = (key: string): string => labelOf(node.labels, key) ?? '(absent)'
        return [
          ...(missing === null ? [] : [cause('placement.affinity.pods-missing', { key: missing, domain: domain(missing) })]),
          ...(met === null ? [] : [cause('placement.affinity.pods-present', { key: met, domain: domain(met) })]),
          ...(refused === null ? [] : [cause('placement.affinity.pods-refuse', { key: refused, domain: domain(refused) })]),
        ]
      },
    }
  },
}

/** Pods by domain that one term means. */
export function termTally(term: Term, world: WorldView): Sums {
  return world.tally(`term ${term.key}`, (node) => countWhere(node, term, (pod) => termMatchesPod(term, pod, world.namespaceLabels)))
}

/** Pods by domain of `term` that match all required terms of the pod: only those satisfy any of them. */
function togetherTally(pod: PodInfo, term: Term, world: WorldView): Sums {
  const { required } = pod.terms
  if (required.length === 1) return termTally(term, world)
  const key = `together ${term.topologyKey} ${required.map((one) => one.key).join(' ')}`
  return world.tally(key, (node) => countWhere(node, term, (other) => required.every((one) => termMatchesPod(one, other, world.namespaceLabels))))
}

function countWhere(node: NodeInfo, term: Term, matches: (pod: PodInfo) => boolean): { readonly domain: string; readonly amount: number } | null {
  const domain = labelOf(node.labels, term.topologyKey)
  if (domain === undefined) return null
  let amount = 0
  for (const pod of node.pods.values()) if (matches(pod)) amount += 1
  return { domain, amount }
}

/** Domains where a pod's anti-affinity keeps this pod out. */
function guardedDomains(pod: PodInfo, world: WorldView): readonly { readonly key: string; readonly domains: ReadonlyMap<string, number> }[] {
  const out = []
  for (const { kind, term, domains } of world.carried()) {
    if (kind === 'requiredAnti' && termMatchesPod(term, pod, world.namespaceLabels)) out.push({ key: term.topologyKey, domains })
  }
  return out
}
