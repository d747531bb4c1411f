/**
 * Which CPUs, memory nodes and GPUs would the pod get on this device? The kubelet's topology manager for the whole pod (scope
 * pod): hints of all its resources, merged under the policy that the pod names, then assignment near the merged hint.
 */
import { cause } from '../../../protocol/causes.ts'
import type { Cause } from '../../../protocol/causes.ts'
import { LIMITS } from '../../../protocol/limits.ts'
import { formatBytes } from '../../../protocol/units.ts'
import type { NodeInfo, PodInfo } from './framework.ts'
import { gpuShare, modelMatches } from './gpu-match.ts'
import { WHOLE_GPU } from './gpu/gpu-shape.ts'
import { nodeInUse } from './node-in-use.ts'
import type { InUse } from './node-in-use.ts'
import { assignCpus, wholeCoresSuffice } from './numa/assign-cpus.ts'
import { cpuHints } from './numa/cpu-hints.ts'
import { cpusOfNodes } from './numa/cpu-topology.ts'
import { deviceHints } from './numa/device-hints.ts'
import type { Device } from './numa/device-hints.ts'
import { hintsOver } from './numa/hints.ts'
import type { Hint, ResourceHints } from './numa/hints.ts'
import { align } from './numa/topology-policy.ts'
import { podAsks } from './pod-asks.ts'
import type { PodAsks } from './pod-asks.ts'

export interface TopologyPlan {
  /** where all of it is; null nodes = anywhere */
  readonly hint: Hint
  /** CPUs of its own, null = it shares */
  readonly cpus: readonly number[] | null
}

export type Planned = { readonly ok: true; readonly plan: TopologyPlan } | { readonly ok: false; readonly causes: readonly Cause[] }

/** GPUs of one kind that the pod asks for. */
export interface GpuClaim {
  /** '' = a share of one */
  readonly resource: string
  readonly count: number
}

/** Does the pod ask for anything that this decides? */
export function asksForPlace(pod: PodInfo): boolean {
  const { policy, nodesMin, exclusiveCpus, faults } = podAsks(pod)
  return policy !== 'none' || nodesMin > 0 || exclusiveCpus > 0 || faults.length > 0
}

export function planTopology(pod: PodInfo, node: NodeInfo): Planned {
  const asks = podAsks(pod)
  if (asks.faults.length > 0) return { ok: false, causes: asks.faults }
  const inUse = nodeInUse(node)
  if (inUse === null) return { ok: false, causes: [cause('placement.numa.unknown')] }
  const numaNodes = inUse.topology.cpus.numaNodes
  if (numaNodes.length < asks.nodesMin)
    return { ok: false, causes: [cause('placement.numa.nodes-few', { has: numaNodes.length, needs: asks.nodesMin })] }
  const most = LIMITS.numaNodesAligned.value
  if (asks.policy !== 'none' && numaNodes.length > most)
    return { ok: false, causes: [cause('placement.numa.too-large', { has: numaNodes.length, needs: most })] }
  if (asks.exclusiveCpus > inUse.freeCpus.length)
    return { ok: false, causes: [cause('placement.cpu.exclusive-short', { needs: asks.exclusiveCpus, has: inUse.freeCpus.length })] }
  const { hint, admit } = align(asks.policy, { nodes: numaNodes, closest: asks.closest ? inUse.topology.distance : null }, hintsOf(pod, asks, inUse))
  if (!admit) return { ok: false, causes: [splitCause(asks, pod, inUse)] }
  if (asks.exclusiveCpus === 0) return { ok: true, plan: { hint, cpus: null } }
  const cpus = assignCpus(inUse.topology.cpus, inUse.freeCpus, asks.exclusiveCpus, hint.nodes, asks.cpuOptions)
  return cpus === null ? { ok: false, causes: [coresCause(asks, inUse)] } : { ok: true, plan: { hint, cpus } }
}

/** Whole GPUs by resource name, and a share of one. */
export function gpuClaims(pod: PodInfo, inUse: InUse): readonly GpuClaim[] {
  const asks = podAsks(pod)
  const resources = new Set(inUse.topology.gpus.map((gpu) => gpu.resource))
  const whole = [...resources].map((resource) => ({ resource, count: pod.requests[resource] ?? 0 })).filter((claim) => claim.count > 0)
  return asks.gpuMilli > 0 || asks.gpuMemory > 0 ? [...whole, { resource: '', count: 1 }] : whole
}

