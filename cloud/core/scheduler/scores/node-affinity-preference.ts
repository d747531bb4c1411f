import { MAX_SCORE } from '../framework.ts'
import type { ScorePlugin } from '../framework.ts'
import type { NodeAffinityArgs } from '../filters/node-affinity.ts'
import { termMatchesNode } from '../node-affinity.ts'

/** Prefers nodes that match more of what the pod would rather have, by weight. */
export function nodeAffinityPreference({ addedAffinity }: NodeAffinityArgs = {}): ScorePlugin {
  const added = addedAffinity?.preferred ?? []
  return {
    name: 'NodeAffinity',
    applies: (pod) => added.length > 0 || pod.nodeAffinity.preferred.length > 0,
    score: (pod, node) => {
      let sum = 0
      for (const { term, weight } of added) if (termMatchesNode(term, node)) sum += weight
      for (const { term, weight } of pod.nodeAffinity.preferred) if (termMatchesNode(term, node)) sum += weight
      return sum
    },
    normalizeScore: (scores) => {
      const most = scores.reduce((max, score) => Math.max(max, score), 0)
      return most === 0 ? scores : scores.map((score) => Math.trunc((MAX_SCORE * score) / most))
    },
  }
}
