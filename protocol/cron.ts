/**
 * Cron schedules: five fields, and when they are due next in a time zone. Where clocks are put forward, a time that does
 * not exist is due once, right after; where they are put back, a time that comes twice is due the first time only.
 * Schedules for every hour (`*`) follow real hours instead: nothing is lost or added.
 */
import { dayOf } from './calendar.ts'
import type { Zone } from './calendar.ts'

export interface CronSchedule {
  readonly minutes: readonly number[]
  readonly hours: readonly number[]
  readonly daysOfMonth: readonly number[]
  readonly months: readonly number[]
  /** 0 = Sunday */
  readonly daysOfWeek: readonly number[]
  readonly everyHour: boolean
  /** both day fields are restricted: either one is enough */
  readonly eitherDay: boolean
}

export type ParsedCron = { readonly ok: true; readonly schedule: CronSchedule } | { readonly ok: false; readonly why: string }

const NICKNAMES: Readonly<Record<string, string>> = {
  '@yearly': '0 0 1 1 *',
  '@annually': '0 0 1 1 *',
  '@monthly': '0 0 1 * *',
  '@weekly': '0 0 * * 0',
  '@daily': '0 0 * * *',
  '@midnight': '0 0 * * *',
  '@hourly': '0 * * * *',
}

interface Field {
  readonly name: string
  readonly min: number
  readonly max: number
  /** names of the values from `min` on */
  readonly names: readonly string[]
}

const MINUTE: Field = { name: 'minute', min: 0, max: 59, names: [] }
const HOUR: Field = { name: 'hour', min: 0, max: 23, names: [] }
const DAY_OF_MONTH: Field = { name: 'day of month', min: 1, max: 31, names: [] }
const MONTHS = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec']
const MONTH: Field = { name: 'month', min: 1, max: 12, names: MONTHS }
const DAY_OF_WEEK: Field = { name: 'day of week', min: 0, max: 7, names: ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] }

/** `why` says which field is wrong and what it may be. */
export function parseCron(text: string): ParsedCron {
  const trimmed = text.trim()
  if (/^(CRON_)?TZ=/.test(trimmed)) return { ok: false, why: 'has a time zone in it; write it into timeZone' }
  const plain = Object.hasOwn(NICKNAMES, trimmed) ? (NICKNAMES[trimmed] ?? '') : trimmed
  if (plain.startsWith('@')) return { ok: false, why: `${JSON.stringify(trimmed)} is not known; use one of ${Object.keys(NICKNAMES).join(', ')}` }
  const parts = plain.split(/\s+/)
  const [minute, hour, dayOfMonth, month, dayOfWeek] = parts
  if (parts.length !== 5 || minute === undefined || hour === undefined || dayOfMonth === undefined || month === undefined || dayOfWeek === undefined)
    return { ok: false, why: 'must have five fields: minute, hour, day of month, month, day of week' }
  const faults: string[] = []
  const read = (field: Field, value: string): readonly number[] => {
    const values = valuesOf(field, value)
    if (values === null)
      faults.push(`${field.name} ${JSON.stringify(value)} is not valid: use ${field.min}-${field.max}, "*", lists, ranges or steps`)
    return values ?? []
  }
  const schedule: CronSchedule = {
    minutes: read(MINUTE, minute),
    hours: read(HOUR, hour),
    daysOfMonth: read(DAY_OF_MONTH, dayOfMonth),
    months: read(MONTH, month),
    daysOfWeek: sorted(read(DAY_OF_WEEK, dayOfWeek).map((day) => day % 7)),
    everyHour: isAny(hour),
    eitherDay: !isAny(dayOfMonth) && !isAny(dayOfWeek),
  }
  return faults.length === 0 ? { ok: true, schedule } : { ok: false, why: faults.join('; ') }
}

function isAny(value: string): boolean {
  return value === '*' || value === '?'
}

function sorted(values: Iterable<number>): readonly number[] {
  return [...new Set(values)].sort((a, b) => a - b)
}

function valuesOf(field: Field, text: string): readonly number[] | null {
  const all: number[] = []
  for (const item of text.split(',')) {
    const values = rangeOf(field, item)
    if (values === null) return null
    all.push(...values)
  }
  return sorted(all)
}

