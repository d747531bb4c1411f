/** The topology part of the inventory, put together from what the probes read. Pure. */
import type { Accelerator, CoreKind, Topology } from '../../protocol/inventory.ts'
import type { Evidence } from './findings.ts'
import { formatIdList } from './id-list.ts'
import type { CgroupFacts } from './probe-cgroup.ts'
import type { CpuFacts } from './probe-cpu.ts'
import type { NumaFacts } from './probe-numa.ts'
import type { PciFacts } from './probe-pci.ts'

export interface TopologyParts {
  readonly cpu: CpuFacts | null
  readonly numa: NumaFacts | null
  readonly cgroup: CgroupFacts | null
  readonly pci: PciFacts | null
  readonly coreKinds: readonly CoreKind[]
  readonly caches: readonly string[] | null
  readonly accelerators: readonly Accelerator[]
}

export function topologyOf({ cpu, numa, cgroup, pci, coreKinds, caches, accelerators }: TopologyParts, evidence: Evidence): Topology {
  const devices = {
    pciGpus: pci?.gpus ?? [],
    pciAccelerators: pci?.accelerators ?? [],
    pciNics: pci?.nics ?? [],
    pciDeviceCount: pci?.count ?? 0,
    accelerators,
  }
  if (cpu === null) {
    evidence.finding('one CPU is assumed, because none could be read')
    return { threads: 1, onlineCpus: '0', offlineCpus: '', numaNodes: [{ id: 0, cpus: '0' }], numaSynthesized: true, numaSource: 'none', ...devices }
  }
  const usable = allowedCpus(cpu, cgroup)
  return {
    threads: cpu.online.length,
    ...(cpu.cores === null ? {} : { cores: cpu.cores }),
    ...(cpu.sockets === null ? {} : { sockets: cpu.sockets }),
    ...(cpu.smtMax === null ? {} : { smtMax: cpu.smtMax }),
    ...(cpu.coreCpus === null ? {} : { coreCpus: cpu.coreCpus }),
    ...(cpu.packageCpus === null ? {} : { packageCpus: cpu.packageCpus }),
    ...(caches === null || caches.length === 0 ? {} : { cacheCpus: caches }),
    ...(coreKinds.length === 0 ? {} : { coreKinds }),
    onlineCpus: formatIdList(cpu.online),
    offlineCpus: formatIdList(cpu.offline),
    ...(usable === null ? {} : { allowedCpus: formatIdList(usable) }),
    ...allowedOf(cpu, numa, cgroup),
    numaNodes: numa?.nodes ?? [{ id: 0, cpus: formatIdList(cpu.online) }],
    ...(numa?.distances === null || numa?.distances === undefined ? {} : { distances: numa.distances }),
    numaSynthesized: numa?.synthesized ?? true,
    numaSource: numa?.source ?? 'none',
    ...devices,
    ...limitsOf(cgroup),
  }
}

/** null when nothing is taken away */
export function allowedCpus(cpu: CpuFacts, cgroup: CgroupFacts | null): readonly number[] | null {
  const allowed = cgroup?.cpus?.filter((id) => cpu.online.includes(id)) ?? []
  return allowed.length === 0 || allowed.length === cpu.online.length ? null : allowed
}

/** CPUs and memory nodes together: a group may take away only one of them. */
function allowedOf(cpu: CpuFacts, numa: NumaFacts | null, cgroup: CgroupFacts | null): Pick<Topology, 'allowed'> {
  const ids = numa?.nodes.map((node) => node.id) ?? []
  const mems = cgroup?.mems?.filter((id) => ids.includes(id)) ?? []
  const cpus = allowedCpus(cpu, cgroup)
  const fewerMems = mems.length > 0 && mems.length < ids.length
  if (cpus === null && !fewerMems) return {}
  return { allowed: { cpus: formatIdList(cpus ?? cpu.online), ...(mems.length === 0 ? {} : { mems: formatIdList(mems) }) } }
}

function limitsOf(cgroup: CgroupFacts | null): Pick<Topology, 'cgroup' | 'pids' | 'cgroupLimits'> {
  if (cgroup === null) return {}
  const { path, pidsMax, memoryMaxBytes, cpuQuotaMilli, pidsChain } = cgroup.own
  const pids = pidsMax === null ? {} : { effectiveLimit: pidsMax }
  return {
    ...(path === null ? {} : { cgroup: path.slice(0, 1024) }),
    pids: { ...pids, chain: pidsChain.map((one) => ({ cgroup: one.cgroup, ...(one.pidsMax === null ? {} : { pidsMax: one.pidsMax }) })) },
    cgroupLimits: {
      ...(pidsMax === null ? {} : { pidsEffective: pidsMax }),
      ...(memoryMaxBytes === null ? {} : { memoryMaxEffective: memoryMaxBytes }),
      ...(cpuQuotaMilli === null ? {} : { cpuQuotaEffective: cpuQuotaMilli / 1000 }),
    },
  }
}
