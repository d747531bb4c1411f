/** Huge pages of the whole machine: page size in bytes -> pages. */
import type { HostReader } from '../ports.ts'
import type { Evidence } from './findings.ts'
import { parseCount } from './id-list.ts'

const HUGEPAGES = '/sys/kernel/mm/hugepages'
const SIZES_SHOWN = 16

/** Sizes that the kernel offers are there with 0 pages; a kernel without huge pages gives none. */
export async function probeHugepages(reader: HostReader, evidence: Evidence): Promise<Readonly<Record<string, number>>> {
  const pages: Record<string, number> = {}
  for (const name of (await reader.list(HUGEPAGES)).slice(0, SIZES_SHOWN)) {
    const kib = /^hugepages-(\d{1,9})kB$/.exec(name)?.[1]
    const count = parseCount(await reader.read(`${HUGEPAGES}/${name}/nr_hugepages`))
    if (kib !== undefined && count !== null) pages[String(Number(kib) * 1024)] = count
  }
  if (Object.keys(pages).length > 0) evidence.source('capacity.hugepages', `${HUGEPAGES}/*/nr_hugepages`)
  return pages
}
