/**
 * NUMA nodes as they can be used. Ids are sparse, nodes may have no CPUs or no memory, and a Raspberry Pi 5 shows eight fake
 * nodes that all list the same CPUs: those are one node with the memory of all.
 */
import type { NumaNode } from '../../protocol/inventory.ts'
import { humanBytes } from '../../protocol/units.ts'
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'
import { formatIdList, parseCount } from './id-list.ts'
import { readList, readMask } from './probe-cpu.ts'
import { probeHugepages } from './probe-hugepages.ts'

export interface NumaFacts {
  readonly nodes: readonly NumaNode[]
  /** rows and columns in the order of the nodes; null when the kernel gives no sound matrix */
  readonly distances: readonly (readonly number[])[] | null
  /** true when the kernel knows no nodes and one was made of all CPUs */
  readonly synthesized: boolean
  readonly source: 'real' | 'fake' | 'none'
}

interface RawNode {
  readonly id: number
  readonly cpus: readonly number[]
  readonly memoryBytes: number | null
  readonly hugepages: Readonly<Record<string, number>>
  readonly distances: readonly number[]
}

const NODE = '/sys/devices/system/node'

/** @param memoryTotalBytes what /proc/meminfo says, for a kernel without nodes */
export async function probeNuma(
  reader: HostReader,
  online: readonly number[],
  memoryTotalBytes: number | null,
  evidence: Evidence,
): Promise<NumaFacts> {
  const ids = (await reader.list(NODE)).flatMap((name) => (/^node\d+$/.test(name) ? [Number(name.slice(4))] : []))
  const onlineNodes = await readList(reader, `${NODE}/online`)
  const usable = ids.filter((id) => onlineNodes === null || onlineNodes.includes(id)).toSorted((a, b) => a - b)
  if (usable.length === 0) {
    evidence.source('topology.numaNodes', '/proc/meminfo')
    const hugepages = await probeHugepages(reader, evidence)
    const node: NumaNode = {
      id: 0,
      cpus: formatIdList(online),
      ...(memoryTotalBytes === null ? {} : { memoryBytes: memoryTotalBytes }),
      ...(Object.keys(hugepages).length === 0 ? {} : { hugepages }),
    }
    return { nodes: [node], distances: null, synthesized: true, source: 'none' }
  }
  evidence.source('topology.numaNodes', NODE)
  const raw = await Promise.all(usable.map((id) => readNode(reader, id, online)))
  const asked = /\bnuma=fake=\S+/.exec((await reader.read('/proc/cmdline')) ?? '')?.[0]
  const collapsed = collapse(raw, asked === undefined ? 'fake NUMA, or a firmware fault' : `the kernel was started with ${asked}`, evidence)
  const kept = withoutOverlap(collapsed, evidence)
  compareMemory(kept, memoryTotalBytes, evidence)
  const distances = matrixOf(raw, kept, evidence)
  const gpuMemory = await gpuMemoryNodes(reader, evidence)
  return {
    nodes: kept.map((node, row) => toNode(node, distances?.[row], gpuMemory.has(node.id))),
    distances,
    synthesized: false,
    source: kept.length < raw.length ? 'fake' : 'real',
  }
}

async function readNode(reader: HostReader, id: number, online: readonly number[]): Promise<RawNode> {
  const dir = `${NODE}/node${id}`
  const cpus = (await readList(reader, `${dir}/cpulist`)) ?? (await readMask(reader, `${dir}/cpumap`)) ?? (await linkedCpus(reader, dir))
  const meminfo = await reader.read(`${dir}/meminfo`)
  const kib = parseCount(/MemTotal:\s*(\d{1,12})\s*kB/.exec(meminfo ?? '')?.[1])
  const distance = await reader.read(`${dir}/distance`)
  return {
    id,
    cpus: cpus.filter((cpu) => online.includes(cpu)),
    memoryBytes: kib === null ? null : kib * 1024,
    hugepages: await readHugepages(reader, dir),
    distances: distance === null || distance === '' ? [] : distance.split(/\s+/).map(Number),
  }
}

async function linkedCpus(reader: HostReader, dir: string): Promise<readonly number[]> {
  return (await reader.list(dir)).flatMap((name) => (/^cpu\d+$/.test(name) ? [Number(name.slice(3))] : [])).toSorted((a, b) => a - b)
}

async function readHugepages(reader: HostReader, dir: string): Promise<Readonly<Record<string, number>>> {
  const pages: Record<string, number> = {}
  for (const name of await reader.list(`${dir}/hugepages`)) {
    const size = /^hugepages-(\d+)kB$/.exec(name)?.[1]
    const count = parseCount(await reader.read(`${dir}/hugepages/${name}/nr_hugepages`))
    if (size !== undefined && count !== null) pages[String(Number(size) * 1024)] = count
  }
  return pages
}

