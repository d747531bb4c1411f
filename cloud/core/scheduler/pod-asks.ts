/**
 * What a pod asks of the hardware beside amounts, in annotations named as the kubelet names its options. A pod with a NUMA policy
 * (or the static CPU policy) that is Guaranteed and asks for whole CPUs gets CPUs of its own.
 */
import { cause } from '../../../protocol/causes.ts'
import type { Cause } from '../../../protocol/causes.ts'
import { annotationOf } from '../meta.ts'
import type { PodInfo } from './framework.ts'
import { WHOLE_GPU } from './gpu/gpu-shape.ts'
import type { CpuOptions } from './numa/cpu-hints.ts'
import { NUMA_POLICIES } from './numa/topology-policy.ts'
import type { NumaPolicy } from './numa/topology-policy.ts'
import { asksWholeCpus, podQos } from './pod-qos.ts'

/** none (default), best-effort, restricted or single-numa-node: must cpus, memory and devices be near each other? */
export const NUMA_POLICY_ANNOTATION = 'skerry.dev/numa-policy'
/** least number of NUMA nodes with CPUs that the device must have */
export const NUMA_NODES_MIN_ANNOTATION = 'skerry.dev/numa-nodes-min'
/** none (default) or static: CPUs of its own even without a NUMA policy */
export const CPU_POLICY_ANNOTATION = 'skerry.dev/cpu-manager-policy'
/** the kubelet's policy options, with commas between */
export const CPU_OPTIONS_ANNOTATION = 'skerry.dev/cpu-manager-policy-options'
/** GPU models that will do, with | between: words of the model's name */
export const GPU_MODELS_ANNOTATION = 'skerry.dev/gpu-models'

/** thousandths of one GPU */
export const GPU_MILLI = 'skerry.dev/gpu-milli'
/** bytes of one GPU's memory: the share that goes with them */
export const GPU_MEMORY = 'skerry.dev/gpu-memory'

export interface PodAsks {
  readonly policy: NumaPolicy
  readonly nodesMin: number
  /** prefer-closest-numa-nodes */
  readonly closest: boolean
  /** CPUs of its own; 0 = it shares */
  readonly exclusiveCpus: number
  readonly cpuOptions: CpuOptions
  /** bytes that must come from the chosen nodes; 0 = it does not matter */
  readonly memory: number
  readonly gpuMilli: number
  readonly gpuMemory: number
  readonly gpuModels: readonly string[]
  /** what is wrong with the asks themselves */
  readonly faults: readonly Cause[]
}

const OPTION_NAMES: Readonly<Record<string, keyof CpuOptions | 'closest'>> = {
  'full-pcpus-only': 'fullCores',
  'distribute-cpus-across-numa': 'acrossNodes',
  'distribute-cpus-across-cores': 'acrossCores',
  'align-by-socket': 'alignBySocket',
  'prefer-align-cpus-by-uncorecache': 'alignByCache',
  'prefer-closest-numa-nodes': 'closest',
}

export function podAsks(info: PodInfo): PodAsks {
  const known = SEEN.get(info)
  if (known !== undefined) return known
  const asks = readAsks(info)
  SEEN.set(info, asks)
  return asks
}

// A PodInfo is never changed: what was read from it once stays true.
const SEEN = new WeakMap<PodInfo, PodAsks>()

function readAsks(info: PodInfo): PodAsks {
  const { pod, requests } = info
  const faults: Cause[] = []
  const fault = (what: string, value: string, why: string): void => void faults.push(cause('placement.ask.invalid', { what, value, why }))
  const said = annotationOf(pod, NUMA_POLICY_ANNOTATION) ?? 'none'
  const policy = NUMA_POLICIES.find((name) => name === said) ?? 'none'
  if (policy !== said) fault(NUMA_POLICY_ANNOTATION, said, `it must be one of ${NUMA_POLICIES.join(', ')}`)
  const nodesText = annotationOf(pod, NUMA_NODES_MIN_ANNOTATION) ?? '0'
  if (!/^\d{1,3}$/.test(nodesText)) fault(NUMA_NODES_MIN_ANNOTATION, nodesText, 'it must be a small whole number')
  const options = optionsOf(annotationOf(pod, CPU_OPTIONS_ANNOTATION) ?? '', policy, fault)
  const milli = requests['cpu'] ?? 0
  const guaranteed = podQos(pod.spec) === 'Guaranteed'
  const own = guaranteed && asksWholeCpus(pod.spec) && (policy !== 'none' || annotationOf(pod, CPU_POLICY_ANNOTATION) === 'static')
  const gpuMilli = requests[GPU_MILLI] ?? 0
  if (gpuMilli > WHOLE_GPU) fault(GPU_MILLI, `${gpuMilli}`, `a share is at most ${WHOLE_GPU}; ask for nvidia.com/gpu to have more`)
  return {
    policy,
    nodesMin: Number(nodesText) || 0,
    closest: options.has('closest'),
    exclusiveCpus: own ? Math.ceil(milli / 1000) : 0,
    cpuOptions: Object.fromEntries([...options].filter((name) => name !== 'closest').map((name) => [name, true])),
    memory: guaranteed && policy !== 'none' ? (requests['memory'] ?? 0) : 0,
    gpuMilli,
    gpuMemory: requests[GPU_MEMORY] ?? 0,
    gpuModels: (annotationOf(pod, GPU_MODELS_ANNOTATION) ?? '').split('|').filter((model) => model.trim() !== ''),
    faults,
  }
}

/** Options that contradict each other are refused here, as the kubelet refuses to start with them. */
function optionsOf(
  text: string,
  policy: NumaPolicy,
  fault: (what: string, value: string, why: string) => void,
): ReadonlySet<keyof CpuOptions | 'closest'> {
  const options = new Set<keyof CpuOptions | 'closest'>()
  for (const name of text.split(',').map((part) => part.trim())) {
    const option = OPTION_NAMES[name]
    if (option !== undefined) options.add(option)
    else if (name !== '') fault(CPU_OPTIONS_ANNOTATION, name, `it must be one of ${Object.keys(OPTION_NAMES).join(', ')}`)
  }
  const both = (a: keyof CpuOptions, b: keyof CpuOptions): boolean => options.has(a) && options.has(b)
  const clash =
    both('fullCores', 'acrossCores') ||
    both('acrossNodes', 'acrossCores') ||
    both('alignByCache', 'acrossCores') ||
    both('alignByCache', 'acrossNodes') ||
    (options.has('alignBySocket') && policy === 'single-numa-node')
  if (clash) fault(CPU_OPTIONS_ANNOTATION, text, 'these options exclude each other or the NUMA policy')
  return options
}
