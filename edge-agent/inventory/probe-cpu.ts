/** Which CPUs run, and how many cores and packages they are. Counted from sibling sets: ids repeat, lie and are absent on real boards. */
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'
import { formatIdList, parseIdList, parseIdMask } from './id-list.ts'

export interface CpuFacts {
  /** rising; never empty */
  readonly online: readonly number[]
  readonly offline: readonly number[]
  /** null = the kernel does not say */
  readonly cores: number | null
  readonly sockets: number | null
  /** most threads that share a core */
  readonly smtMax: number | null
  /** CPUs of each core and of each package, in the order of their first CPU; null = the kernel does not say it of every CPU */
  readonly coreCpus: readonly string[] | null
  readonly packageCpus: readonly string[] | null
}

const CPU = '/sys/devices/system/cpu'

export async function probeCpu(reader: HostReader, evidence: Evidence): Promise<CpuFacts | null> {
  const present = (await reader.list(CPU)).flatMap((name) => (/^cpu\d+$/.test(name) ? [Number(name.slice(3))] : []))
  const online = await readOnline(reader, present, evidence)
  if (online.length === 0) {
    evidence.finding('no CPU could be found', `${CPU}/online`)
    return null
  }
  const known = [...new Set([...present, ...((await readList(reader, `${CPU}/present`)) ?? [])])].sort((a, b) => a - b)
  const topology = await Promise.all(online.map((cpu) => readPlace(reader, cpu, online)))
  const cores = countDistinct(topology.map((place) => place.siblings)) ?? (await coresWithoutSiblings(reader, topology))
  const sockets = countDistinct(topology.map((place) => place.packageId)) ?? (topology.every((place) => place.holdsAll) ? 1 : null)
  if (cores !== null) evidence.source('topology.cores', `${CPU}/cpu*/topology/thread_siblings_list`)
  if (sockets !== null) evidence.source('topology.sockets', `${CPU}/cpu*/topology/physical_package_id`)
  const shared = topology.map((place) => (place.siblings === null ? null : (parseIdList(place.siblings)?.length ?? null)))
  const smtMax = cores === online.length ? 1 : shared.includes(null) ? null : Math.max(...shared.map((count) => count ?? 1))
  const coreCpus = shared.includes(null) ? null : [...new Set(topology.flatMap((place) => place.siblings ?? []))]
  const packageCpus = packagesOf(online, topology)
  return { online, offline: known.filter((cpu) => !online.includes(cpu)), cores, sockets, smtMax, coreCpus, packageCpus }
}

function packagesOf(online: readonly number[], topology: readonly Place[]): readonly string[] | null {
  const groups = new Map<string, number[]>()
  for (const [index, cpu] of online.entries()) {
    const place = topology[index]
    const id = place?.packageId ?? (place?.holdsAll === true ? 'all' : null)
    if (id === null) return null
    groups.set(id, [...(groups.get(id) ?? []), cpu])
  }
  return [...groups.values()].map(formatIdList)
}

async function readOnline(reader: HostReader, present: readonly number[], evidence: Evidence): Promise<readonly number[]> {
  const switchedOff = new Set<number>()
  await Promise.all(
    present.map(async (cpu) => {
      if ((await reader.read(`${CPU}/cpu${cpu}/online`)) === '0') switchedOff.add(cpu)
    }),
  )
  const listed = await readList(reader, `${CPU}/online`)
  if (listed !== null && listed.length > 0) {
    evidence.source('topology.onlineCpus', `${CPU}/online`)
    // an online CPU has a folder; containers and damaged copies list more than there is
    return listed.filter((cpu) => !switchedOff.has(cpu) && (present.length === 0 || present.includes(cpu)))
  }
  if (present.length > 0) {
    evidence.source('topology.onlineCpus', `${CPU}/cpu*`)
    return present.filter((cpu) => !switchedOff.has(cpu)).toSorted((a, b) => a - b)
  }
  evidence.source('topology.onlineCpus', '/proc/cpuinfo')
  const cpuinfo = (await reader.read('/proc/cpuinfo')) ?? ''
  return [...cpuinfo.matchAll(/^processor\s*:\s*(\d+)\s*$/gm)].map((match) => Number(match[1]))
}

interface Place {
  /** canonical list of the CPUs that share this one's core, or null */
  readonly siblings: string | null
  /** null where the kernel writes -1 or nothing */
  readonly packageId: string | null
  readonly coreId: string | null
  /** true when this CPU's package is said to hold every online CPU */
  readonly holdsAll: boolean
}

async function readPlace(reader: HostReader, cpu: number, online: readonly number[]): Promise<Place> {
  const dir = `${CPU}/cpu${cpu}/topology`
  const siblings =
    (await readList(reader, `${dir}/core_cpus_list`)) ??
    (await readList(reader, `${dir}/thread_siblings_list`)) ??
    (await readMask(reader, `${dir}/core_cpus`)) ??
    (await readMask(reader, `${dir}/thread_siblings`))
  const packageId = await reader.read(`${dir}/physical_package_id`)
  const inPackage = (await readList(reader, `${dir}/package_cpus_list`)) ?? (await readList(reader, `${dir}/core_siblings_list`)) ?? []
  return {
    // a list without the CPU itself is no list of its siblings
    siblings: siblings?.includes(cpu) !== true ? null : formatIdList(siblings.filter((one) => online.includes(one))),
    packageId: packageId === null || !/^\d+$/.test(packageId) ? null : packageId,
    coreId: await reader.read(`${dir}/core_id`),
    holdsAll: online.every((one) => inPackage.includes(one)),
  }
}

/** Ids of cores repeat inside a package: they prove something only where no two CPUs share a pair. Else a CPU without SMT says so. */
async function coresWithoutSiblings(reader: HostReader, topology: readonly Place[]): Promise<number | null> {
  const pairs = countDistinct(
    topology.map((place) => (place.packageId === null || place.coreId === null ? null : `${place.packageId}/${place.coreId}`)),
  )
  if (pairs === topology.length) return pairs
  const blocks = ((await reader.read('/proc/cpuinfo')) ?? '').split(/\n\s*\n/).filter((block) => block.startsWith('processor'))
  const withoutSmt = blocks.every((block) => {
    const siblings = /^siblings\s*:\s*(\d+)/m.exec(block)?.[1]
    return siblings !== undefined && siblings === /^cpu cores\s*:\s*(\d+)/m.exec(block)?.[1]
  })
  return blocks.length === topology.length && withoutSmt ? topology.length : null
}

/** null unless every CPU says something: half an answer is none */
function countDistinct(values: readonly (string | null)[]): number | null {
  return values.includes(null) ? null : new Set(values).size
}

export async function readList(reader: HostReader, file: string): Promise<readonly number[] | null> {
  const text = await reader.read(file)
  return text === null ? null : parseIdList(text)
}

export async function readMask(reader: HostReader, file: string): Promise<readonly number[] | null> {
  const text = await reader.read(file)
  return text === null ? null : parseIdMask(text)
}
