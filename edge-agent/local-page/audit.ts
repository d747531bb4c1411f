/** What was done on this device, newest last. Bounded; everything in it also goes up as an event. */
import { clip, LIMITS } from '../../protocol/limits.ts'

export interface AuditEntry {
  readonly atMs: number
  readonly owner: string
  readonly action: string
  /** what it was done to, in words */
  readonly target: string
  readonly ok: boolean
  readonly result: string
}

export interface Audit {
  note(entry: AuditEntry): void
  /** the same array until something is noted */
  entries(): readonly AuditEntry[]
}

export function createAudit(onEntry: (entry: AuditEntry) => void): Audit {
  let kept: readonly AuditEntry[] = []
  return {
    note(entry) {
      const max = LIMITS.overrideTextLength.value
      const short = { ...entry, owner: clip(entry.owner, max), target: clip(entry.target, max), result: clip(entry.result, max) }
      kept = [...kept, short].slice(-LIMITS.pageAudit.value)
      onEntry(short)
    },
    entries: () => kept,
  }
}
