/**
 * How a rollout went, read from its members: each knows when its deadline began to count and since when its verdict holds. So
 * nothing has to be sampled, and it is the same after a restart. A device that failed and was tried again counts as it is now.
 */
import type { RolloutMember } from '../../resources/rollout-members.ts'

/** Enough for a picture a screen wide. */
const POINTS = 120

export interface Progress {
  readonly members: number
  readonly points: readonly { readonly atMs: number; readonly started: number; readonly done: number; readonly failed: number }[]
}

/** @param times when the rollout began (NaN = not yet), and its end or now */
export function progressOf(
  members: readonly RolloutMember[],
  { startedMs, endMs }: { readonly startedMs: number; readonly endMs: number },
): Progress {
  const started = sorted(members.flatMap(({ startedAt }) => startedAt ?? []))
  const done = sorted(members.flatMap(({ verdict, since }) => (verdict === 'done' ? since : [])))
  const failed = sorted(members.flatMap(({ verdict, since }) => (verdict === 'failed' || verdict === 'rolledBackByDevice' ? since : [])))
  const taking = members.filter(({ verdict }) => verdict !== 'skipped').length
  const first = Math.min(startedMs, started[0] ?? startedMs)
  if (Number.isNaN(first)) return { members: taking, points: [] }
  const news = Math.max(first + 1000, started.at(-1) ?? 0, done.at(-1) ?? 0, failed.at(-1) ?? 0)
  // what has been still for long is not drawn: it would press everything that happened into a corner
  const last = Math.max(news, Math.min(endMs, news + (news - first) / 2))
  const points = Array.from({ length: POINTS }, (_, at) => {
    const atMs = Math.round(first + ((last - first) * at) / (POINTS - 1))
    return { atMs, started: until(started, atMs), done: until(done, atMs), failed: until(failed, atMs) }
  })
  return { members: taking, points }
}

function sorted(times: readonly number[]): readonly number[] {
  return times.toSorted((a, b) => a - b)
}

/** How many are not after it. */
function until(times: readonly number[], atMs: number): number {
  let [low, high] = [0, times.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((times[middle] ?? 0) <= atMs) low = middle + 1
    else high = middle
  }
  return low
}
