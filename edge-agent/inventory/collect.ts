/** Collects the inventory: probes one after another; one that fails is a finding, and the others go on. */
import type { BoardIdentity } from '../../device-profiles/board.ts'
import type { Inventory, Topology } from '../../protocol/inventory.ts'
import { clip } from '../../protocol/limits.ts'
import type { EngineInfo } from '../core/model.ts'
import type { Clock, HostReader, InventoryReader } from '../ports.ts'
import { joinAccelerators, tellRuntime } from './accelerators.ts'
import { allocatableOf, capacityOf, deviceResources } from './allocatable.ts'
import { Evidence } from './findings.ts'
import { createHostReader } from './host-reader.ts'
import { askNvidiaSmi } from './nvidia-smi.ts'
import type { NvidiaSmi } from './nvidia-smi.ts'
import { probeAccelerators } from './probe-accelerators.ts'
import { compareWithProfile, probeBoard } from './probe-board.ts'
import { probeCaches } from './probe-cache.ts'
import { probeCgroup } from './probe-cgroup.ts'
import type { CgroupFacts } from './probe-cgroup.ts'
import { probeCoreKinds } from './probe-core-kinds.ts'
import { archOfCopy, probeCpuModel } from './probe-cpu-model.ts'
import { probeCpu } from './probe-cpu.ts'
import { probeDisks } from './probe-disks.ts'
import { probeHugepages } from './probe-hugepages.ts'
import { probeNetwork } from './probe-network.ts'
import { probeNuma } from './probe-numa.ts'
import type { NumaFacts } from './probe-numa.ts'
import { probeNvidia } from './probe-nvidia.ts'
import type { NvidiaFacts } from './probe-nvidia.ts'
import { probePci } from './probe-pci.ts'
import { probePeripherals } from './probe-peripherals.ts'
import { probePids } from './probe-pids.ts'
import type { PidFacts } from './probe-pids.ts'
import { callsOfCopy, probeFileSystems, probeHostIp, probeOs, systemCalls } from './probe-system.ts'
import type { SystemCalls } from './probe-system.ts'
import { allowedCpus, topologyOf } from './topology.ts'

export interface InventoryOptions {
  readonly device: string
  readonly agentVersion: string
  readonly clock: Clock
  /** what the engine said last; null while it does not answer */
  readonly engine: () => EngineInfo | null
  readonly reader?: HostReader
  readonly calls?: SystemCalls
  /** as Node names it; absent = that of this process */
  readonly arch?: string
  /** asked once, when the NVIDIA driver is loaded; absent = never */
  readonly nvidiaSmi?: NvidiaSmi
}

export function createInventoryReader(options: InventoryOptions): InventoryReader {
  const smi = options.nvidiaSmi === undefined ? null : askOnce(options.nvidiaSmi)
  return { collect: () => collect(options, smi) }
}

/** Reads a copy of another machine below a folder: nothing of this machine, not even its memory or addresses, gets into it. */
export async function createCopyReader(
  options: Omit<InventoryOptions, 'reader' | 'calls' | 'arch' | 'nvidiaSmi'>,
  reader: HostReader,
): Promise<InventoryReader> {
  return createInventoryReader({ ...options, reader, calls: callsOfCopy(reader), arch: (await archOfCopy(reader)) ?? 'unknown' })
}

type Smi = Awaited<ReturnType<typeof askNvidiaSmi>>
type Attempt = <T>(name: string, probe: () => Promise<T>) => Promise<T | null>

/** The answer is kept, a failure too: a GPU that fell off the bus must not cost fifteen seconds every five minutes. */
function askOnce(run: NvidiaSmi): () => Promise<Smi> {
  let asked: Promise<Smi> | null = null
  return () => (asked ??= askNvidiaSmi(run))
}

