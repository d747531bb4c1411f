/**
 * GPU placement policies behind one shape: how good is this device for the pod, and on which of its GPUs? Scores are whole
 * numbers 0 to 100 as published, so ties are the rule and the order of equal devices is part of the result: callers break ties
 * by something fixed, never by chance.
 */
import { fragmentation } from './fragmentation.ts'
import type { TypicalPod } from './fragmentation.ts'
import type { GpuAsk, GpuNode } from './gpu-shape.ts'
import { WHOLE_GPU, isShare, kindOf, totalLeft, withAsk } from './gpu-shape.ts'
import { bestFitGpus } from './select-gpus.ts'

export interface GpuRating {
  readonly score: number
  readonly gpus: readonly number[]
}

/** Only asked for nodes where the pod fits. */
export interface GpuPolicy {
  readonly name: string
  rate(node: GpuNode, ask: GpuAsk): GpuRating
}

/** Largest device of the published study: what amounts are measured against. */
const MAX_CPU = 128_000
const MAX_GPU = 8 * WHOLE_GPU
const MAX = 100

/** Fragmentation gradient: where does the pod add least to what the usual pods cannot use? */
export function fragmentationGradient(typical: readonly TypicalPod[]): GpuPolicy {
  return {
    name: 'FGD',
    rate(node, ask) {
      const before = fragmentation(node, typical)
      if (isShare(ask)) return bestShare(node, ask, before, typical)
      const gpus = bestFitGpus(node.gpuLeft, ask)
      return { score: gradientScore(before - fragmentation(withAsk(node, ask, gpus), typical)), gpus }
    },
  }
}

function bestShare(node: GpuNode, ask: GpuAsk, before: number, typical: readonly TypicalPod[]): GpuRating {
  let best: GpuRating = { score: 0, gpus: [] }
  node.gpuLeft.forEach((left, gpu) => {
    if (left < ask.milli) return
    const score = gradientScore(before - fragmentation(withAsk(node, ask, [gpu]), typical))
    if (best.gpus.length === 0 || score > best.score) best = { score, gpus: [gpu] }
  })
  return best
}

/** The sigmoid makes few steps of many gradients: small differences must not scatter pods. */
function gradientScore(gained: number): number {
  return Math.trunc((1 / (1 + Math.exp(-(gained / WHOLE_GPU)))) * MAX)
}

/**
 * What Skerry does: the fragmentation gradient, then idle devices last. The gradient alone leaves most devices equal, and the
 * result then hangs on how they are named and listed; on the published trace the second part gains under every order tried.
 */
export function gradientThenUse(typical: readonly TypicalPod[]): GpuPolicy {
  const gradient = fragmentationGradient(typical)
  return {
    name: 'default',
    rate(node, ask) {
      const { score, gpus } = gradient.rate(node, ask)
      return { score: score + useRank(node, ask), gpus }
    },
  }
}

/** 0 to 0.5, below one step of the gradient. A pod without a GPU goes where the least idle GPU is in its way. */
function useRank(node: GpuNode, ask: GpuAsk): number {
  if (kindOf(ask) === '') return 0.5 / (1 + totalLeft(node.gpuLeft) / WHOLE_GPU)
  return node.gpuLeft.some((left) => left < WHOLE_GPU) ? 0.5 : 0
}

/** Free part after the pod, of the largest device: 0 to 1. */
function spare(node: GpuNode, ask: GpuAsk): number {
  return ((node.cpuLeft - ask.cpu) / MAX_CPU) * 0.5 + ((totalLeft(node.gpuLeft) - ask.milli * ask.count) / MAX_GPU) * 0.5
}

export const BEST_FIT: GpuPolicy = {
  name: 'BestFit',
  rate: (node, ask) => ({ score: Math.trunc((1 - spare(node, ask)) * MAX), gpus: bestFitGpus(node.gpuLeft, ask) }),
}

/** Tetris: a pod goes where what it asks for and what is free point in different directions. */
export const DOT_PRODUCT: GpuPolicy = {
  name: 'DotProd',
  rate(node, ask) {
    const cpu = (node.cpuLeft / MAX_CPU) * (ask.cpu / MAX_CPU)
    const gpu = (totalLeft(node.gpuLeft) / MAX_GPU) * ((ask.milli * ask.count) / MAX_GPU)
    return { score: Math.trunc(MAX * (1 - (cpu + gpu) / 2)), gpus: bestFitGpus(node.gpuLeft, ask) }
  },
}

/** First GPUs that are shared already, then idle GPUs of a used device, then an idle device. */
export const GPU_PACKING: GpuPolicy = {
  name: 'GpuPacking',
  rate: (node, ask) => ({ score: kindOf(ask) === '' ? 0 : packingScore(node, ask), gpus: bestFitGpus(node.gpuLeft, ask) }),
}

function packingScore(node: GpuNode, ask: GpuAsk): number {
  const third = Math.trunc(MAX / 3)
  const idle = node.gpuLeft.filter((left) => left === WHOLE_GPU).length
  if (idle === node.gpuLeft.length) return Math.max(third - idle, idle)
  const used = node.gpuLeft
    .filter((left) => left >= ask.milli)
    .sort((a, b) => a - b)
    .slice(0, ask.count)
  const opened = used.filter((left) => left === WHOLE_GPU).length
  if (opened > 0) return Math.max(MAX / 2 - opened, third)
  const freePercent = used.reduce((sum, left) => sum + Math.trunc((left * 100) / WHOLE_GPU), 0)
  return Math.max(MAX - Math.trunc(freePercent / 10), MAX / 2)
}

/** Pods of one kind together: first on devices with only that kind, then with it among others, then on idle devices. */
export const GPU_CLUSTERING: GpuPolicy = {
  name: 'GpuClustering',
  rate: (node, ask) => ({ score: clusteringScore(node, ask), gpus: bestFitGpus(node.gpuLeft, ask) }),
}

function clusteringScore(node: GpuNode, ask: GpuAsk): number {
  const kind = kindOf(ask)
  if (kind === '') return 0
  const quarter = MAX / 4
  const fill = Math.trunc((quarter * (MAX_GPU - totalLeft(node.gpuLeft))) / MAX_GPU)
  if (node.kinds.has(kind)) return fill + (node.kinds.size === 1 ? 3 : 2) * quarter
  return fill + (node.kinds.size === 0 ? quarter : 0)
}
