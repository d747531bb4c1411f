/** What a GPU rule sees of a device and of a pod: free amounts in thousandths, no names. */

/** A whole GPU, in the unit all sharing is counted in. */
export const WHOLE_GPU = 1000

export interface GpuNode {
  /** free cpu in milli */
  readonly cpuLeft: number
  /** free thousandths of each GPU, in a fixed order of the device's GPUs */
  readonly gpuLeft: readonly number[]
  /** model of all its GPUs; '' without any */
  readonly model: string
  /** kinds of GPU pods that run here, see `kindOf` */
  readonly kinds: ReadonlySet<string>
}

export interface GpuAsk {
  /** cpu in milli */
  readonly cpu: number
  /** thousandths of each GPU; 0 = no GPU */
  readonly milli: number
  /** GPUs; more than one only whole */
  readonly count: number
  /** models that will do; empty = any */
  readonly models: readonly string[]
}

export function isShare(ask: GpuAsk): boolean {
  return ask.count === 1 && ask.milli < WHOLE_GPU
}

/** Pods of one kind leave holes of one size: '' without a GPU, `share`, or the number of whole GPUs. */
export function kindOf(ask: GpuAsk): string {
  if (ask.milli === 0 || ask.count === 0) return ''
  return isShare(ask) ? 'share' : `${ask.count}`
}

export function modelAllowed(node: GpuNode, ask: GpuAsk): boolean {
  return ask.models.length === 0 || ask.models.includes(node.model)
}

export function totalLeft(gpuLeft: readonly number[]): number {
  let total = 0
  for (const left of gpuLeft) total += left
  return total
}

/** Are there enough GPUs with enough left, of whatever model? */
export function gpusSuffice(gpuLeft: readonly number[], ask: GpuAsk): boolean {
  let found = 0
  for (const left of gpuLeft) {
    if (left >= ask.milli) found += 1
    if (found >= ask.count) return true
  }
  return ask.count === 0
}

/** Can the pod go there, as far as cpu and GPUs decide? */
export function gpuFits(node: GpuNode, ask: GpuAsk): boolean {
  if (node.cpuLeft < ask.cpu) return false
  return ask.milli === 0 || (modelAllowed(node, ask) && gpusSuffice(node.gpuLeft, ask))
}

/** The node with the pod on these GPUs. */
export function withAsk(node: GpuNode, ask: GpuAsk, gpus: readonly number[]): GpuNode {
  const gpuLeft = [...node.gpuLeft]
  for (const gpu of gpus) gpuLeft[gpu] = (gpuLeft[gpu] ?? 0) - ask.milli
  const kind = kindOf(ask)
  const kinds = kind === '' || node.kinds.has(kind) ? node.kinds : new Set([...node.kinds, kind])
  return { cpuLeft: node.cpuLeft - ask.cpu, gpuLeft, model: node.model, kinds }
}
