/** NodeResourcesFit's three ways to score what would be used: keep devices empty, fill them, or follow a curve. */
import { MAX_SCORE } from '../framework.ts'
import type { NodeInfo, PodInfo, ScorePlugin } from '../framework.ts'

export interface ResourceWeight {
  readonly name: string
  readonly weight: number
}

export interface ShapePoint {
  /** percent */
  readonly utilization: number
  /** 0 to 10 */
  readonly score: number
}

export const CPU_AND_MEMORY: readonly ResourceWeight[] = [
  { name: 'cpu', weight: 1 },
  { name: 'memory', weight: 1 },
]

/** Prefers the device with the most left: a crowded gateway is a fragile one. */
export function leastAllocatedBy(resources: readonly ResourceWeight[]): ScorePlugin {
  return average('LeastAllocated', resources, (used, capacity) => (used > capacity ? 0 : Math.trunc(((capacity - used) * MAX_SCORE) / capacity)))
}

/** Prefers the fullest device that still takes the pod, so that others stay free for large pods. */
export function mostAllocatedBy(resources: readonly ResourceWeight[]): ScorePlugin {
  return average('MostAllocated', resources, (used, capacity) => Math.trunc((Math.min(used, capacity) * MAX_SCORE) / capacity))
}

/** Follows a curve from utilisation to score; resources that score nothing are left out of the mean, as in Kubernetes. */
export function requestedToCapacityRatio(shape: readonly ShapePoint[], resources: readonly ResourceWeight[]): ScorePlugin {
  return {
    name: 'RequestedToCapacityRatio',
    score: (pod, node) => {
      let sum = 0
      let weights = 0
      for (const { name, weight } of resources) {
        const use = usage(name, pod, node)
        if (use === null) continue
        const percent = use.used > use.capacity ? 100 : Math.trunc((use.used * 100) / use.capacity)
        const score = onCurve(shape, percent)
        if (score <= 0) continue
        sum += score * weight
        weights += weight
      }
      return weights === 0 ? 0 : Math.round(sum / weights)
    },
  }
}

/** Height of the curve, 0 to MAX_SCORE, in whole steps as Kubernetes counts. */
export function onCurve(shape: readonly ShapePoint[], percent: number): number {
  const height = (point: ShapePoint | undefined): number => ((point?.score ?? 0) * MAX_SCORE) / 10
  for (const [index, point] of shape.entries()) {
    if (percent > point.utilization) continue
    const before = shape[index - 1]
    if (before === undefined) return height(point)
    const rise = (height(point) - height(before)) * (percent - before.utilization)
    return height(before) + Math.trunc(rise / (point.utilization - before.utilization))
  }
  return height(shape.at(-1))
}

function average(name: string, resources: readonly ResourceWeight[], score: (used: number, capacity: number) => number): ScorePlugin {
  const [first, second] = resources
  const usual = resources.length === 2 && first?.name === 'cpu' && second?.name === 'memory' && first.weight === 1 && second.weight === 1
  return {
    name,
    score: (pod, node) => {
      if (usual) {
        const { allocatable, scoringRequested: held } = node
        const { cpu = 0, memory = 0 } = pod.scoringRequests
        const [cpus, bytes] = [allocatable['cpu'] ?? 0, allocatable['memory'] ?? 0]
        // without a list, where both are known: this is asked of every device for every new pod
        if (cpus !== 0 && bytes !== 0) return Math.trunc((score((held['cpu'] ?? 0) + cpu, cpus) + score((held['memory'] ?? 0) + memory, bytes)) / 2)
      }
      let sum = 0
      let weights = 0
      for (const { name: resource, weight } of resources) {
        const capacity = node.allocatable[resource] ?? 0
        if (capacity === 0) continue
        const used = usedOf(resource, pod, node)
        if (used < 0) continue
        sum += score(used, capacity) * weight
        weights += weight
      }
      return weights === 0 ? 0 : Math.trunc(sum / weights)
    },
  }
}

/** With the pod there; -1 for a resource beside cpu and memory that it does not ask for. */
function usedOf(name: string, pod: PodInfo, node: NodeInfo): number {
  if (name === 'cpu') return (node.scoringRequested['cpu'] ?? 0) + (pod.scoringRequests['cpu'] ?? 0)
  if (name === 'memory') return (node.scoringRequested['memory'] ?? 0) + (pod.scoringRequests['memory'] ?? 0)
  const asked = pod.requests[name] ?? 0
  return asked === 0 ? -1 : (node.requested[name] ?? 0) + asked
}

/** With the pod there; null for a resource beside cpu and memory that the pod does not ask for. */
export function usage(name: string, pod: PodInfo, node: NodeInfo): { readonly used: number; readonly capacity: number } | null {
  const used = usedOf(name, pod, node)
  return used < 0 ? null : { used, capacity: node.allocatable[name] ?? 0 }
}
