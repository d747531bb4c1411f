/** What every kind of patch answers, and the checks that every patch passes before it is applied. */
import { isForbiddenKey } from '../../protocol/ids.ts'
import { LIMITS } from '../../protocol/limits.ts'

/** The new document, or why the patch cannot be applied (with the place in it). The inputs are never changed. */
export type Patched = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string }

export type Doc = Readonly<Record<string, unknown>>

export function refuse(why: string): Patched {
  return { ok: false, why }
}

/** Why this JSON value may not be merged: nested too deep, or a key that reaches a prototype. Null when it may. */
export function faultOf(value: unknown): string | null {
  const max = LIMITS.documentDepth.value
  const stack: { readonly value: unknown; readonly path: readonly string[] }[] = [{ value, path: [] }]
  for (let item = stack.pop(); item !== undefined; item = stack.pop()) {
    if (item.path.length >= max) return `the patch is nested deeper than ${max} levels`
    if (typeof item.value !== 'object' || item.value === null) continue
    for (const [key, child] of Object.entries(item.value)) {
      const path = [...item.path, key]
      if (!Array.isArray(item.value) && isForbiddenKey(key)) return `the key ${JSON.stringify(path.join('.'))} is never allowed`
      stack.push({ value: child, path })
    }
  }
  return null
}
