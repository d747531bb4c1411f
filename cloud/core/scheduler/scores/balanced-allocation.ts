import { MAX_SCORE } from '../framework.ts'
import type { NodeInfo, PodInfo, ScorePlugin } from '../framework.ts'
import { CPU_AND_MEMORY } from './resource-strategy.ts'
import type { ResourceWeight } from './resource-strategy.ts'

/** Prefers the device where resources would be used to the same degree (one minus the standard deviation). */
export function balancedAllocationOf(resources: readonly Pick<ResourceWeight, 'name'>[]): ScorePlugin {
  const names = resources.map(({ name }) => name)
  const usual = names.length === 2 && names[0] === 'cpu' && names[1] === 'memory'
  return {
    name: 'BalancedAllocation',
    // a pod that asks for nothing changes no balance
    applies: (pod) => names.some((name) => (pod.requests[name] ?? 0) > 0),
    score: (pod, node) => {
      if (usual) return Math.trunc((1 - usualDeviation(pod, node)) * MAX_SCORE)
      const fractions: number[] = []
      for (const name of names) {
        const capacity = node.allocatable[name] ?? 0
        if (capacity <= 0 || !counts(name, pod)) continue
        fractions.push(Math.min(1, ((node.requested[name] ?? 0) + (pod.requests[name] ?? 0)) / capacity))
      }
      return Math.trunc((1 - deviation(fractions)) * MAX_SCORE)
    },
  }
}

export const balancedAllocation = balancedAllocationOf(CPU_AND_MEMORY)

function counts(name: string, pod: PodInfo): boolean {
  return name === 'cpu' || name === 'memory' || (pod.requests[name] ?? 0) > 0
}

/** cpu and memory without a list: this is asked of every device for every new pod. */
function usualDeviation({ requests }: PodInfo, { allocatable, requested }: NodeInfo): number {
  const [cpu, memory] = [allocatable['cpu'] ?? 0, allocatable['memory'] ?? 0]
  if (cpu <= 0 || memory <= 0) return 0
  const a = Math.min(1, ((requested['cpu'] ?? 0) + (requests['cpu'] ?? 0)) / cpu)
  const b = Math.min(1, ((requested['memory'] ?? 0) + (requests['memory'] ?? 0)) / memory)
  return Math.abs((a - b) / 2)
}

/** Kubernetes' way for two, which is also the exact one. */
function deviation(fractions: readonly number[]): number {
  if (fractions.length < 2) return 0
  if (fractions.length === 2) return Math.abs(((fractions[0] ?? 0) - (fractions[1] ?? 0)) / 2)
  const mean = fractions.reduce((sum, value) => sum + value, 0) / fractions.length
  return Math.sqrt(fractions.reduce((sum, value) => sum + (value - mean) * (value - mean), 0) / fractions.length)
}
