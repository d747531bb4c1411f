import { MAX_SCORE } from '../framework.ts'
import type { ScorePlugin } from '../framework.ts'

const RESOURCES = ['cpu', 'memory'] as const

/** Prefers the device with the most left: a crowded gateway is a fragile one. */
export const leastAllocated: ScorePlugin = {
  name: 'LeastAllocated',
  score: (pod, node) => {
    let total = 0
    let weights = 0
    for (const name of RESOURCES) {
      const capacity = node.allocatable[name] ?? 0
      if (capacity === 0) continue
      const used = (node.scoringRequested[name] ?? 0) + (pod.scoringRequests[name] ?? 0)
      total += used > capacity ? 0 : Math.floor(((capacity - used) * MAX_SCORE) / capacity)
      weights += 1
    }
    return weights === 0 ? 0 : Math.floor(total / weights)
  },
}
