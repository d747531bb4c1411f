/**
 * How much idle GPU of a device can the usual pods not use? The measure of "Beware of Fragmentation" (USENIX ATC'23): for each
 * usual pod all idle GPU if the pod cannot run here, else the idle remainders too small for it; averaged by how usual it is.
 */
import type { GpuAsk, GpuNode } from './gpu-shape.ts'
import { gpusSuffice, modelAllowed, totalLeft } from './gpu-shape.ts'

/** A usual pod and how usual it is; shares add up to 1. */
export interface TypicalPod {
  readonly ask: GpuAsk
  readonly share: number
}

/** Why idle GPU is lost. The classes are summed apart and in this order: rounding decides between neighbouring scores. */
const LACKS_BOTH = 0
const LACKS_GPU = 1
const LACKS_CPU = 2
const NO_GPU_ASKED = 3
const NO_GPU_ASKED_NOR_CPU = 4
const OTHER_MODEL = 5

/** Expected idle thousandths lost on this node. */
export function fragmentation(node: GpuNode, typical: readonly TypicalPod[]): number {
  const idle = totalLeft(node.gpuLeft)
  const lost = [0, 0, 0, 0, 0, 0]
  for (const { ask, share } of typical) {
    const hasCpu = node.cpuLeft >= ask.cpu
    if (ask.milli === 0) add(lost, hasCpu ? NO_GPU_ASKED : NO_GPU_ASKED_NOR_CPU, share * idle)
    else if (!modelAllowed(node, ask)) add(lost, OTHER_MODEL, share * idle)
    else if (!gpusSuffice(node.gpuLeft, ask)) add(lost, hasCpu ? LACKS_GPU : LACKS_BOTH, share * idle)
    else if (hasCpu) add(lost, LACKS_GPU, share * tooSmall(node.gpuLeft, ask.milli))
    else add(lost, LACKS_CPU, share * idle)
  }
  let sum = 0
  for (const part of lost) sum += part
  return sum
}

function add(lost: number[], kind: number, amount: number): void {
  lost[kind] = (lost[kind] ?? 0) + amount
}

function tooSmall(gpuLeft: readonly number[], milli: number): number {
  let sum = 0
  for (const left of gpuLeft) if (left < milli) sum += left
  return sum
}
