/** Is this GPU one that the pod takes, and how much of it? */
import { WHOLE_GPU } from './gpu/gpu-shape.ts'
import type { Gpu } from './numa/node-topology.ts'
import type { Topology } from '../../../protocol/inventory.ts'
import { nodeTopology } from './numa/node-topology.ts'
import { GPU_MEMORY, GPU_MILLI } from './pod-asks.ts'
import type { PodAsks } from './pod-asks.ts'

/** Thousandths of this GPU that the pod takes of it. More than 1000: it can never hold it. */
export function gpuShare(asks: PodAsks, gpu: Gpu): number {
  if (asks.gpuMilli === 0 && asks.gpuMemory === 0) return WHOLE_GPU
  const byMemory = asks.gpuMemory === 0 ? 0 : gpu.memoryBytes === 0 ? Infinity : Math.ceil((asks.gpuMemory / gpu.memoryBytes) * WHOLE_GPU)
  return Math.max(asks.gpuMilli, byMemory)
}

/** `A100` and `nvidia a100-sxm4` both name "NVIDIA A100-SXM4-40GB": whole words, in order. No list = any model. */
export function modelMatches(wanted: readonly string[], model: string): boolean {
  return wanted.length === 0 || wanted.some((name) => `-${words(model)}-`.includes(`-${words(name)}-`))
}

function words(text: string): string {
  return text
    .toLowerCase()
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
    .join('-')
}

/** What a device offers beside whole GPUs: thousandths and memory of those that can be shared. Nothing without any. */
export function sharedGpuResources(topology: Topology): Readonly<Record<string, number>> {
  const gpus = nodeTopology(topology).gpus.filter((gpu) => gpu.shareable)
  if (gpus.length === 0) return {}
  return { [GPU_MILLI]: gpus.length * WHOLE_GPU, [GPU_MEMORY]: gpus.reduce((sum, gpu) => sum + gpu.memoryBytes, 0) }
}
