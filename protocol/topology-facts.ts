/** What a picture of a device's hardware is drawn from: small, plain, and whole even where a device says almost nothing. */
import { formatIdList, parseIdList } from './id-list.ts'
import type { Topology } from './inventory.ts'
import { isRecord } from './shape.ts'

export interface NodeFacts {
  readonly id: number
  /** Linux list format; '' = no CPU of its own */
  readonly cpus: string
  /** null = not known */
  readonly memoryBytes: number | null
  readonly hugeBytes: number
  /** '' = ordinary; else what kind of memory alone it is */
  readonly kind: string
  /** to each node in the order of the list; empty = not known */
  readonly distances: readonly number[]
}

export interface DeviceFacts {
  readonly id: string
  readonly label: string
  readonly kind: 'gpu' | 'nic' | 'accelerator'
  /** null = not known, or next to none in particular */
  readonly node: number | null
}

export interface PlaceFacts {
  /** `namespace/name` */
  readonly name: string
  /** CPUs of its own; '' = it shares */
  readonly cpus: string
  /** '' = any */
  readonly memoryNodes: string
  readonly gpus: readonly string[]
  /** null = not known */
  readonly memoryBytes: number | null
  /** `812 main; 4 of at most 64`, or '' */
  readonly pids: string
  /** now = it is there; plan = it would go there; both = it is there and stays */
  readonly when: 'now' | 'plan' | 'both'
}

export interface TopologyFacts {
  readonly nodes: readonly NodeFacts[]
  readonly onlineCpus: string
  /** CPUs that workloads may use; null = all that are online */
  readonly usableCpus: string | null
  /** kept from owners for the device itself */
  readonly reservedCpus: string
  /** CPUs that share a core, and a last-level cache; empty = not known */
  readonly cores: readonly string[]
  readonly caches: readonly string[]
  readonly devices: readonly DeviceFacts[]
  readonly places: readonly PlaceFacts[]
}

/** @param cpuMilliGiven allocatable cpu; what is missing of whole CPUs is kept for the device: the first ones. null = not known */
export function topologyFacts(topology: Partial<Topology>, cpuMilliGiven: number | null, places: readonly PlaceFacts[]): TopologyFacts {
  const { numaNodes = [], distances, onlineCpus = '', allowedCpus, coreCpus = [], cacheCpus = [] } = topology
  const online = parseIdList(onlineCpus) ?? []
  const usable = allowedCpus === undefined ? online : (parseIdList(allowedCpus) ?? []).filter((cpu) => online.includes(cpu))
  const kept = cpuMilliGiven === null ? 0 : Math.max(0, Math.floor(usable.length - cpuMilliGiven / 1000))
  return {
    nodes: numaNodes.map((node, row) => ({
      id: node.id,
      cpus: node.cpus,
      memoryBytes: node.memoryBytes ?? null,
      hugeBytes: Object.entries(node.hugepages ?? {}).reduce((sum, [size, pages]) => sum + Number(size) * pages, 0),
      kind: node.gpuMemory === true ? 'memory of a GPU' : node.cpus === '' ? 'memory only' : '',
      distances: distances?.[row] ?? node.distances ?? [],
    })),
    onlineCpus,
    usableCpus: allowedCpus ?? null,
    reservedCpus: formatIdList(usable.slice(0, kept)),
    cores: coreCpus,
    caches: cacheCpus,
    devices: devicesOf(topology),
    places,
  }
}

function devicesOf({ accelerators = [], pciNics = [], numaNodes = [] }: Partial<Topology>): readonly DeviceFacts[] {
  const [only] = numaNodes.length === 1 ? numaNodes : []
  const nodeOf = (said: number | undefined): number | null => said ?? only?.id ?? null
  return [
    ...accelerators.map((one): DeviceFacts => {
      const kind = one.kind === 'gpu' || one.kind === 'integrated-gpu' || one.kind === 'mig' ? 'gpu' : 'accelerator'
      return { id: one.id, label: one.model ?? one.resource ?? one.kind, kind, node: nodeOf(one.numaNode) }
    }),
    ...pciNics.map((nic): DeviceFacts => ({
      id: nic.address,
      label: nic.driver === undefined ? nic.address : `${nic.driver} ${nic.address}`,
      kind: 'nic',
      node: nodeOf(nic.numaNode),
    })),
  ]
}

const NOTHING: TopologyFacts = { nodes: [], onlineCpus: '', usableCpus: null, reservedCpus: '', cores: [], caches: [], devices: [], places: [] }

/** Facts as they came over a wire, made whole: what is missing or of another type reads as not known, and nothing throws. */
export function soundFacts(given: unknown): TopologyFacts {
  if (!isRecord(given)) return NOTHING
  return {
    nodes: records(given['nodes']).map((node) => ({
      id: number(node['id']) ?? 0,
      cpus: text(node['cpus']),
      memoryBytes: number(node['memoryBytes']),
      hugeBytes: number(node['hugeBytes']) ?? 0,
      kind: text(node['kind']),
      distances: list(node['distances']).flatMap((one) => number(one) ?? []),
    })),
    onlineCpus: text(given['onlineCpus']),
    usableCpus: typeof given['usableCpus'] === 'string' ? given['usableCpus'] : null,
    reservedCpus: text(given['reservedCpus']),
    cores: list(given['cores']).map(text),
    caches: list(given['caches']).map(text),
    devices: records(given['devices']).map(({ id, label, kind, node }) => ({
      id: text(id),
      label: text(label),
      kind: kind === 'gpu' || kind === 'nic' ? kind : 'accelerator',
      node: number(node),
    })),
    places: records(given['places']).map((place) => ({
      name: text(place['name']),
      cpus: text(place['cpus']),
      memoryNodes: text(place['memoryNodes']),
      gpus: list(place['gpus']).map(text),
      memoryBytes: number(place['memoryBytes']),
      pids: text(place['pids']),
      when: place['when'] === 'plan' || place['when'] === 'now' ? place['when'] : 'both',
    })),
  }
}

function records(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  return list(value).filter(isRecord)
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : []
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function number(value: unknown): number | null {
  return typeof value === 'number' && Number.isFinite(value) ? value : null
}