async function collect(options: InventoryOptions, smi: (() => Promise<Smi>) | null): ReturnType<InventoryReader['collect']> {
  const reader = options.reader ?? createHostReader()
  const calls = options.calls ?? systemCalls
  const evidence = new Evidence()
  const attempt: Attempt = async (name, probe) => {
    try {
      return await probe()
    } catch (error) {
      evidence.finding(clip(`${name} could not be read: ${error instanceof Error ? error.message : String(error)}`))
      return null
    }
  }
  const arch = goArch(options.arch ?? process.arch)
  const engine = options.engine()
  const memory = await attempt('memory', () => calls.memory())
  if (memory !== null) evidence.source('memory.totalBytes', calls === systemCalls ? 'systeminformation.mem (/proc/meminfo)' : '/proc/meminfo')
  const compute = await probeCompute(reader, memory?.totalBytes ?? null, smi, attempt, evidence)
  const { topology, numa, cgroup } = compute
  tellRuntime(topology.accelerators ?? [], engine?.runtimes ?? null, evidence)
  const pids = await attempt('pids', () => probePids(reader, cgroup, evidence))
  const os = (await attempt('os', () => probeOs(reader, arch, evidence))) ?? { arch }
  const board = await attempt('board', () => probeBoard(reader, arch, evidence))
  if (board !== null) compareWithProfile(board, topology, topology.accelerators ?? [], evidence)
  const fileSystems = await attempt('file systems', () => probeFileSystems(reader, calls, evidence))
  const storage = await attempt('storage', () => calls.fileSystem(engine?.dataRoot ?? '/var/lib/docker').catch(() => calls.fileSystem('/')))
  if (storage !== null) evidence.source('capacity.ephemeral-storage', "statfs of the engine's folder")
  const addresses = (await attempt('addresses', async () => calls.addresses())) ?? []
  const hostIp = await attempt('host address', () => probeHostIp(reader, addresses, evidence))
  const edge = await probeEdge(reader, attempt, evidence)
  const memoryBytes = withoutGpuMemory(memory?.totalBytes ?? null, numa)
  const capacity = capacityOf(
    {
      cpus: compute.usableCpus,
      memoryBytes,
      pids: pids?.capacity ?? null,
      storageBytes: storage?.sizeBytes ?? null,
      hugepages: compute.hugepages,
      devices: deviceResources(topology.accelerators ?? [], edge.peripherals ?? []),
    },
    cgroup,
  )
  const inventory: Inventory = {
    device: options.device,
    at: new Date(options.clock.now().wallMs).toISOString(),
    agentVersion: options.agentVersion,
    os,
    ...(engine === null ? {} : { engine: { name: 'docker', ...engine } }),
    topology,
    ...(memory === null ? {} : { memory: { ...memory, ...limitOf(cgroup) } }),
    ...(pids === null ? {} : { pids: pidsOf(pids) }),
    ...(fileSystems === null ? {} : { fileSystems }),
    ...edge,
    pciClasses: compute.pciClasses,
    addresses: addresses.slice(0, 64),
    capacity,
    allocatable: allocatableOf(capacity, memoryBytes, board?.profile ?? null),
    labels: labelsOf(options.device, arch, board),
    findings: evidence.findings.slice(0, 64),
    sources: evidence.sources,
  }
  return { inventory, hostIp }
}

interface Compute {
  readonly topology: Topology
  readonly numa: NumaFacts | null
  readonly cgroup: CgroupFacts | null
  readonly usableCpus: number
  readonly hugepages: Readonly<Record<string, number>>
  readonly pciClasses: readonly string[]
}

