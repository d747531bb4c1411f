/** GPU plugins: are there GPUs of the right model with enough left, where do they fragment least, and which ones are they? */
import { cause } from '../../../protocol/causes.ts'
import type { Cause } from '../../../protocol/causes.ts'
import { formatBytes } from '../../../protocol/units.ts'
import type { FilterPlugin, NodeInfo, PodInfo, ReservePlugin, ScorePlugin } from './framework.ts'
import { gpuView } from './gpu-free.ts'
import type { GpuView } from './gpu-free.ts'
import { modelMatches } from './gpu-match.ts'
import type { TypicalPod } from './gpu/fragmentation.ts'
import { gpusSuffice } from './gpu/gpu-shape.ts'
import { gradientThenUse } from './gpu/policies.ts'
import type { GpuPolicy } from './gpu/policies.ts'
import { nodeInUse, topologyOf } from './node-in-use.ts'
import type { InUse } from './node-in-use.ts'
import { isNear } from './numa/device-hints.ts'
import type { Hint } from './numa/hints.ts'
import { selectDevices } from './numa/select-devices.ts'
import { podAsks } from './pod-asks.ts'
import type { PodAsks } from './pod-asks.ts'
import { asksForPlace, gpuClaims, gpuDevices, planTopology } from './topology-plan.ts'

const NAME = 'GpuFragmentation'

/**
 * Which GPU pods are usual where nothing was measured: whole GPUs, halves and quarters, alike often. `typicalPods` makes a list
 * from real pods.
 */
export const USUAL_GPU_PODS: readonly TypicalPod[] = [
  { ask: { cpu: 4000, milli: 1000, count: 1, models: [] }, share: 1 / 3 },
  { ask: { cpu: 2000, milli: 500, count: 1, models: [] }, share: 1 / 3 },
  { ask: { cpu: 1000, milli: 250, count: 1, models: [] }, share: 1 / 3 },
]

export const gpuFilter: FilterPlugin = {
  name: NAME,
  applies: asksForGpu,
  filter(pod, node) {
    const asks = podAsks(pod)
    const inUse = nodeInUse(node)
    const shares = asks.gpuMilli > 0 || asks.gpuMemory > 0
    // whole GPUs of a device that tells no more than their number are counted by NodeResourcesFit
    if (inUse === null) return shares || asks.gpuModels.length > 0 ? [cause('placement.gpu.none')] : []
    if (shares && !inUse.topology.gpus.some((gpu) => gpu.shareable)) return [cause('placement.gpu.none')]
    if (asks.gpuModels.length > 0 && !inUse.topology.gpus.some((gpu) => modelMatches(asks.gpuModels, gpu.model))) return [modelCause(asks, inUse)]
    return gpuClaims(pod, inUse).flatMap(({ resource, count }) => shortage(viewOf(pod, node, inUse, resource, count), asks))
  },
}

export function gpuScore(usual: readonly TypicalPod[] = USUAL_GPU_PODS): ScorePlugin {
  const policy = gradientThenUse(usual)
  return {
    name: NAME,
    // a pod without a GPU is kept off the cpu that idle GPUs need
    score(pod, node) {
      const gpus = topologyOf(node)?.gpus.length ?? 0
      const inUse = gpus === 0 ? null : nodeInUse(node)
      if (inUse === null) return NO_GPU_TO_WASTE
      const ratings = claimsOrNone(pod, inUse).map(({ resource, count }) => {
        const { node: view, ask } = viewOf(pod, node, inUse, resource, count)
        return policy.rate(view, ask).score
      })
      return ratings.reduce((sum, score) => sum + score, 0) / ratings.length
    },
  }
}

