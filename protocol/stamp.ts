/** Times as documents have them. Written out because the cores take no clock, not even a calendar. */
import { daysSinceEpoch } from './calendar.ts'

const STAMP = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(?:Z|([+-])(\d\d):(\d\d))$/

/** Milliseconds since 1970 of an RFC 3339 stamp (fractions up to nanoseconds are cut), or NaN. */
export function parseStamp(stamp: string): number {
  const match = STAMP.exec(stamp)
  if (match === null) return Number.NaN
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map(Number)
  const millis = Number((match[7] ?? '').padEnd(3, '0').slice(0, 3))
  const offset = (match[8] === '-' ? -1 : 1) * (Number(match[9] ?? 0) * 60 + Number(match[10] ?? 0))
  const days = daysSinceEpoch(year ?? 0, month ?? 0, day ?? 0)
  return (((days * 24 + (hour ?? 0)) * 60 + (minute ?? 0) - offset) * 60 + (second ?? 0)) * 1000 + millis
}
