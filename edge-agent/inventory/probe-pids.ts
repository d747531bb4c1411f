/** How many processes and threads the host can hold, and what says so. */
import type { HostReader } from '../ports.ts'
import type { CgroupFacts } from './probe-cgroup.ts'
import type { Evidence } from './findings.ts'
import { parseCount } from './id-list.ts'

export interface PidFacts {
  readonly capacity: number
  readonly used: number | null
  /** the file with the lowest number */
  readonly limitedBy: string
}

export async function probePids(reader: HostReader, cgroup: CgroupFacts | null, evidence: Evidence): Promise<PidFacts | null> {
  const limits: { readonly value: number; readonly file: string }[] = []
  for (const file of ['/proc/sys/kernel/pid_max', '/proc/sys/kernel/threads-max']) {
    const value = parseCount(await reader.read(file))
    if (value !== null) limits.push({ value, file })
  }
  if (cgroup !== null && cgroup.pidsMax !== null && cgroup.pidsFile !== null) limits.push({ value: cgroup.pidsMax, file: cgroup.pidsFile })
  const [lowest] = limits.toSorted((a, b) => a.value - b.value)
  if (lowest === undefined) {
    evidence.finding('the limit of processes could not be read', '/proc/sys/kernel/pid_max')
    return null
  }
  evidence.source('pids.capacity', lowest.file)
  const inGroup = lowest.file === cgroup?.pidsFile
  // loadavg's fourth field counts all tasks, threads included, as pid_max does
  const all = /^\S+ \S+ \S+ \d+\/(\d+) /.exec((await reader.read('/proc/loadavg')) ?? '')?.[1]
  const used = inGroup ? cgroup.pidsCurrent : parseCount(all)
  if (used !== null) evidence.source('pids.used', inGroup ? lowest.file.replace(/max$/, 'current') : '/proc/loadavg')
  return { capacity: lowest.value, used, limitedBy: lowest.file }
}
