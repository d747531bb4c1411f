/**
 * Every plugin by name, made from its arguments. A plugin of your own is one more entry: a file that exports it, named in the
 * scheduler configuration, is enough. Arguments are Kubernetes' own where the plugin is.
 */
import { NODE_AFFINITY } from '../../../protocol/pod-scheduling.ts'
import { check, int, list, obj, oneOf, required, str } from '../../../protocol/shape.ts'
import type { Infer, Issue, Shape } from '../../../protocol/shape.ts'
import { architecture } from './filters/architecture.ts'
import { interPodAffinity } from './filters/inter-pod-affinity.ts'
import { networkClass } from './filters/network-class.ts'
import { nodeAffinityFilter } from './filters/node-affinity.ts'
import { nodeName } from './filters/node-name.ts'
import { nodePorts } from './filters/node-ports.ts'
import { nodeReady } from './filters/node-ready.ts'
import { nodeResourcesFitFor } from './filters/node-resources-fit.ts'
import { nodeSelector } from './filters/node-selector.ts'
import { nodeUnschedulable } from './filters/node-unschedulable.ts'
import { podTopologySpread } from './filters/pod-topology-spread.ts'
import { recentRefusal } from './filters/recent-refusal.ts'
import { taintToleration } from './filters/taint-toleration.ts'
import { volumeBinding } from './filters/volume-binding.ts'
import type { FilterPlugin, PermitPlugin, ReservePlugin, ScorePlugin, WorldFilterPlugin, WorldScorePlugin } from './framework.ts'
import { gpuFilter, gpuReserve, gpuScore } from './gpu.ts'
import { nodeAffinityOf } from './node-affinity.ts'
import { numaFilter, numaReserve, numaScore } from './numa.ts'
import { pidsReserve } from './pids-reserve.ts'
import { balancedAllocationOf } from './scores/balanced-allocation.ts'
import { imageLocality } from './scores/image-locality.ts'
import { interPodAffinityPreference } from './scores/inter-pod-affinity-preference.ts'
import { nodeAffinityPreference } from './scores/node-affinity-preference.ts'
import { podTopologySpreadPreference } from './scores/pod-topology-spread-preference.ts'
import { powerState } from './scores/power-state.ts'
import { pullCost } from './scores/pull-cost.ts'
import { CPU_AND_MEMORY, leastAllocatedBy, mostAllocatedBy, requestedToCapacityRatio } from './scores/resource-strategy.ts'
import { taintPreference } from './scores/taint-preference.ts'

/** What one plugin does, phase by phase. */
export interface PluginParts {
  readonly filter?: FilterPlugin
  readonly worldFilter?: WorldFilterPlugin
  readonly score?: ScorePlugin
  readonly worldScore?: WorldScorePlugin
  readonly reserve?: ReservePlugin
  readonly permit?: PermitPlugin
}

export interface PluginEntry {
  readonly name: string
  /** of its score, where the configuration does not say one */
  readonly weight: number
  /** the plugin, or what is wrong with its arguments */
  create(args: unknown): { readonly ok: true; readonly parts: PluginParts } | { readonly ok: false; readonly issues: readonly Issue[] }
}

const NO_ARGS = obj({})
const RESOURCE_LIST = list(obj({ name: required(str({ min: 1, max: 316 })), weight: int(1, 100) }), { max: 64 })
const FIT_ARGS = obj({
  ignoredResources: list(str(), { max: 64 }),
  ignoredResourceGroups: list(str(), { max: 64 }),
  overcommitClasses: list(str({ min: 1, max: 253 }), { max: 16 }),
  scoringStrategy: obj({
    type: oneOf('LeastAllocated', 'MostAllocated', 'RequestedToCapacityRatio'),
    resources: RESOURCE_LIST,
    requestedToCapacityRatio: obj({ shape: list(obj({ utilization: required(int(0, 100)), score: required(int(0, 10)) }), { max: 32 }) }),
  }),
})
const AFFINITY_ARGS = obj({ addedAffinity: NODE_AFFINITY })

/** In the order in which the rules of the default profile are asked: cheap and selective ones first. */
export const PLUGIN_TABLE: readonly PluginEntry[] = [
  plain('NodeName', { filter: nodeName }),
  plain('NodeUnschedulable', { filter: nodeUnschedulable }),
  plain('NodeReady', { filter: nodeReady }),
  plain('TaintToleration', { filter: taintToleration, score: taintPreference }, 3),
  plain('NodeSelector', { filter: nodeSelector }),
  plain('Architecture', { filter: architecture }),
  entry('NodeAffinity', 2, AFFINITY_ARGS, ({ addedAffinity }) => {
    const args = addedAffinity === undefined ? {} : { addedAffinity: nodeAffinityOf({ nodeAffinity: addedAffinity }) }
    return { filter: nodeAffinityFilter(args), score: nodeAffinityPreference(args) }
  }),
  plain('VolumeBinding', { filter: volumeBinding }),
  plain('NetworkClass', { filter: networkClass }),
  plain('NodePorts', { filter: nodePorts }),
  entry('NodeResourcesFit', 1, FIT_ARGS, (args) => ({ filter: nodeResourcesFitFor(args), score: strategyOf(args.scoringStrategy) })),
  entry('NodeResourcesBalancedAllocation', 1, obj({ resources: RESOURCE_LIST }), ({ resources }) => ({
    score: balancedAllocationOf(resources ?? CPU_AND_MEMORY),
  })),
  plain('PodTopologySpread', { worldFilter: podTopologySpread, worldScore: podTopologySpreadPreference }, 2),
  entry('InterPodAffinity', 2, obj({ hardPodAffinityWeight: int(0, 100) }), (args) => ({
    worldFilter: interPodAffinity,
    worldScore: interPodAffinityPreference(args),
  })),
  plain('RecentRefusal', { worldFilter: recentRefusal }),
  plain('ImageLocality', { worldScore: imageLocality }),
  plain('PowerState', { score: powerState }, 2),
  plain('PullCost', { worldScore: pullCost }),
  plain('Pids', { reserve: pidsReserve }),
  plain('NumaAlignment', { filter: numaFilter, score: numaScore, reserve: numaReserve }, 5),
  // a GPU left in pieces is lost for good: one step of this outweighs all other preferences together
  plain('GpuFragmentation', { filter: gpuFilter, score: gpuScore(), reserve: gpuReserve() }, 10_000),
]

type Strategy = Infer<typeof FIT_ARGS>['scoringStrategy']

function strategyOf(strategy: Strategy): ScorePlugin {
  const resources = (strategy?.resources ?? CPU_AND_MEMORY).map(({ name, weight = 1 }) => ({ name, weight }))
  if (strategy?.type === 'MostAllocated') return mostAllocatedBy(resources)
  if (strategy?.type === 'RequestedToCapacityRatio') return requestedToCapacityRatio(strategy.requestedToCapacityRatio?.shape ?? [], resources)
  return leastAllocatedBy(resources)
}

function plain(name: string, parts: PluginParts, weight = 1): PluginEntry {
  return entry(name, weight, NO_ARGS, () => parts)
}

function entry<A>(name: string, weight: number, shape: Shape<A>, make: (args: A) => PluginParts): PluginEntry {
  return {
    name,
    weight,
    create(args) {
      const issues = check(shape, args ?? {})
      return issues.length > 0 ? { ok: false, issues } : { ok: true, parts: make((args ?? {}) as A) }
    },
  }
}
