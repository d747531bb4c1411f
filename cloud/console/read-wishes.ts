/** Wishes from outside, checked. */
import { LIMITS } from '../../protocol/limits.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { MapWish, Wish } from './live-protocol.ts'
import type { TableName } from './view-model.ts'

const TABLES = ['devices', 'workloads', 'pods', 'events', 'rollouts', 'audit'] as const
const LONGEST = 2000

/** The wishes by key, or a sentence that says what is wrong. */
export function readWishes(value: unknown): ReadonlyMap<string, Wish> | string {
  if (!isRecord(value) || !isRecord(value['wishes'])) return 'the body must be {"wishes": {"<key>": {"part": …}}}'
  const entries = Object.entries(value['wishes'])
  if (entries.length > LIMITS.consoleWishes.value) return `at most ${LIMITS.consoleWishes.value} wishes, these are ${entries.length}`
  const wishes = new Map<string, Wish>()
  for (const [key, one] of entries) {
    const wish = isRecord(one) ? readWish(one) : null
    if (wish === null) return `${key} is no wish this cloud knows`
    wishes.set(key, wish)
  }
  return wishes
}

function boxOf(value: unknown): MapWish['box'] {
  if (!Array.isArray(value)) return null
  const [south, north, west, east] = value.map(Number)
  const sides = [south ?? Number.NaN, north ?? Number.NaN, west ?? Number.NaN, east ?? Number.NaN] as const
  return sides.every(Number.isFinite) ? sides : null
}

export function tableNamed(name: unknown): TableName | null {
  return TABLES.find((one) => one === name) ?? null
}

function readWish(from: Readonly<Record<string, unknown>>): Wish | null {
  const text = (name: string): string => (typeof from[name] === 'string' ? from[name].slice(0, LONGEST) : '')
  const count = (name: string, most: number): number => {
    const value = from[name]
    return typeof value === 'number' && Number.isSafeInteger(value) ? Math.min(most, Math.max(0, value)) : 0
  }
  switch (from['part']) {
    case 'list': {
      const table = tableNamed(from['table'])
      if (table === null) return null
      const window = { offset: count('offset', 10_000_000), limit: count('limit', LIMITS.consoleRows.value) }
      return { part: 'list', table, query: text('query'), sort: text('sort'), facets: from['facets'] === true, ...window }
    }
    case 'field':
      return { part: 'field', query: text('query'), by: text('by') }
    case 'map':
      return { part: 'map', query: text('query'), box: boxOf(from['box']) }
    case 'summary':
    case 'causes':
    case 'inbox':
      return { part: from['part'] }
    case 'device':
      return { part: 'device', name: text('name') }
    case 'workload':
    case 'rollout':
      return { part: from['part'], key: text('key') }
    default:
      return null
  }
}