/** `*`, `5`, `1-5`, each also with `/step`; `5/10` means from 5 on. */
function rangeOf(field: Field, item: string): readonly number[] | null {
  const [range = '', step, ...more] = item.split('/')
  if (more.length > 0 || (step !== undefined && !/^[1-9]\d{0,3}$/.test(step))) return null
  const [first = '', last, ...rest] = isAny(range) ? [String(field.min), String(field === DAY_OF_WEEK ? 6 : field.max)] : range.split('-')
  const from = numberOf(field, first)
  const to = last !== undefined ? numberOf(field, last) : step === undefined ? from : field === DAY_OF_WEEK ? 6 : field.max
  if (rest.length > 0 || from === null || to === null || from > to) return null
  const by = Number(step ?? 1)
  return Array.from({ length: Math.floor((to - from) / by) + 1 }, (_, index) => from + index * by)
}

function numberOf(field: Field, text: string): number | null {
  const named = field.names.indexOf(text.toLowerCase())
  if (named >= 0) return field.min + named
  if (!/^\d{1,2}$/.test(text)) return null
  const value = Number(text)
  return value >= field.min && value <= field.max ? value : null
}

export function isDay(schedule: CronSchedule, days: number): boolean {
  const { month, dayOfMonth, dayOfWeek } = dayOf(days)
  if (!schedule.months.includes(month)) return false
  const byMonth = schedule.daysOfMonth.includes(dayOfMonth)
  const byWeek = schedule.daysOfWeek.includes(dayOfWeek)
  return schedule.eitherDay ? byMonth || byWeek : byMonth && byWeek
}

const MINUTE_MS = 60_000
const HOUR_MS = 60 * MINUTE_MS
const DAY_MS = 24 * HOUR_MS
/** 29 February may be eight years away (1896 to 1904, 2096 to 2104) */
const DAYS_AHEAD = 8 * 366 + 2

/** The first instant after `afterMs` at which the schedule is due; null = never (31 February). */
export function nextRun(schedule: CronSchedule, zone: Zone, afterMs: number): number | null {
  const today = Math.floor((afterMs + zone.offsetMs(afterMs)) / DAY_MS)
  let best: number | null = null
  // yesterday, too: a time of its last hour may be due only now, where clocks change at midnight
  for (let day = today - 1; day <= today + DAYS_AHEAD; day += 1) {
    const found: number | null = isDay(schedule, day) ? firstOn(schedule, zone, day, afterMs) : null
    if (best !== null) return found === null ? best : Math.min(best, found)
    best = found
  }
  return best
}

/** The last instant after `afterMs` and not after `nowMs` at which the schedule was due, or null. */
export function lastRun(schedule: CronSchedule, zone: Zone, afterMs: number, nowMs: number): number | null {
  // from short spans to long ones: the runs to walk through stay few however long the time was
  for (const span of [HOUR_MS, DAY_MS, 31 * DAY_MS, 366 * DAY_MS, Infinity]) {
    const from = Math.max(afterMs, nowMs - span)
    let last: number | null = null
    for (let run = nextRun(schedule, zone, from); run !== null && run <= nowMs; run = nextRun(schedule, zone, run)) last = run
    if (last !== null || from === afterMs) return last
  }
  return null
}

function firstOn(schedule: CronSchedule, zone: Zone, day: number, afterMs: number): number | null {
  const start = day * DAY_MS
  const before = zone.offsetMs(start - 1.5 * DAY_MS)
  const after = zone.offsetMs(start + 2.5 * DAY_MS)
  let first: number | null = null
  for (const hour of schedule.hours) {
    // the whole hour is over under either offset
    if (start + (hour + 1) * HOUR_MS - Math.min(before, after) + HOUR_MS <= afterMs) continue
    for (const minute of schedule.minutes) {
      const local = start + hour * HOUR_MS + minute * MINUTE_MS
      for (const at of before === after ? [local - before] : instantsOf(local, before, after, zone, schedule.everyHour))
        if (at > afterMs && (first === null || at < first)) first = at
    }
    // times of one day do not overtake those of the hour after next
    if (first !== null && before === after) return first
  }
  return first
}

/** When clocks around the world show `local` near a change of offset. */
function instantsOf(local: number, before: number, after: number, zone: Zone, everyHour: boolean): readonly number[] {
  const real = [local - before, local - after].filter((at) => at + zone.offsetMs(at) === local).sort((a, b) => a - b)
  if (everyHour) return real
  if (real[0] !== undefined) return [real[0]]
  return [changeBetween(zone, local - Math.max(before, after), local - Math.min(before, after))]
}

/** The first instant with the offset that holds at `high`. */
function changeBetween(zone: Zone, low: number, high: number): number {
  const target = zone.offsetMs(high)
  let from = low
  let to = high
  while (to - from > 1) {
    const middle = Math.floor((from + to) / 2)
    if (zone.offsetMs(middle) === target) to = middle
    else from = middle
  }
  return to
}
