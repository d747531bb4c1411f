/** What a process holds, as the kernel says it. */
import { readFileSync } from 'node:fs'

export interface Held {
  readonly rssMib: number
  /** what cannot be given back: without the text of the program and other files */
  readonly anonymousMib: number
}

export function heldBy(pid: number | null): Held {
  const status = pid === null ? '' : readFileSync(`/proc/${pid}/status`, 'utf8')
  const mib = (field: string): number => Math.round((Number(new RegExp(`^${field}:\\s+(\\d+) kB`, 'm').exec(status)?.[1] ?? 0) / 1024) * 10) / 10
  return { rssMib: mib('VmRSS'), anonymousMib: mib('RssAnon') }
}
