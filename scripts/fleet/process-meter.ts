/** What a process has used, read from /proc: nothing has to run inside it. */
import { readFileSync } from 'node:fs'

export interface Used {
  readonly cpuMs: number
  readonly rssMiB: number
  readonly peakMiB: number
}

/** clock ticks a second: 100 on every Linux that Node runs on */
const TICK_MS = 10

/** Zeros for a process that is gone. */
export function usedBy(pid: number | null): Used {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // the name in brackets may hold anything: count from its end
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const kib = (name: string): number => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0)
    return { cpuMs: (Number(fields[11]) + Number(fields[12])) * TICK_MS, rssMiB: kib('VmRSS') / 1024, peakMiB: kib('VmHWM') / 1024 }
  } catch {
    return { cpuMs: 0, rssMiB: 0, peakMiB: 0 }
  }
}

/** Share of all cores that others used since the last call: figures taken beside other work are said to be so. */
export function machineBusyMs(): { readonly busyMs: number; readonly totalMs: number } {
  const first = readFileSync('/proc/stat', 'utf8').split('\n')[0] ?? ''
  const numbers = first.split(/\s+/).slice(1).map(Number)
  const total = numbers.slice(0, 8).reduce((sum, value) => sum + value, 0)
  const idle = (numbers[3] ?? 0) + (numbers[4] ?? 0)
  return { busyMs: (total - idle) * TICK_MS, totalMs: total * TICK_MS }
}
