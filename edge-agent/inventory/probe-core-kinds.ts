/** Which CPUs are of which make, where a chip mixes fast and slow ones. */
import type { CoreKind } from '../../protocol/inventory.ts'
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'
import { formatIdList, parseCount } from './id-list.ts'
import { readList } from './probe-cpu.ts'

const CPU = '/sys/devices/system/cpu'

interface Group {
  readonly cpus: readonly number[]
  readonly capacity: number | null
  readonly maxMHz: number | null
}

/** Empty when all CPUs are alike, or the kernel does not tell them apart. */
export async function probeCoreKinds(reader: HostReader, online: readonly number[], evidence: Evidence): Promise<readonly CoreKind[]> {
  const groups = (await byPmu(reader, online, evidence)) ?? (await byCapacity(reader, online, evidence)) ?? []
  const ranked = groups.toSorted((a, b) => strengthOf(b) - strengthOf(a))
  return ranked.slice(0, KINDS_SHOWN).map(({ cpus, capacity, maxMHz }, rank) => ({
    kind: rank === 0 ? 'performance' : rank === Math.min(ranked.length, KINDS_SHOWN) - 1 ? 'efficiency' : 'middle',
    cpus: formatIdList(cpus),
    ...(capacity === null ? {} : { capacity }),
    ...(maxMHz === null ? {} : { maxMHz }),
  }))
}

const KINDS_SHOWN = 8

function strengthOf({ capacity, maxMHz }: Group): number {
  return capacity ?? maxMHz ?? 0
}

/** Hybrid x86 has one counter unit for each make; clocks alone would part favoured cores from their equals. */
async function byPmu(reader: HostReader, online: readonly number[], evidence: Evidence): Promise<readonly Group[] | null> {
  const core = (await readList(reader, '/sys/devices/cpu_core/cpus'))?.filter((cpu) => online.includes(cpu)) ?? []
  const atom = (await readList(reader, '/sys/devices/cpu_atom/cpus'))?.filter((cpu) => online.includes(cpu)) ?? []
  const lowPower = (await readList(reader, '/sys/devices/cpu_lowpower/cpus'))?.filter((cpu) => online.includes(cpu)) ?? []
  const kinds = [core, atom, lowPower].filter((cpus) => cpus.length > 0)
  if (kinds.length < 2) return null
  evidence.source('topology.coreKinds', '/sys/devices/{cpu_core,cpu_atom,cpu_lowpower}/cpus')
  return Promise.all(kinds.map(async (cpus, rank) => ({ cpus, capacity: 1024 >> rank, maxMHz: await maxMHzOf(reader, cpus[0]) })))
}

/** A tenth apart is one make with another clock limit. */
const SAME_MAKE = 0.9

/** big.LITTLE: the kernel's capacity, else the highest clock. */
async function byCapacity(reader: HostReader, online: readonly number[], evidence: Evidence): Promise<readonly Group[] | null> {
  const capacities = await Promise.all(online.map(async (cpu) => parseCount(await reader.read(`${CPU}/cpu${cpu}/cpu_capacity`))))
  const clocks = await Promise.all(online.map((cpu) => maxMHzOf(reader, cpu)))
  const byKernel = !capacities.includes(null)
  const measure = byKernel ? capacities : clocks
  if (measure.includes(null)) return null
  const order = online.map((cpu, index) => ({ cpu, index, value: measure[index] ?? 0 })).toSorted((a, b) => b.value - a.value)
  const groups: { cpu: number; index: number; value: number }[][] = []
  for (const one of order) {
    const last = groups.at(-1)
    if (last?.[0] !== undefined && one.value >= last[0].value * SAME_MAKE) last.push(one)
    else groups.push([one])
  }
  if (groups.length < 2) return null
  evidence.source('topology.coreKinds', byKernel ? `${CPU}/cpu*/cpu_capacity` : `${CPU}/cpu*/cpufreq/cpuinfo_max_freq`)
  return groups.map((group) => ({
    cpus: group.map(({ cpu }) => cpu).toSorted((a, b) => a - b),
    capacity: byKernel ? (group[0]?.value ?? null) : null,
    maxMHz: clocks[group[0]?.index ?? 0] ?? null,
  }))
}

async function maxMHzOf(reader: HostReader, cpu: number | undefined): Promise<number | null> {
  const kHz = parseCount(await reader.read(`${CPU}/cpu${cpu ?? 0}/cpufreq/cpuinfo_max_freq`))
  return kHz === null ? null : Math.round(kHz / 1000)
}
