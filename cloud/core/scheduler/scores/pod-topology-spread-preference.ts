import { MAX_SCORE } from '../framework.ts'
import type { NodeInfo, WorldScorePlugin } from '../framework.ts'
import { matchingPods, spreadTally } from '../filters/pod-topology-spread.ts'
import { labelOf } from '../node-affinity.ts'

const HOSTNAME = 'kubernetes.io/hostname'

/** Soft spread: prefers domains with fewer matching pods; keys with more domains weigh more. */
export const podTopologySpreadPreference: WorldScorePlugin = {
  name: 'PodTopologySpread',
  applies: (pod) => pod.spread.some((constraint) => !constraint.hard),
  same: MAX_SCORE,
  preScore(pod, world, feasible) {
    const soft = pod.spread.filter((constraint) => !constraint.hard)
    if (soft.length === 0) return null
    const keys = soft.map((constraint) => constraint.topologyKey)
    const counts = (node: NodeInfo): boolean => keys.every((key) => Object.hasOwn(node.labels, key))
    const counted = feasible.filter(counts)
    const parts = soft.map((constraint) => {
      const { topologyKey, maxSkew } = constraint
      const byHost = topologyKey === HOSTNAME
      const size = byHost ? counted.length : new Set(counted.map((node) => labelOf(node.labels, topologyKey))).size
      const tally = byHost ? null : spreadTally(pod, constraint, keys, world)
      const amount = (node: NodeInfo): number =>
        tally === null ? matchingPods(node, constraint, pod.namespace) : tally.amount(labelOf(node.labels, topologyKey))
      return { amount, weight: Math.log(size + 2), skew: maxSkew - 1 }
    })
    const raw = feasible.map((node) =>
      counts(node) ? Math.trunc(parts.reduce((sum, { amount, weight, skew }) => sum + (amount(node) * weight + skew), 0)) : null,
    )
    return inverted(raw)
  },
}

/** The most crowded domain gets the least; nodes outside all domains get 0. */
function inverted(raw: readonly (number | null)[]): readonly number[] {
  let least = Number.POSITIVE_INFINITY
  let most = 0
  for (const score of raw) {
    if (score === null) continue
    least = Math.min(least, score)
    most = Math.max(most, score)
  }
  return raw.map((score) => (score === null ? 0 : most === 0 ? MAX_SCORE : Math.trunc((MAX_SCORE * (most + least - score)) / most)))
}
