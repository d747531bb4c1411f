/** Which CPUs share a last-level cache: chiplets inside one package, clusters of small cores. */
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'
import { formatIdList, parseCount } from './id-list.ts'
import { readList, readMask } from './probe-cpu.ts'

const CPU = '/sys/devices/system/cpu'

/** One list of CPUs for each cache, in the order of their first CPU; null when the kernel does not say it of every CPU. */
export async function probeCaches(reader: HostReader, online: readonly number[], evidence: Evidence): Promise<readonly string[] | null> {
  const groups: string[] = []
  const seen = new Set<number>()
  for (const cpu of online) {
    // its neighbours told already: a server has far fewer caches than CPUs
    if (seen.has(cpu)) continue
    const sharing = (await lastLevel(reader, cpu))?.filter((one) => online.includes(one) && !seen.has(one))
    if (sharing === undefined || !sharing.includes(cpu)) return null
    for (const one of sharing) seen.add(one)
    groups.push(formatIdList(sharing))
  }
  if (groups.length > 0) evidence.source('topology.cacheCpus', `${CPU}/cpu*/cache/index*/shared_cpu_list`)
  return groups
}

async function lastLevel(reader: HostReader, cpu: number): Promise<readonly number[] | undefined> {
  let best: { readonly level: number; readonly dir: string } | null = null
  for (const index of await reader.list(`${CPU}/cpu${cpu}/cache`)) {
    const dir = `${CPU}/cpu${cpu}/cache/${index}`
    const level = parseCount(await reader.read(`${dir}/level`))
    // caches behind the chip (level 4 and up) are shared by all and part nothing
    if (level !== null && level <= 3 && (best === null || level > best.level)) best = { level, dir }
  }
  if (best === null) return undefined
  return (await readList(reader, `${best.dir}/shared_cpu_list`)) ?? (await readMask(reader, `${best.dir}/shared_cpu_map`)) ?? undefined
}
