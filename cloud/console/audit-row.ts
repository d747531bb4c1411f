import type { AuditEntry } from '../ports.ts'
import type { AuditRow } from './view-model.ts'

let counted = 0

/** One act as a row; two acts of one moment are two rows. */
export function auditRow(entry: AuditEntry): AuditRow {
  counted += 1
  const { atMs, who, verb, resource, namespace, name, status, reason } = entry
  return { key: `${atMs} ${counted}`, atMs, who, verb, about: `${resource} ${namespace === '' ? '' : `${namespace}/`}${name}`, status, reason }
}
