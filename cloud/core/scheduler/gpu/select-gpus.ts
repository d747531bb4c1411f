/** Which GPUs of a device does a pod get, when nothing but fit decides? */
import type { GpuAsk } from './gpu-shape.ts'
import { WHOLE_GPU, isShare } from './gpu-shape.ts'

/**
 * Best fit: a share goes where it leaves the least over, whole GPUs are the first idle ones; ties by position. Empty when the
 * pod asks for none or does not fit.
 */
export function bestFitGpus(gpuLeft: readonly number[], ask: GpuAsk): readonly number[] {
  if (ask.count === 0 || ask.milli === 0) return []
  return isShare(ask) ? tightest(gpuLeft, ask.milli) : idle(gpuLeft, ask.count)
}

function tightest(gpuLeft: readonly number[], milli: number): readonly number[] {
  let best = -1
  gpuLeft.forEach((left, gpu) => {
    if (left >= milli && (best === -1 || left < (gpuLeft[best] ?? 0))) best = gpu
  })
  return best === -1 ? [] : [best]
}

function idle(gpuLeft: readonly number[], count: number): readonly number[] {
  const free: number[] = []
  gpuLeft.forEach((left, gpu) => {
    if (left === WHOLE_GPU && free.length < count) free.push(gpu)
  })
  return free.length === count ? free : []
}
