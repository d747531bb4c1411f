/**
 * The audit log: one JSON line an act, in a file beside the store, with the file before it kept.
 *
 * INVARIANTS
 * - What was recorded is in the file in the order of the answers; a line that cannot be read is left out, never the rest.
 * - Memory and disk are bounded: the newest acts are kept.
 */
import { appendFileSync, existsSync, readFileSync, renameSync, statSync } from 'node:fs'
import { LIMITS } from '../protocol/limits.ts'
import { isRecord } from '../protocol/shape.ts'
import type { AuditEntry, AuditLog, Log } from './ports.ts'

export function openAuditLog(file: string, log: Log): AuditLog {
  const entries: AuditEntry[] = [`${file}.1`, file].flatMap(readEntries).slice(-LIMITS.auditKept.value)
  const handlers: ((entry: AuditEntry) => void)[] = []
  let bytes = existsSync(file) ? statSync(file).size : 0
  // after a power cut the last line may be torn: the next one begins on a line of its own
  let lead = bytes > 0 && !readFileSync(file, 'utf8').endsWith('\n') ? '\n' : ''
  return {
    record(entry) {
      const line = `${lead}${JSON.stringify(entry)}\n`
      try {
        if (bytes + line.length > LIMITS.auditFileBytes.value) {
          renameSync(file, `${file}.1`)
          bytes = 0
        }
        appendFileSync(file, line, { mode: 0o600 })
        bytes += line.length
        lead = ''
      } catch (error) {
        log.error('the audit log cannot be written', { file, why: error instanceof Error ? error.message : String(error) })
      }
      entries.push(entry)
      if (entries.length > LIMITS.auditKept.value) entries.shift()
      for (const handler of handlers) handler(entry)
    },
    entries: () => entries,
    onRecord: (handler) => void handlers.push(handler),
  }
}

function readEntries(file: string): readonly AuditEntry[] {
  if (!existsSync(file)) return []
  return readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      try {
        const value: unknown = JSON.parse(line)
        return isRecord(value) && typeof value['atMs'] === 'number' && typeof value['who'] === 'string' ? [value as unknown as AuditEntry] : []
      } catch {
        return []
      }
    })
}
