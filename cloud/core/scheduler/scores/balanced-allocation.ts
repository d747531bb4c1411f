import { MAX_SCORE } from '../framework.ts'
import type { ScorePlugin } from '../framework.ts'

const RESOURCES = ['cpu', 'memory'] as const

/** Prefers the device where cpu and memory would be used to the same degree (one minus the standard deviation). */
export const balancedAllocation: ScorePlugin = {
  name: 'BalancedAllocation',
  score: (pod, node) => {
    const fractions: number[] = []
    for (const name of RESOURCES) {
      const capacity = node.allocatable[name] ?? 0
      if (capacity > 0) fractions.push(Math.min(1, ((node.requested[name] ?? 0) + (pod.requests[name] ?? 0)) / capacity))
    }
    if (fractions.length === 0) return MAX_SCORE
    const mean = fractions.reduce((sum, value) => sum + value, 0) / fractions.length
    const variance = fractions.reduce((sum, value) => sum + (value - mean) ** 2, 0) / fractions.length
    return Math.trunc((1 - Math.sqrt(variance)) * MAX_SCORE)
  },
}
