import { createHash } from 'node:crypto'

/**
 * Canonical JSON (sorted keys, no white space, undefined dropped) and its sha256. Two programs that agree on a value agree
 * on its digest, whatever order keys were written in.
 */
export function canonicalJson(value: unknown): string {
  if (value === null || typeof value === 'boolean' || typeof value === 'string') return JSON.stringify(value)
  if (typeof value === 'number') return Number.isFinite(value) ? JSON.stringify(value) : 'null'
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item === undefined ? null : item)).join(',')}]`
  if (typeof value === 'object') {
    const entries = Object.entries(value)
      .filter(([, item]) => item !== undefined && typeof item !== 'function')
      .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0))
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonicalJson(item)}`).join(',')}}`
  }
  return 'null'
}

/** Hex sha256 of a value's canonical JSON. */
export function digestOf(value: unknown): string {
  return createHash('sha256').update(canonicalJson(value)).digest('hex')
}

/** `canonicalJson(a) === canonicalJson(b)` without writing either: what was not touched is the same object and costs nothing. */
export function sameJson(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return canonicalJson(a) === canonicalJson(b)
  if (Array.isArray(a) || Array.isArray(b)) {
    if (!Array.isArray(a) || !Array.isArray(b) || a.length !== b.length) return false
    // undefined in a list is written as null
    return a.every((item: unknown, index) => sameJson(item ?? null, (b[index] as unknown) ?? null))
  }
  const [left, right] = [written(a), written(b)]
  if (left.length !== right.length) return false
  const other = new Map(right)
  return left.every(([key, value]) => other.has(key) && sameJson(value, other.get(key)))
}

function written(object: object): (readonly [string, unknown])[] {
  return Object.entries(object).filter(([, item]) => item !== undefined && typeof item !== 'function')
}