export function gpuReserve(usual: readonly TypicalPod[] = USUAL_GPU_PODS): ReservePlugin {
  const policy = gradientThenUse(usual)
  return {
    name: NAME,
    reserve(pod, node) {
      const inUse = nodeInUse(node)
      const claims = inUse === null ? [] : gpuClaims(pod, inUse)
      if (inUse === null || claims.length === 0) return {}
      const planned = asksForPlace(pod) ? planTopology(pod, node) : null
      const hint: Hint = planned?.ok === true ? planned.plan.hint : { nodes: null, preferred: true }
      return { gpus: claims.flatMap(({ resource, count }) => choose(pod, node, inUse, resource, count, hint, policy)) }
    },
  }
}

/** What a device without GPUs scores: nothing is wasted there, and nothing is kept open. */
const NO_GPU_TO_WASTE = 50.5

function asksForGpu(pod: PodInfo): boolean {
  const { gpuMilli, gpuMemory, gpuModels } = podAsks(pod)
  return gpuMilli > 0 || gpuMemory > 0 || gpuModels.length > 0 || Object.keys(pod.requests).some((name) => /\/(gpu|mig-[a-z0-9.-]+)$/.test(name))
}

function claimsOrNone(pod: PodInfo, inUse: InUse): readonly { readonly resource: string; readonly count: number }[] {
  const claims = gpuClaims(pod, inUse)
  return claims.length > 0 ? claims : [{ resource: '', count: 0 }]
}

function viewOf(pod: PodInfo, node: NodeInfo, inUse: InUse, resource: string, count: number): GpuView {
  const cpu = pod.requests['cpu'] ?? 0
  const view = gpuView(inUse, podAsks(pod), resource, count, cpu, (node.allocatable['cpu'] ?? 0) - (node.requested['cpu'] ?? 0))
  return count === 0 ? { ...view, ask: { ...view.ask, milli: 0 } } : view
}

function shortage({ gpus, node, ask }: GpuView, asks: PodAsks): readonly Cause[] {
  if (gpusSuffice(node.gpuLeft, ask) && gpus.length >= ask.count) return []
  if (asks.gpuMilli === 0 && asks.gpuMemory === 0)
    return [cause('placement.gpu.short', { needs: ask.count, has: node.gpuLeft.filter((left) => left >= ask.milli).length, capacity: gpus.length })]
  const needs = [...(asks.gpuMilli > 0 ? [`${asks.gpuMilli}m`] : []), ...(asks.gpuMemory > 0 ? [`${formatBytes(asks.gpuMemory)} memory`] : [])]
  return [cause('placement.gpu.share-short', { needs: needs.join(' and '), has: `${Math.max(0, ...node.gpuLeft)}m` })]
}

function modelCause(asks: PodAsks, inUse: InUse): Cause {
  const models = [...new Set(inUse.topology.gpus.map((gpu) => (gpu.model === '' ? 'an unnamed model' : gpu.model)))]
  return cause('placement.gpu.model', { needs: asks.gpuModels.join(' or '), has: models.length === 0 ? 'no GPU' : models.join(', ') })
}

/** A share goes where it fragments least among the GPUs near the hint; whole GPUs are the first idle ones, near ones first. */
function choose(pod: PodInfo, node: NodeInfo, inUse: InUse, resource: string, count: number, hint: Hint, policy: GpuPolicy): readonly string[] {
  const asks = podAsks(pod)
  const { devices, taken } = gpuDevices(asks, inUse, { resource, count })
  if (resource !== '') return selectDevices({ count, devices, taken, reusable: [], nodes: hint.nodes, prefer: null }) ?? []
  const view = viewOf(pod, node, inUse, resource, count)
  const near = devices.map((device) => hint.nodes === null || isNear(device, hint.nodes))
  const someNear = devices.some((device, at) => near[at] === true && !taken.has(device.id))
  const gpuLeft = view.node.gpuLeft.map((left, at) => (someNear && near[at] !== true ? 0 : left))
  const { gpus } = policy.rate({ ...view.node, gpuLeft }, view.ask)
  return gpus.map((at) => view.gpus[at]?.id).filter((id) => id !== undefined)
}