/** GPUs that could serve a claim, and those among them that cannot now. */
export function gpuDevices(
  asks: PodAsks,
  inUse: InUse,
  { resource }: GpuClaim,
): { readonly devices: readonly Device[]; readonly taken: ReadonlySet<string> } {
  const gpus = inUse.topology.gpus.filter(
    (gpu) => (resource === '' ? gpu.shareable : gpu.resource === resource) && modelMatches(asks.gpuModels, gpu.model),
  )
  const needs = gpus.map((gpu) => (resource === '' ? gpuShare(asks, gpu) : WHOLE_GPU))
  return {
    devices: gpus.map((gpu) => ({ id: gpu.id, nodes: gpu.node === null ? null : [gpu.node] })),
    taken: new Set(gpus.filter((gpu, at) => (inUse.freeGpus.get(gpu.id) ?? 0) < (needs[at] ?? 0)).map((gpu) => gpu.id)),
  }
}

function hintsOf(pod: PodInfo, asks: PodAsks, inUse: InUse): readonly ResourceHints[] {
  const { cpus, memory } = inUse.topology
  const devices = gpuClaims(pod, inUse).map((claim) =>
    deviceHints(cpus.numaNodes, { ...gpuDevices(asks, inUse, claim), count: claim.count, held: [] }),
  )
  return [
    cpuHints(cpus, { count: asks.exclusiveCpus, free: inUse.freeCpus, held: [] }, asks.cpuOptions),
    memoryHints(asks.memory, memory, inUse),
    ...devices,
  ]
}

/** Memory of unknown size has no say. */
function memoryHints(bytes: number, total: ReadonlyMap<number, number>, inUse: InUse): ResourceHints {
  if (bytes === 0 || [...total.values()].every((size) => size === 0)) return null
  const sum = (amounts: ReadonlyMap<number, number>, set: readonly number[]): number => set.reduce((all, id) => all + (amounts.get(id) ?? 0), 0)
  const { hints } = hintsOver(inUse.topology.cpus.numaNodes, (set) => ({
    couldHold: sum(total, set) >= bytes,
    holds: sum(inUse.freeMemory, set) >= bytes,
  }))
  return hints
}

function splitCause(asks: PodAsks, pod: PodInfo, inUse: InUse): Cause {
  const claims = gpuClaims(pod, inUse).map(({ resource, count }) => (resource === '' ? 'a share of a GPU' : `${count} ${resource}`))
  const own = [
    ...(asks.exclusiveCpus > 0 ? [`${asks.exclusiveCpus} CPUs`] : []),
    ...(asks.memory > 0 ? [`${formatBytes(asks.memory)} memory`] : []),
    ...claims,
  ]
  const free = new Set(inUse.freeCpus)
  const has = inUse.topology.cpus.numaNodes.map((id) => {
    const cpus = cpusOfNodes(inUse.topology.cpus, [id]).filter((cpu) => free.has(cpu)).length
    const gpus = inUse.topology.gpus.filter((gpu) => gpu.node === id && inUse.freeGpus.get(gpu.id) === WHOLE_GPU).length
    return `node ${id}: ${cpus} CPUs, ${formatBytes(inUse.freeMemory.get(id) ?? 0)}${gpus === 0 ? '' : `, ${gpus} GPUs`}`
  })
  return cause('placement.numa.split', { needs: own.join(', '), policy: asks.policy, has: has.join('; ') })
}

function coresCause(asks: PodAsks, inUse: InUse): Cause {
  const { cpus } = inUse.topology
  let whole = Math.floor(inUse.freeCpus.length / cpus.threadsPerCore) * cpus.threadsPerCore
  while (whole > 0 && !wholeCoresSuffice(cpus, inUse.freeCpus, whole)) whole -= cpus.threadsPerCore
  return cause('placement.cpu.cores-split', { needs: asks.exclusiveCpus, threads: cpus.threadsPerCore, has: whole })
}
