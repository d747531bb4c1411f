/** A device's GPUs as one pod sees them: those of the right model, and how much of each is free. */
import type { GpuAsk, GpuNode } from './gpu/gpu-shape.ts'
import { WHOLE_GPU } from './gpu/gpu-shape.ts'
import { gpuShare, modelMatches } from './gpu-match.ts'
import type { InUse } from './node-in-use.ts'
import type { Gpu } from './numa/node-topology.ts'
import type { PodAsks } from './pod-asks.ts'

export interface GpuView {
  /** in the order of `node.gpuLeft` */
  readonly gpus: readonly Gpu[]
  readonly node: GpuNode
  readonly ask: GpuAsk
}

/**
 * Whole GPUs of one resource, or a share of any one that can be shared. `resource`: '' for a share. Asks by memory become the
 * share of the smallest GPU of the view that they fit; GPUs that cannot hold them show nothing free.
 */
export function gpuView(inUse: InUse, asks: PodAsks, resource: string, count: number, cpu: number, cpuLeft: number): GpuView {
  const gpus = inUse.topology.gpus.filter(
    (gpu) => (resource === '' ? gpu.shareable : gpu.resource === resource) && modelMatches(asks.gpuModels, gpu.model),
  )
  const shares = gpus.map((gpu) => gpuShare(asks, gpu))
  const milli = resource === '' ? Math.min(WHOLE_GPU, ...shares) : WHOLE_GPU
  const gpuLeft = gpus.map((gpu, at) => {
    const free = inUse.freeGpus.get(gpu.id) ?? 0
    // amounts are counted against each GPU's own share, then shown on the scale of the view
    return resource === '' && free < (shares[at] ?? WHOLE_GPU) ? Math.min(free, milli - 1) : free
  })
  return {
    gpus,
    node: { cpuLeft, gpuLeft, model: gpus[0]?.model ?? '', kinds: new Set() },
    ask: { cpu, milli, count, models: [] },
  }
}
