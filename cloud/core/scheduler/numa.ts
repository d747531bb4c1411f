/** NUMA plugins: can the pod have its CPUs, memory and GPUs near each other here, on how few nodes, and which ones? */
import type { FilterPlugin, ReservePlugin, ScorePlugin } from './framework.ts'
import { nodeInUse } from './node-in-use.ts'
import { formatIdList } from '../../../protocol/id-list.ts'
import { nodeCountScore } from './numa/zone-score.ts'
import { podAsks } from './pod-asks.ts'
import { asksForPlace, planTopology } from './topology-plan.ts'

const NAME = 'NumaAlignment'

export const numaFilter: FilterPlugin = {
  name: NAME,
  applies: asksForPlace,
  filter(pod, node) {
    if (!asksForPlace(pod)) return []
    const planned = planTopology(pod, node)
    return planned.ok ? [] : planned.causes
  },
}

/** Fewer nodes are better, and a set that is as good as an empty device would give better still. */
export const numaScore: ScorePlugin = {
  name: NAME,
  applies: (pod) => podAsks(pod).policy !== 'none',
  score(pod, node) {
    const planned = planTopology(pod, node)
    if (!planned.ok) return 0
    const { hint } = planned.plan
    const all = nodeInUse(node)?.topology.cpus.numaNodes.length ?? 1
    return Math.max(0, nodeCountScore(hint.nodes?.length ?? Math.max(1, all), hint.preferred))
  },
}

/** CPUs of its own and the memory nodes beside them. A place on all nodes is no place: nothing is said of it. */
export const numaReserve: ReservePlugin = {
  name: NAME,
  reserve(pod, node) {
    if (!asksForPlace(pod)) return {}
    const planned = planTopology(pod, node)
    if (!planned.ok) return {}
    const { cpus, hint } = planned.plan
    const all = nodeInUse(node)?.topology.cpus.numaNodes.length ?? 0
    const memoryNodes = hint.nodes !== null && hint.nodes.length < all ? formatIdList(hint.nodes) : null
    return { ...(cpus === null ? {} : { cpus: formatIdList(cpus) }), ...(memoryNodes === null ? {} : { memoryNodes }) }
  },
}
