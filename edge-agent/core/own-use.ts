/**
 * What the agent itself takes of its device: memory, and bytes written to the disk (flash wears by them). The kernel counts
 * what this process wrote, by whichever part of it; tmpfs does not count.
 */
import { LIMITS } from '../../protocol/limits.ts'

export interface OwnSample {
  readonly rssBytes: number
  /** since the process began; null = the kernel does not count */
  readonly writtenBytes: number | null
}

export interface OwnUse {
  readonly rssBytes: number
  /** looks in a row with more memory than the limit */
  readonly overLooks: number
  /** bytes by hour of monotonic time, newest last, a day at most */
  readonly hours: readonly { readonly hour: number; readonly bytes: number }[]
  readonly sinceMonoMs: number
  readonly counter: number | null
}

const HOUR_MS = 3_600_000
const HOURS = 24

export function noteUse(before: OwnUse | null, { rssBytes, writtenBytes }: OwnSample, nowMonoMs: number): OwnUse {
  const hour = Math.floor(nowMonoMs / HOUR_MS)
  const hours = before?.hours ?? []
  const fresh = writtenBytes === null ? 0 : Math.max(0, writtenBytes - (before?.counter ?? 0))
  const last = hours.at(-1)
  const next = last?.hour === hour ? [...hours.slice(0, -1), { hour, bytes: last.bytes + fresh }] : [...hours, { hour, bytes: fresh }]
  return {
    rssBytes,
    overLooks: rssBytes > LIMITS.ownRssBytes.value ? (before?.overLooks ?? 0) + 1 : 0,
    hours: next.filter((one) => one.hour > hour - HOURS),
    sinceMonoMs: before?.sinceMonoMs ?? nowMonoMs,
    counter: writtenBytes,
  }
}

/** Bytes of the last day, or since the start when that is less long ago; null when the kernel does not count. */
export function writtenOf(use: OwnUse, nowMonoMs: number): { readonly bytes: number; readonly overMs: number } | null {
  if (use.counter === null) return null
  return { bytes: use.hours.reduce((sum, { bytes }) => sum + bytes, 0), overMs: Math.min(HOURS * HOUR_MS, Math.max(0, nowMonoMs)) }
}

/** Too much memory for too long: the last resort is a new process, which adopts what runs. */
export function mustRestart(use: OwnUse): boolean {
  return use.overLooks >= LIMITS.ownRssLooks.value
}
