/**
 * GPUs, accelerators and network cards on the PCI bus, and the NUMA node that each is next to. Classes and ids come from
 * sysfs: no lspci and no driver is needed.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { PciDevice } from '../../protocol/inventory.ts'
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'
import { parseIdList } from './id-list.ts'
import { readList, readMask } from './probe-cpu.ts'

export interface PciFacts {
  readonly gpus: readonly PciDevice[]
  /** processing accelerators (class 12) and co-processors (0b40) */
  readonly accelerators: readonly PciDevice[]
  readonly nics: readonly PciDevice[]
  /** known devices whose class says nothing of what they do: Coral, Hailo */
  readonly others: readonly PciDevice[]
  readonly count: number
  /** `class_vendor` of all that compute or connect, each once */
  readonly classes: readonly string[]
}

/** as much of a NUMA node as the place of a device needs */
export interface NodeCpus {
  readonly id: number
  readonly cpus: string
}

export const PCI = '/sys/bus/pci/devices'

/** Hailo says "co-processor" on some boards and "unassigned" on others; Coral says "system peripheral". */
const KNOWN_BY_ID: readonly string[] = ['1ac1:089a', '1e60:2864', '1e60:45c4']

export async function probePci(reader: HostReader, nodes: readonly NodeCpus[], evidence: Evidence): Promise<PciFacts> {
  const addresses = (await reader.list(PCI)).filter((name) => ADDRESS.test(name)).toSorted(byAddress)
  const found = await Promise.all(addresses.map((address) => readDevice(reader, address, nodes, evidence)))
  const all = found.filter((device) => device !== null)
  if (addresses.length > 0) evidence.source('topology.pciGpus', `${PCI}/*/{class,vendor,device,numa_node,local_cpulist}`)
  const cut = (what: string, list: readonly PciDevice[]): readonly PciDevice[] => {
    const max = LIMITS.pciDevicesShown.value
    if (list.length > max) evidence.finding(`${list.length} ${what} on the PCI bus; the first ${max} are listed`, PCI)
    return list.slice(0, max)
  }
  const listed = { gpus: all.filter(isGpu), accelerators: all.filter(isAccelerator), nics: all.filter(isNic) }
  const labelled = [...listed.gpus, ...listed.accelerators, ...listed.nics]
  return {
    gpus: cut('GPUs', listed.gpus),
    accelerators: cut('accelerators', listed.accelerators),
    nics: cut('network functions', listed.nics),
    others: all.filter((device) => !labelled.includes(device) && KNOWN_BY_ID.includes(`${device.vendor}:${device.device}`)),
    count: addresses.length,
    classes: [...new Set(labelled.flatMap((one) => (one.vendor === undefined ? [] : [`${one.class}_${one.vendor}`])))].toSorted().slice(0, 32),
  }
}

function isGpu({ class: code }: PciDevice): boolean {
  return code.startsWith('03')
}

function isAccelerator({ class: code }: PciDevice): boolean {
  return code.startsWith('12') || code === '0b40'
}

function isNic({ class: code }: PciDevice): boolean {
  return code.startsWith('02')
}

/** the domain has more than four digits behind some bridges */
const ADDRESS = /^[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/

function byAddress(a: string, b: string): number {
  return a.length === b.length ? (a < b ? -1 : 1) : a.length - b.length
}

async function readDevice(reader: HostReader, address: string, nodes: readonly NodeCpus[], evidence: Evidence): Promise<PciDevice | null> {
  const dir = `${PCI}/${address}`
  const code = /^0x([0-9a-f]{4})[0-9a-f]{2}$/.exec((await reader.read(`${dir}/class`)) ?? '')?.[1]
  if (code === undefined) return null
  const [vendor, device] = await Promise.all([readHexId(reader, `${dir}/vendor`), readHexId(reader, `${dir}/device`)])
  const base: PciDevice = { address, class: code, ...(vendor === null ? {} : { vendor }), ...(device === null ? {} : { device }) }
  // bridges and the like are counted, not placed: most of the bus is of no use to a container
  if (!isGpu(base) && !isAccelerator(base) && !isNic(base) && !KNOWN_BY_ID.includes(`${vendor}:${device}`)) return base
  const raw = /^(-1|\d{1,6})$/.exec((await reader.read(`${dir}/numa_node`)) ?? '')?.[1]
  const driver = driverName(await reader.link(`${dir}/driver`))
  const numaNode = await nodeOf(reader, dir, raw === undefined ? null : Number(raw), nodes, evidence)
  return {
    ...base,
    ...(numaNode === null ? {} : { numaNode }),
    ...(raw === undefined ? {} : { sysfsNumaNode: Number(raw) }),
    ...(driver === null ? {} : { driver }),
  }
}

/** `0x10de` -> `10de` */
export async function readHexId(reader: HostReader, file: string): Promise<string | null> {
  return /^0x([0-9a-f]{2,4})$/.exec((await reader.read(file)) ?? '')?.[1] ?? null
}

export function driverName(link: string | null): string | null {
  const name = link?.split('/').at(-1)
  return name === undefined || name === '' ? null : name.slice(0, 64)
}

/**
 * The kernel's own answer, else the one node that holds all CPUs next to the device: -1 means "unknown" and is what every
 * machine with one node says. A node without CPUs is where memory is, never where a device is.
 */
async function nodeOf(reader: HostReader, dir: string, raw: number | null, nodes: readonly NodeCpus[], evidence: Evidence): Promise<number | null> {
  const candidates = nodes.filter((node) => node.cpus !== '')
  const local = (await readList(reader, `${dir}/local_cpulist`)) ?? (await readMask(reader, `${dir}/local_cpus`)) ?? []
  const near = candidates.filter((node) => parseIdList(node.cpus)?.some((cpu) => local.includes(cpu)) === true)
  const byCpus = near.length === 1 ? near[0] : undefined
  const named = raw === null || raw < 0 ? undefined : candidates.find((node) => node.id === raw)
  if (named !== undefined && byCpus !== undefined && byCpus.id !== named.id) {
    evidence.finding(`numa_node says ${named.id}, local_cpulist says node ${byCpus.id}: numa_node is believed`, dir)
  }
  const only = candidates.length === 1 ? candidates[0] : undefined
  return (named ?? byCpus ?? only)?.id ?? null
}
