/**
 * How a rollout went, read from its members: each knows when its deadline began to count and since when its verdict holds. So
 * nothing has to be sampled, and it is the same after a restart. A device that failed and was tried again counts as it is now.
 */
import type { RolloutMember } from '../../resources/rollout-members.ts'
import type { Allowed } from './allowed.ts'
import { isFailure } from './counts.ts'
import { timesOf, until } from './times.ts'

/** Enough for a picture a screen wide. */
const POINTS = 120

export interface Progress {
  readonly members: number
  readonly points: readonly {
    readonly atMs: number
    readonly started: number
    readonly done: number
    readonly failed: number
    /** failures above this number pause it by rule; null = none would */
    readonly allowed: number | null
  }[]
}

/** @param times when the rollout began (NaN = not yet), and its end or now */
export function progressOf(
  members: readonly RolloutMember[],
  { startedMs, endMs }: { readonly startedMs: number; readonly endMs: number },
  allowed: Allowed,
): Progress {
  const started = timesOf(members.flatMap(({ startedAt }) => startedAt ?? []))
  const done = timesOf(members.flatMap(({ verdict, since }) => (verdict === 'done' ? since : [])))
  const failed = timesOf(members.flatMap(({ verdict, since }) => (isFailure(verdict) ? since : [])))
  const taking = members.filter(({ verdict }) => verdict !== 'skipped').length
  const first = Math.min(startedMs, started[0] ?? startedMs)
  if (Number.isNaN(first)) return { members: taking, points: [] }
  const news = Math.max(first + 1000, started.at(-1) ?? 0, done.at(-1) ?? 0, failed.at(-1) ?? 0)
  // what has been still for long is not drawn: it would press everything that happened into a corner
  const last = Math.max(news, Math.min(endMs, news + (news - first) / 2))
  const points = Array.from({ length: POINTS }, (_, at) => {
    const atMs = Math.round(first + ((last - first) * at) / (POINTS - 1))
    return { atMs, started: until(started, atMs), done: until(done, atMs), failed: until(failed, atMs), allowed: allowed(atMs) }
  })
  return { members: taking, points }
}
