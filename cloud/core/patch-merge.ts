/** JSON merge patch (RFC 7386): objects merge, null removes, everything else replaces. */
import { isRecord } from '../../protocol/shape.ts'
import { faultOf, refuse } from './patch-result.ts'
import type { Patched } from './patch-result.ts'

export function applyMergePatch(document: unknown, patch: unknown): Patched {
  if (!isRecord(patch)) return refuse('a merge patch must be an object with the fields to change')
  const fault = faultOf(patch)
  return fault === null ? { ok: true, value: merge(document, patch) } : refuse(fault)
}

/** Depth is bounded by the patch, which was checked. */
function merge(target: unknown, patch: unknown): unknown {
  if (!isRecord(patch)) return patch
  const merged = new Map<string, unknown>(isRecord(target) ? Object.entries(target) : [])
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) merged.delete(key)
    else merged.set(key, merge(merged.get(key), value))
  }
  return Object.fromEntries(merged)
}
