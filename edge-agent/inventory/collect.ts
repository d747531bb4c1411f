/** Collects the inventory: probes one after another; one that fails is a finding, and the others go on. */
import { PROFILES } from '../../device-profiles/catalogue.ts'
import { matchProfile } from '../../device-profiles/match.ts'
import type { DeviceProfile } from '../../device-profiles/schema.ts'
import type { Inventory, Topology } from '../../protocol/inventory.ts'
import { clip } from '../../protocol/limits.ts'
import type { EngineInfo } from '../core/model.ts'
import type { Clock, HostReader, InventoryReader } from '../ports.ts'
import { allocatableOf, capacityOf } from './allocatable.ts'
import type { Measured } from './allocatable.ts'
import { Evidence } from './findings.ts'
import { createHostReader } from './host-reader.ts'
import { formatIdList } from './id-list.ts'
import { probeCgroup } from './probe-cgroup.ts'
import type { CgroupFacts } from './probe-cgroup.ts'
import { probeCpu } from './probe-cpu.ts'
import type { CpuFacts } from './probe-cpu.ts'
import { probeNuma } from './probe-numa.ts'
import type { NumaFacts } from './probe-numa.ts'
import { probePids } from './probe-pids.ts'
import type { PidFacts } from './probe-pids.ts'
import { probeFileSystems, probeHostIp, probeOs, systemCalls } from './probe-system.ts'
import type { SystemCalls } from './probe-system.ts'

export interface InventoryOptions {
  readonly device: string
  readonly agentVersion: string
  readonly clock: Clock
  /** what the engine said last; null while it does not answer */
  readonly engine: () => EngineInfo | null
  /** where the engine keeps images and containers: its file system is the ephemeral storage */
  readonly engineRoot?: string
  readonly reader?: HostReader
  readonly calls?: SystemCalls
  /** as Node names it; absent = that of this process */
  readonly arch?: string
}

export function createInventoryReader(options: InventoryOptions): InventoryReader {
  return { collect: () => collect(options) }
}

async function collect(options: InventoryOptions): Promise<{ readonly inventory: Inventory; readonly hostIp: string | null }> {
  const reader = options.reader ?? createHostReader()
  const calls = options.calls ?? systemCalls
  const evidence = new Evidence()
  const attempt = async <T>(name: string, probe: () => Promise<T>): Promise<T | null> => {
    try {
      return await probe()
    } catch (error) {
      evidence.finding(clip(`${name} could not be read: ${error instanceof Error ? error.message : String(error)}`))
      return null
    }
  }
  const arch = goArch(options.arch ?? process.arch)
  const memory = await attempt('memory', () => calls.memory())
  if (memory !== null) evidence.source('memory.totalBytes', 'systeminformation.mem (/proc/meminfo)')
  const cpu = await attempt('cpu', () => probeCpu(reader, evidence))
  const numa = cpu === null ? null : await attempt('numa', () => probeNuma(reader, cpu.online, memory?.totalBytes ?? null, evidence))
  const cgroup = await attempt('cgroup', () => probeCgroup(reader, evidence))
  const pids = await attempt('pids', () => probePids(reader, cgroup, evidence))
  const os = (await attempt('os', () => probeOs(reader, arch, evidence))) ?? { arch }
  const fileSystems = await attempt('file systems', () => probeFileSystems(reader, calls, evidence))
  const storage = await attempt('storage', () => calls.fileSystem(options.engineRoot ?? '/var/lib/docker').catch(() => calls.fileSystem('/')))
  if (storage !== null) evidence.source('capacity.ephemeral-storage', 'statfs of the engine\'s folder')
  const addresses = (await attempt('addresses', async () => calls.addresses())) ?? []
  const hostIp = await attempt('host address', () => probeHostIp(reader, addresses, evidence))
  const profile = await attempt('profile', () => probeProfile(reader, arch, evidence))
  const topology = topologyOf(cpu, numa, cgroup, evidence)
  const usable = cpu === null ? 1 : (allowedCpus(cpu, cgroup) ?? cpu.online).length
  const measured: Measured = {
    cpus: usable,
    memoryBytes: memory?.totalBytes ?? null,
    pids: pids?.capacity ?? null,
    storageBytes: storage?.sizeBytes ?? null,
  }
  const capacity = capacityOf(measured, cgroup)
  const engine = options.engine()
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
    addresses: addresses.slice(0, 64),
    capacity,
    allocatable: allocatableOf(capacity, profile),
    labels: labelsOf(options.device, arch, profile),
    findings: evidence.findings.slice(0, 64),
    sources: evidence.sources,
  }
  return { inventory, hostIp }
}

