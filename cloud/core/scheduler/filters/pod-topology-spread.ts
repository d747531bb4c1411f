import { cause } from '../../../../protocol/causes.ts'
import { matchesRequirements } from '../../../resources/label-selector.ts'
import type { NodeInfo, NodeTest, PodInfo, Sums, WorldFilterPlugin, WorldView } from '../framework.ts'
import { labelOf, nodeMatches } from '../node-affinity.ts'
import type { SpreadConstraint } from '../pod-terms.ts'
import { tolerates } from './tolerations.ts'

/** Hard spread: no domain may be more than maxSkew pods ahead of the emptiest one. */
export const podTopologySpread: WorldFilterPlugin = {
  name: 'PodTopologySpread',
  preFilter(pod, world): NodeTest | null {
    const hard = pod.spread.filter((constraint) => constraint.hard)
    if (hard.length === 0) return null
    const keys = hard.map((constraint) => constraint.topologyKey)
    const rules = hard.map((constraint) => ruleOf(pod, constraint, spreadTally(pod, constraint, keys, world)))
    return {
      passes: (node) => rules.every((rule) => skewOn(rule, node) <= rule.constraint.maxSkew),
      filter: (node) =>
        rules.flatMap((rule) => {
          const skew = skewOn(rule, node)
          const { topologyKey, maxSkew } = rule.constraint
          if (skew <= maxSkew) return []
          if (skew === Number.POSITIVE_INFINITY) return [cause('placement.spread.no-label', { key: topologyKey })]
          const domain = labelOf(node.labels, topologyKey) ?? ''
          const has = rule.tally.amount(domain)
          return [cause('placement.spread.skew', { key: topologyKey, domain, has, least: rule.least, skew, max: maxSkew })]
        }),
    }
  },
}

interface Rule {
  readonly constraint: SpreadConstraint
  readonly tally: Sums
  readonly least: number
  /** 1 when the pod itself is counted */
  readonly self: number
}

function ruleOf(pod: PodInfo, constraint: SpreadConstraint, tally: Sums): Rule {
  const self = constraint.selector !== null && matchesRequirements(constraint.selector, pod.labels) ? 1 : 0
  return { constraint, tally, self, least: tally.domains < constraint.minDomains ? 0 : tally.least() }
}

/** Infinite when the node has no value for the key. */
function skewOn({ constraint, tally, least, self }: Rule, node: NodeInfo): number {
  const domain = labelOf(node.labels, constraint.topologyKey)
  return domain === undefined ? Number.POSITIVE_INFINITY : tally.amount(domain) + self - least
}

/** Matching pods by domain, over the nodes that count for this pod: those with all `keys` that its policies include. */
export function spreadTally(pod: PodInfo, constraint: SpreadConstraint, keys: readonly string[], world: WorldView): Sums {
  const eligible = eligibility(pod, constraint)
  const key = JSON.stringify(['spread', pod.namespace, constraint.topologyKey, constraint.selectorKey, keys, eligible.key])
  return world.tally(key, (node) => {
    if (!keys.every((one) => Object.hasOwn(node.labels, one)) || !eligible.of(node)) return null
    return { domain: labelOf(node.labels, constraint.topologyKey) ?? '', amount: matchingPods(node, constraint, pod.namespace) }
  })
}

/** Pods on the node that the constraint counts. Leaving pods make room; an empty selector counts none, as in Kubernetes. */
export function matchingPods(node: NodeInfo, { selector }: SpreadConstraint, namespace: string): number {
  if (selector === null || selector.length === 0) return 0
  let count = 0
  for (const pod of node.pods.values()) {
    if (!pod.leaving && pod.namespace === namespace && matchesRequirements(selector, pod.labels)) count += 1
  }
  return count
}

function eligibility(pod: PodInfo, constraint: SpreadConstraint): { readonly key: string; of(node: NodeInfo): boolean } {
  const affinity = constraint.honorsAffinity ? JSON.stringify([pod.selector, pod.nodeAffinity.required]) : ''
  const taints = constraint.honorsTaints ? JSON.stringify(pod.tolerations) : ''
  return {
    key: `${affinity} ${taints}`,
    of: (node) =>
      (!constraint.honorsAffinity || nodeMatches(pod.selector, pod.nodeAffinity, node)) &&
      (!constraint.honorsTaints || node.taints.every((taint) => taint.effect === 'PreferNoSchedule' || tolerates(pod.tolerations, taint))),
  }
}
