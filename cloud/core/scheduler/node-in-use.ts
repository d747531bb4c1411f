/** What of a device's CPUs, memory nodes and GPUs do its pods hold? Read from the placements that were decided before. */
import type { Placement } from '../../../protocol/desired-state.ts'
import { PLACEMENT } from '../../../protocol/desired-state.ts'
import { parse } from '../../../protocol/shape.ts'
import { PLACEMENT_ANNOTATION } from '../desired-pod.ts'
import { annotationOf } from '../meta.ts'
import type { NodeInfo, PodInfo } from './framework.ts'
import { gpuShare } from './gpu-match.ts'
import { parseIdList } from '../../../protocol/id-list.ts'
import type { NodeTopology } from './numa/node-topology.ts'
import { TOPOLOGY_ANNOTATION, parseTopologyAnnotation } from './numa/node-topology.ts'
import { podAsks } from './pod-asks.ts'

export interface InUse {
  readonly topology: NodeTopology
  /** CPUs free for exclusive use, ascending */
  readonly freeCpus: readonly number[]
  /** NUMA node id -> free bytes */
  readonly freeMemory: ReadonlyMap<number, number>
  /** GPU id -> free thousandths */
  readonly freeGpus: ReadonlyMap<string, number>
}

/** null = the device has not said how it is laid out. */
export function nodeInUse(node: NodeInfo): InUse | null {
  const known = SEEN.get(node)
  if (known !== undefined) return known
  const topology = topologyOf(node)
  const found = topology === null ? null : inUse(node, topology)
  SEEN.set(node, found)
  return found
}

// Pods and nodes are values that are never changed: what was worked out for one once stays true.
const SEEN = new WeakMap<NodeInfo, InUse | null>()
const PLACEMENTS = new WeakMap<PodInfo, Placement | null>()
const TOPOLOGIES = new WeakMap<NodeInfo['annotations'], NodeTopology | null>()

/** null = the device has not said. */
export function topologyOf(node: NodeInfo): NodeTopology | null {
  if (node.annotations[TOPOLOGY_ANNOTATION] === undefined) return null
  const known = TOPOLOGIES.get(node.annotations)
  if (known !== undefined) return known
  const topology = parseTopologyAnnotation(node.annotations[TOPOLOGY_ANNOTATION])
  TOPOLOGIES.set(node.annotations, topology)
  return topology
}

function inUse(node: NodeInfo, topology: NodeTopology): InUse {
  const cpus = new Set(topology.usableCpus.filter((cpu) => topology.cpus.seats.has(cpu)))
  for (const cpu of keptForSystem(node, [...cpus])) cpus.delete(cpu)
  const memory = givenMemory(node, topology)
  const gpus = new Map(topology.gpus.map((gpu) => [gpu.id, 1000]))
  for (const pod of node.pods.values()) {
    const placement = placementOf(pod)
    if (placement === null) continue
    const asks = podAsks(pod)
    for (const cpu of parseIdList(placement.cpus ?? '') ?? []) cpus.delete(cpu)
    takeMemory(memory, parseIdList(placement.memoryNodes ?? '') ?? [], asks.memory)
    for (const id of placement.gpus ?? []) {
      const gpu = topology.gpus.find((one) => one.id === id)
      if (gpu !== undefined) gpus.set(id, Math.max(0, (gpus.get(id) ?? 0) - gpuShare(asks, gpu)))
    }
  }
  return { topology, freeCpus: [...cpus], freeMemory: memory, freeGpus: gpus }
}

function placementOf(pod: PodInfo): Placement | null {
  const known = PLACEMENTS.get(pod)
  if (known !== undefined) return known
  const placement = readPlacement(pod)
  PLACEMENTS.set(pod, placement)
  return placement
}

function readPlacement(pod: PodInfo): Placement | null {
  const text = annotationOf(pod.pod, PLACEMENT_ANNOTATION)
  if (text === undefined) return null
  try {
    const parsed = parse(PLACEMENT, JSON.parse(text))
    return parsed.ok ? parsed.value : null
  } catch {
    return null
  }
}

/** Whole CPUs that the device keeps for itself: the first ones, where kernels put interrupts. */
function keptForSystem(node: NodeInfo, cpus: readonly number[]): readonly number[] {
  const given = node.allocatable['cpu']
  return given === undefined ? [] : cpus.slice(0, Math.max(0, Math.floor(cpus.length - given / 1000)))
}

/** What the device keeps of its memory, it keeps of all nodes alike. */
function givenMemory(node: NodeInfo, { memory }: NodeTopology): Map<number, number> {
  const total = [...memory.values()].reduce((sum, bytes) => sum + bytes, 0)
  const part = total === 0 ? 1 : Math.min(1, (node.allocatable['memory'] ?? total) / total)
  return new Map([...memory].map(([id, bytes]) => [id, Math.floor(bytes * part)]))
}

function takeMemory(memory: Map<number, number>, nodes: readonly number[], bytes: number): void {
  let rest = bytes
  for (const node of nodes) {
    const free = memory.get(node) ?? 0
    memory.set(node, Math.max(0, free - rest))
    rest = Math.max(0, rest - free)
  }
}
