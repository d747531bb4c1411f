/** The default scheduler as two tables. A rule is added by adding a row. */
import { containerPids } from './pod-info.ts'
import { architecture } from './filters/architecture.ts'
import { nodeName } from './filters/node-name.ts'
import { nodePorts } from './filters/node-ports.ts'
import { nodeReady } from './filters/node-ready.ts'
import { nodeResourcesFit } from './filters/node-resources-fit.ts'
import { nodeSelector } from './filters/node-selector.ts'
import { nodeUnschedulable } from './filters/node-unschedulable.ts'
import { taintToleration } from './filters/taint-toleration.ts'
import type { Profile, ReservePlugin } from './framework.ts'
import { balancedAllocation } from './scores/balanced-allocation.ts'
import { leastAllocated } from './scores/least-allocated.ts'
import { taintPreference } from './scores/taint-preference.ts'

/** PID limit of the pod's containers; device topology plugins will add cpus, memory nodes and GPUs here. */
const pidsReserve: ReservePlugin = {
  name: 'Pids',
  reserve: ({ pod }) => ({ pids: containerPids(pod.spec, pod.spec.containers[0]?.resources) }),
}

/** Cheap and selective rules first: the first refusal ends the look at a node. */
export const DEFAULT_PROFILE: Profile = {
  name: 'default-scheduler',
  filters: [nodeName, nodeUnschedulable, nodeReady, taintToleration, nodeSelector, architecture, nodePorts, nodeResourcesFit],
  scores: [
    { plugin: leastAllocated, weight: 1 },
    { plugin: balancedAllocation, weight: 1 },
    { plugin: taintPreference, weight: 3 },
  ],
  reserves: [pidsReserve],
}
