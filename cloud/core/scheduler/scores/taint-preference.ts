import { tolerates } from '../filters/tolerations.ts'
import { MAX_SCORE } from '../framework.ts'
import type { ScorePlugin } from '../framework.ts'

/** Prefers devices with fewer PreferNoSchedule taints that the pod does not tolerate. */
export const taintPreference: ScorePlugin = {
  name: 'TaintToleration',
  score: (pod, node) => {
    if (node.taints.length === 0) return 0
    const relevant = pod.tolerations.filter((toleration) => toleration.effect === undefined || toleration.effect === 'PreferNoSchedule')
    return node.taints.filter((taint) => taint.effect === 'PreferNoSchedule' && !tolerates(relevant, taint)).length
  },
  normalizeScore: (scores) => {
    const most = scores.reduce((max, score) => Math.max(max, score), 0)
    return scores.map((score) => (most === 0 ? MAX_SCORE : MAX_SCORE - Math.trunc((MAX_SCORE * score) / most)))
  },
}
