/** In Kubernetes documents `null` means "not set"; this takes such fields out so that nothing after the door meets them. */
import { isRecord } from '../../protocol/shape.ts'
import type { Shape } from '../../protocol/shape.ts'

/** A checked value without its null fields, guided by its shape (free-form parts are left alone). */
export function dropNulls<T>(shape: Shape<unknown>, value: T): T {
  return visit(shape, value) as T
}

function visit(shape: Shape<unknown>, value: unknown): unknown {
  const of = shape.of
  if (shape.kind === 'list' && Array.isArray(value) && of !== undefined) {
    const items: readonly unknown[] = value
    return items.map((item) => visit(of, item))
  }
  if (!isRecord(value)) return value
  if (shape.kind === 'map' && of !== undefined) return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, visit(of, item)]))
  if (shape.kind !== 'object') return value
  const kept = Object.entries(value).filter(([, item]) => item !== null && item !== undefined)
  return Object.fromEntries(kept.map(([key, item]) => [key, visit(shape.fields?.[key] ?? { kind: 'any' }, item)]))
}
