/** Would the cloud learn something from this report? Compared as it is, without writing either: it is asked after most events. */
import { isRecord } from '../../protocol/shape.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import { newsOfPull } from './image-progress.ts'

/** Counters, times of the report, plan texts and its own use are not news, nor are waits that shrink. */
const NEVER: ReadonlySet<string> = new Set(['seq', 'at', 'plan', 'own'])
const SHRINKS: ReadonlySet<string> = new Set(['retryInMs', 'remainingMs'])

export function isWorthSending(previous: StatusReport | null, next: StatusReport): boolean {
  if (previous === null) return true
  const before = new Map(Object.entries(previous))
  const after = Object.entries(next)
  const told = (key: string, value: unknown): boolean => value !== undefined && !NEVER.has(key)
  if (after.filter(([key, value]) => told(key, value)).length !== [...before].filter(([key, value]) => told(key, value)).length) return true
  return !after.every(([key, value]) => !told(key, value) || saysTheSame(before.get(key), value))
}

function saysTheSame(a: unknown, b: unknown): boolean {
  if (a === b) return true
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, index) => saysTheSame(item, b[index]))
  if (!isRecord(a) || !isRecord(b)) return false
  const keys = keysOf(a)
  return (
    keys.length === keysOf(b).length &&
    keys.every((key) => (key === 'pull' ? saysTheSame(newsOfPull(a[key]), newsOfPull(b[key])) : saysTheSame(a[key], b[key])))
  )
}

function keysOf(record: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.keys(record).filter((key) => record[key] !== undefined && !SHRINKS.has(key))
}
