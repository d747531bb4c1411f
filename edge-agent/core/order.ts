/**
 * Lanes -> waves. Everything that can run now is in the first wave, quick lanes first; containers that bind host ports wait
 * for the wave in which containers that may hold these ports go away.
 */
import type { Lane } from './model.ts'

export interface LaneItem {
  readonly lane: Lane
  readonly kind: 'start' | 'remove' | 'stop' | 'replace' | 'create'
  /** host ports bound by what this lane starts */
  readonly claims: readonly string[]
  /** name of a running container that goes away for good in this lane */
  readonly frees: string | null
}

const QUICK_FIRST: Readonly<Record<LaneItem['kind'], number>> = { start: 0, stop: 1, remove: 2, replace: 3, create: 4 }

/** The second wave is never there without a first: a waiting lane always waits for something that runs. */
export function orderLanes(items: readonly LaneItem[]): readonly (readonly Lane[])[] {
  if (items.length === 0) return []
  const frees = items.some((item) => item.frees !== null)
  const waits = (item: LaneItem): boolean => frees && item.claims.length > 0 && item.frees === null
  const sorted = items.toSorted((a, b) => QUICK_FIRST[a.kind] - QUICK_FIRST[b.kind])
  const now = mergeByKey(sorted.filter((item) => !waits(item)))
  const later = mergeByKey(sorted.filter(waits))
  return later.length === 0 ? [now] : [now, later]
}

/** Lanes run side by side, so one key is in one lane. */
function mergeByKey(items: readonly LaneItem[]): readonly Lane[] {
  const byKey = new Map<string, Lane>()
  for (const { lane } of items) {
    const same = byKey.get(lane.key)
    byKey.set(lane.key, same === undefined ? lane : { key: lane.key, steps: [...same.steps, ...lane.steps] })
  }
  return [...byKey.values()]
}
