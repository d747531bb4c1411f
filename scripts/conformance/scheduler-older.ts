/** Formulas as they were in Kubernetes 1.20, over what our own plugins count. Only their last step differs from today's. */
import type { NodeInfo, PodInfo } from '../../cloud/core/scheduler/framework.ts'
import { pullOn } from '../../cloud/core/scheduler/scores/inter-pod-affinity-preference.ts'
import { CPU_AND_MEMORY, onCurve, usage } from '../../cloud/core/scheduler/scores/resource-strategy.ts'
import type { ResourceWeight, ShapePoint } from '../../cloud/core/scheduler/scores/resource-strategy.ts'
import { lowerFirst } from './scheduler-case.ts'
import type { Stage } from './scheduler-case.ts'

interface OlderArgs {
  readonly resources?: readonly ResourceWeight[]
  readonly shape?: readonly ShapePoint[]
}

type Formula = (pod: PodInfo, node: NodeInfo, args: OlderArgs) => number

const FORMULAS: Readonly<Record<string, Formula>> = {
  // nothing instead of full marks where more is asked for than there is
  NodeResourcesMostAllocated: (pod, node, { resources = CPU_AND_MEMORY }) =>
    mean(pod, node, resources, (used, capacity) => (used > capacity ? 0 : Math.trunc((used * 100) / capacity))),
  // the distance of two shares, over requests with their defaults
  NodeResourcesBalancedAllocation: (pod, node) => {
    const [cpu = 1, memory = 1] = ['cpu', 'memory'].map((name) => {
      const use = usage(name, pod, node)
      return use === null || use.capacity === 0 ? 1 : use.used / use.capacity
    })
    return cpu >= 1 || memory >= 1 ? 0 : Math.trunc((1 - Math.abs(cpu - memory)) * 100)
  },
  // rounds the free share, not the used one
  RequestedToCapacityRatio: (pod, node, { shape = [], resources = CPU_AND_MEMORY }) => {
    let [sum, weights] = [0, 0]
    for (const { name, weight } of resources) {
      const { used, capacity } = usage(name, pod, node) ?? { used: node.requested[name] ?? 0, capacity: node.allocatable[name] ?? 0 }
      const score = onCurve(shape, capacity === 0 || used > capacity ? 100 : 100 - Math.trunc(((capacity - used) * 100) / capacity))
      if (score <= 0) continue
      sum += score * weight
      weights += weight
    }
    return weights === 0 ? 0 : Math.round(sum / weights)
  },
}

/** Scores by the formula of 1.20, or null where today's is the same. */
export function olderScores(plugin: string, args: unknown, { pod, world }: Stage, names: readonly string[]): Readonly<Record<string, number>> | null {
  const nodes = names.map((name) => world.get(name)).filter((node) => node !== undefined)
  if (plugin === 'InterPodAffinity') return clamped(nodes, pullOn(pod, world, nodes, hardWeightOf(args)))
  const formula = FORMULAS[plugin]
  if (formula === undefined) return null
  const own = lowerFirst(args ?? {}) as OlderArgs
  return Object.fromEntries(nodes.map((node) => [node.name, formula(pod, node, own)]))
}

function hardWeightOf(args: unknown): number {
  return (args as { readonly hardPodAffinityWeight?: number } | undefined)?.hardPodAffinityWeight ?? 1
}

/** From the smallest and greatest, of which zero is always one. */
function clamped(nodes: readonly NodeInfo[], raw: readonly number[] | null): Readonly<Record<string, number>> | null {
  if (raw === null) return null
  const [least, most] = [Math.min(0, ...raw), Math.max(0, ...raw)]
  const scores = raw.map((score) => (most > least ? Math.trunc((100 * (score - least)) / (most - least)) : 0))
  return Object.fromEntries(nodes.map((node, index) => [node.name, scores[index] ?? 0]))
}

function mean(pod: PodInfo, node: NodeInfo, resources: readonly ResourceWeight[], score: (used: number, capacity: number) => number): number {
  let [sum, weights] = [0, 0]
  for (const { name, weight } of resources) {
    const use = usage(name, pod, node)
    if (use !== null && use.capacity > 0) sum += weight * score(use.used, use.capacity)
    weights += weight
  }
  return Math.trunc(sum / weights)
}