/** CPUs, memory nodes, what sits on the bus beside them, and what the control group leaves of it. */
async function probeCompute(
  reader: HostReader,
  memoryBytes: number | null,
  smi: (() => Promise<Smi>) | null,
  attempt: Attempt,
  evidence: Evidence,
): Promise<Compute> {
  const cpu = await attempt('cpu', () => probeCpu(reader, evidence))
  const numa = cpu === null ? null : await attempt('numa', () => probeNuma(reader, cpu.online, memoryBytes, evidence))
  const cgroup = await attempt('cgroup', () => probeCgroup(reader, evidence))
  const nodes = numa?.nodes ?? []
  const pci = await attempt('pci', () => probePci(reader, nodes, evidence))
  const nvidia = await attempt('nvidia', () => probeNvidia(reader, evidence))
  const others = (await attempt('accelerators', () => probeAccelerators(reader, evidence))) ?? []
  const asked = smi === null || !hasGpu(nvidia) ? null : await attempt('nvidia-smi', smi)
  const accelerators = joinAccelerators({ pci, nvidia, smi: asked, others, nodes }, evidence)
  const coreKinds = cpu === null ? null : await attempt('core kinds', () => probeCoreKinds(reader, cpu.online, evidence))
  const caches = cpu === null ? null : await attempt('caches', () => probeCaches(reader, cpu.online, evidence))
  const hugepages = (await attempt('hugepages', () => probeHugepages(reader, evidence))) ?? {}
  return {
    topology: topologyOf({ cpu, numa, cgroup, pci, coreKinds: coreKinds ?? [], caches, accelerators }, evidence),
    numa,
    cgroup,
    usableCpus: cpu === null ? 1 : (allowedCpus(cpu, cgroup) ?? cpu.online).length,
    hugepages: Object.keys(hugepages).length > 0 ? hugepages : sumOfNodes(numa),
    pciClasses: pci?.classes ?? [],
  }
}

/** What the device touches the world with. */
async function probeEdge(
  reader: HostReader,
  attempt: Attempt,
  evidence: Evidence,
): Promise<Pick<Inventory, 'cpu' | 'disks' | 'network' | 'networkClass' | 'peripherals'>> {
  const cpu = await attempt('cpu model', () => probeCpuModel(reader, evidence))
  const disks = await attempt('disks', () => probeDisks(reader, evidence))
  const network = await attempt('network', () => probeNetwork(reader, evidence))
  const peripherals = await attempt('peripherals', () => probePeripherals(reader, evidence))
  return {
    ...(cpu === null ? {} : { cpu }),
    ...(disks === null ? {} : { disks }),
    ...(network === null ? {} : { network: network.interfaces, ...(network.outward === null ? {} : { networkClass: network.outward }) }),
    ...(peripherals === null ? {} : { peripherals }),
  }
}

function hasGpu(nvidia: NvidiaFacts | null): boolean {
  return nvidia !== null && nvidia.gpus.length > 0
}

function sumOfNodes(numa: NumaFacts | null): Readonly<Record<string, number>> {
  const pages: Record<string, number> = {}
  for (const node of numa?.nodes ?? []) for (const [size, count] of Object.entries(node.hugepages ?? {})) pages[size] = (pages[size] ?? 0) + count
  return pages
}

/** On POWER9 the kernel counts the memory of GPUs as its own. */
function withoutGpuMemory(totalBytes: number | null, numa: NumaFacts | null): number | null {
  const gpus = (numa?.nodes ?? []).reduce((sum, node) => (node.gpuMemory === true ? sum + (node.memoryBytes ?? 0) : sum), 0)
  return totalBytes === null ? null : Math.max(0, totalBytes - gpus)
}

function limitOf(cgroup: CgroupFacts | null): { readonly limitBytes?: number } {
  return cgroup === null || cgroup.memoryMaxBytes === null ? {} : { limitBytes: cgroup.memoryMaxBytes }
}

function pidsOf({ capacity, limitedBy, used }: PidFacts): NonNullable<Inventory['pids']> {
  return { capacity, limitedBy: limitedBy.slice(0, 128), ...(used === null ? {} : { used }) }
}

function labelsOf(device: string, arch: string, board: BoardIdentity | null): Readonly<Record<string, string>> {
  const profile = board?.profile ?? null
  return {
    'kubernetes.io/arch': arch,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/hostname': device,
    ...(profile === null ? {} : { 'skerry.dev/profile': profile.name, ...profile.labels }),
    ...(board === null || board.soc === null ? {} : { 'skerry.dev/soc': board.soc.slice(0, 63) }),
    ...(board === null || board.module === null ? {} : { 'skerry.dev/module': board.module }),
  }
}

/** Kubernetes and container images name architectures as Go does. */
function goArch(node: string): string {
  return node === 'x64' ? 'amd64' : node === 'ia32' ? '386' : node
}