/** Nodes with the same CPUs are one node; its memory is the sum. */
function collapse(nodes: readonly RawNode[], why: string, evidence: Evidence): readonly RawNode[] {
  const byCpus = new Map<string, RawNode>()
  const kept: RawNode[] = []
  let merged = 0
  for (const node of nodes) {
    const cpus = formatIdList(node.cpus)
    const twin = cpus === '' ? undefined : byCpus.get(cpus)
    if (twin === undefined) {
      byCpus.set(cpus, node)
      kept.push(node)
      continue
    }
    merged += 1
    const sum: RawNode = { ...twin, memoryBytes: add(twin.memoryBytes, node.memoryBytes), hugepages: addPages(twin.hugepages, node.hugepages) }
    byCpus.set(cpus, sum)
    kept[kept.indexOf(twin)] = sum
  }
  if (merged > 0) {
    const what = `${merged} NUMA nodes list the same CPUs as another and are taken for one with it (${why})`
    evidence.finding(what, `${NODE}/node*/cpulist`)
  }
  return kept
}

/** A CPU counts in one node only: the first that lists it. */
function withoutOverlap(nodes: readonly RawNode[], evidence: Evidence): readonly RawNode[] {
  const taken = new Set<number>()
  return nodes.map((node) => {
    const cpus = node.cpus.filter((cpu) => !taken.has(cpu))
    for (const cpu of cpus) taken.add(cpu)
    if (cpus.length < node.cpus.length) evidence.finding(`node ${node.id} lists CPUs of another node`, `${NODE}/node${node.id}/cpulist`)
    return { ...node, cpus }
  })
}

/** A row has one column a node of the kernel's own list; those of nodes that were merged away are dropped. */
function matrixOf(raw: readonly RawNode[], kept: readonly RawNode[], evidence: Evidence): readonly (readonly number[])[] | null {
  if (raw.every((node) => node.distances.length === 0)) return null
  if (
    raw.some((node) => node.distances.length !== raw.length || node.distances.some((distance) => !Number.isSafeInteger(distance) || distance < 0))
  ) {
    evidence.finding('the distances between NUMA nodes do not form a matrix', `${NODE}/node*/distance`)
    return null
  }
  evidence.source('topology.distances', `${NODE}/node*/distance`)
  const columns = kept.map((node) => raw.findIndex((one) => one.id === node.id))
  return kept.map((node) => columns.map((column) => node.distances[column] ?? 0))
}

/** Nodes together hold what the machine has, less what the kernel itself took at boot. Virtual machines that grew do not. */
function compareMemory(nodes: readonly RawNode[], totalBytes: number | null, evidence: Evidence): void {
  const sum = nodes.some((node) => node.memoryBytes === null) ? null : nodes.reduce((bytes, node) => bytes + (node.memoryBytes ?? 0), 0)
  if (sum === null || sum === 0 || totalBytes === null || Math.abs(sum - totalBytes) <= totalBytes * MEMORY_DIFFERS) return
  const what = `the NUMA nodes hold ${humanBytes(sum)} together, /proc/meminfo says ${humanBytes(totalBytes)}: pods count against the latter`
  evidence.finding(what, `${NODE}/node*/meminfo`)
}

const MEMORY_DIFFERS = 0.1

/** The driver of a GPU whose memory is a node of the kernel's says which. */
async function gpuMemoryNodes(reader: HostReader, evidence: Evidence): Promise<ReadonlySet<number>> {
  const nodes = new Set<number>()
  for (const gpu of await reader.list(NVIDIA_GPUS)) {
    const node = parseCount(/^Node:\s*(\d{1,6})\s*$/m.exec((await reader.read(`${NVIDIA_GPUS}/${gpu}/numa_status`)) ?? '')?.[1])
    if (node !== null) nodes.add(node)
  }
  if (nodes.size > 0) evidence.source('topology.numaNodes.gpuMemory', `${NVIDIA_GPUS}/*/numa_status`)
  return nodes
}

const NVIDIA_GPUS = '/proc/driver/nvidia/gpus'

function toNode(node: RawNode, distances: readonly number[] | undefined, gpuMemory: boolean): NumaNode {
  return {
    id: node.id,
    cpus: formatIdList(node.cpus),
    ...(node.memoryBytes === null ? {} : { memoryBytes: node.memoryBytes }),
    ...(Object.keys(node.hugepages).length === 0 ? {} : { hugepages: node.hugepages }),
    ...(distances === undefined ? {} : { distances }),
    ...(node.cpus.length === 0 ? { memoryOnly: true } : {}),
    ...(gpuMemory && node.cpus.length === 0 ? { gpuMemory: true } : {}),
  }
}

function add(a: number | null, b: number | null): number | null {
  return a === null ? b : a + (b ?? 0)
}

function addPages(a: Readonly<Record<string, number>>, b: Readonly<Record<string, number>>): Readonly<Record<string, number>> {
  const sum: Record<string, number> = { ...a }
  for (const [size, count] of Object.entries(b)) sum[size] = (sum[size] ?? 0) + count
  return sum
}
