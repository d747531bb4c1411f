/** What differs between two pod templates, field by field, as people read it. */
import { isRecord } from '../../../protocol/shape.ts'

export interface FieldChange {
  /** `spec.containers[main].image` */
  readonly path: string
  /** null = absent */
  readonly from: unknown
  readonly to: unknown
}

/** Lists of named things are compared by name, other lists as a whole. */
export function diffOf(from: unknown, to: unknown, path = ''): readonly FieldChange[] {
  if (isRecord(from) && isRecord(to)) return diffRecords(from, to, path)
  if (isNamed(from) && isNamed(to)) return diffNamed(from, to, path)
  return JSON.stringify(from) === JSON.stringify(to) ? [] : [{ path, from: from ?? null, to: to ?? null }]
}

type Doc = Readonly<Record<string, unknown>>

function diffRecords(from: Doc, to: Doc, path: string): readonly FieldChange[] {
  const keys = [...new Set([...Object.keys(from), ...Object.keys(to)])].toSorted()
  return keys.flatMap((key) => diffOf(from[key], to[key], path === '' ? key : `${path}.${key}`))
}

function diffNamed(from: readonly Doc[], to: readonly Doc[], path: string): readonly FieldChange[] {
  const names = [...new Set([...from, ...to].map((item) => String(item['name'])))]
  const find = (list: readonly Doc[], name: string): Doc | undefined => list.find((item) => item['name'] === name)
  return names.flatMap((name) => diffOf(find(from, name), find(to, name), `${path}[${name}]`))
}

function isNamed(value: unknown): value is readonly Doc[] {
  return Array.isArray(value) && value.length > 0 && value.every((item) => isRecord(item) && typeof item['name'] === 'string')
}