function topologyOf(cpu: CpuFacts | null, numa: NumaFacts | null, cgroup: CgroupFacts | null, evidence: Evidence): Topology {
  if (cpu === null) {
    evidence.finding('one CPU is assumed, because none could be read')
    return { threads: 1, onlineCpus: '0', numaNodes: [{ id: 0, cpus: '0' }], numaSynthesized: true }
  }
  const allowed = allowedCpus(cpu, cgroup)
  return {
    threads: cpu.online.length,
    ...(cpu.cores === null ? {} : { cores: cpu.cores }),
    ...(cpu.sockets === null ? {} : { sockets: cpu.sockets }),
    onlineCpus: formatIdList(cpu.online),
    ...(cpu.offline.length === 0 ? {} : { offlineCpus: formatIdList(cpu.offline) }),
    ...(allowed === null ? {} : { allowedCpus: formatIdList(allowed) }),
    numaNodes: numa?.nodes ?? [{ id: 0, cpus: formatIdList(cpu.online) }],
    ...(numa?.distances === null || numa?.distances === undefined ? {} : { distances: numa.distances }),
    ...(numa === null || numa.synthesized ? { numaSynthesized: true } : {}),
  }
}

/** null when nothing is taken away */
function allowedCpus(cpu: CpuFacts, cgroup: CgroupFacts | null): readonly number[] | null {
  const allowed = cgroup?.cpus?.filter((id) => cpu.online.includes(id)) ?? []
  return allowed.length === 0 || allowed.length === cpu.online.length ? null : allowed
}

function limitOf(cgroup: CgroupFacts | null): { readonly limitBytes?: number } {
  return cgroup === null || cgroup.memoryMaxBytes === null ? {} : { limitBytes: cgroup.memoryMaxBytes }
}

function pidsOf({ capacity, limitedBy, used }: PidFacts): NonNullable<Inventory['pids']> {
  return { capacity, limitedBy: limitedBy.slice(0, 128), ...(used === null ? {} : { used }) }
}

async function probeProfile(reader: HostReader, arch: string, evidence: Evidence): Promise<DeviceProfile | null> {
  const compatible = ((await reader.read('/proc/device-tree/compatible')) ?? '').split('\n').filter((name) => name !== '')
  const profile = matchProfile(PROFILES, { arch, compatible, product: await reader.read('/sys/class/dmi/id/product_name') })
  if (profile !== null) evidence.source('labels.skerry.dev/profile', compatible.length > 0 ? '/proc/device-tree/compatible' : 'architecture')
  for (const note of profile?.notes ?? []) evidence.finding(note, `profile ${profile?.name ?? ''}`)
  return profile
}

function labelsOf(device: string, arch: string, profile: DeviceProfile | null): Readonly<Record<string, string>> {
  return {
    'kubernetes.io/arch': arch,
    'kubernetes.io/os': 'linux',
    'kubernetes.io/hostname': device,
    ...(profile === null ? {} : { 'skerry.dev/profile': profile.name, ...profile.labels }),
  }
}

/** Kubernetes and container images name architectures as Go does. */
function goArch(node: string): string {
  return node === 'x64' ? 'amd64' : node === 'ia32' ? '386' : node
}
