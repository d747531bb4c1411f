import { describe, expect, test } from 'vitest'
import { dayOf, daysSinceEpoch, openZone } from '../protocol/calendar.ts'
import type { Zone } from '../protocol/calendar.ts'
import { lastRun, nextRun, parseCron } from '../protocol/cron.ts'
import type { CronSchedule } from '../protocol/cron.ts'

function cron(text: string): CronSchedule {
  const parsed = parseCron(text)
  if (!parsed.ok) throw new Error(parsed.why)
  return parsed.schedule
}

function zone(name: string): Zone {
  const found = openZone(name)
  if (found === null) throw new Error(`no zone ${name}`)
  return found
}

const iso = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString().replace(':00.000Z', 'Z'))

/** The next runs after an instant. */
function runs(text: string, name: string, after: string, count: number): readonly (string | null)[] {
  const out: (string | null)[] = []
  let at: number | null = Date.parse(after)
  for (let index = 0; index < count && at !== null; index += 1) {
    at = nextRun(cron(text), zone(name), at)
    out.push(iso(at))
  }
  return out
}

describe('schedules in UTC', () => {
  test.each<readonly [string, string, readonly (string | null)[]]>([
    ['* * * * *', '2026-01-01T00:00:00Z', ['2026-01-01T00:01Z', '2026-01-01T00:02Z']],
    ['* * * * *', '2026-01-01T00:00:59.999Z', ['2026-01-01T00:01Z']],
    ['*/15 * * * *', '2026-01-01T00:40:00Z', ['2026-01-01T00:45Z', '2026-01-01T01:00Z']],
    ['5/20 3 * * *', '2026-01-01T03:06:00Z', ['2026-01-01T03:25Z', '2026-01-01T03:45Z', '2026-01-02T03:05Z']],
    ['0 9-17/4 * * MON-FRI', '2026-01-02T17:00:00Z', ['2026-01-05T09:00Z', '2026-01-05T13:00Z', '2026-01-05T17:00Z', '2026-01-06T09:00Z']],
    ['0 0 * * 7', '2026-01-01T00:00:00Z', ['2026-01-04T00:00Z', '2026-01-11T00:00Z']],
    ['0 0 * * 5-7', '2026-01-01T00:00:00Z', ['2026-01-02T00:00Z', '2026-01-03T00:00Z', '2026-01-04T00:00Z', '2026-01-09T00:00Z']],
    ['0 0 13 * fri', '2026-02-01T00:00:00Z', ['2026-02-06T00:00Z', '2026-02-13T00:00Z', '2026-02-20T00:00Z']],
    ['0 0 31 * *', '2026-01-31T00:00:00Z', ['2026-03-31T00:00Z', '2026-05-31T00:00Z']],
    ['0 12 29 feb *', '2024-02-29T12:00:00Z', ['2028-02-29T12:00Z', '2032-02-29T12:00Z']],
    ['0 12 29 2 *', '2096-02-29T12:00:00Z', ['2104-02-29T12:00Z']],
    ['0 0 31 2 *', '2026-01-01T00:00:00Z', [null]],
    ['1,2,40-41 0 1 1 ?', '2026-01-01T00:02:00Z', ['2026-01-01T00:40Z', '2026-01-01T00:41Z', '2027-01-01T00:01Z']],
    ['@hourly', '2026-12-31T23:00:00Z', ['2027-01-01T00:00Z']],
    ['@daily', '2026-02-28T00:00:00Z', ['2026-03-01T00:00Z']],
    ['@weekly', '2026-01-01T00:00:00Z', ['2026-01-04T00:00Z']],
    ['@monthly', '2026-01-01T00:00:00Z', ['2026-02-01T00:00Z']],
    ['@yearly', '2026-01-01T00:00:00Z', ['2027-01-01T00:00Z']],
  ])('%s after %s', (text, after, want) => {
    expect(runs(text, 'UTC', after, want.length)).toEqual(want)
  })
})

describe('schedules where clocks change', () => {
  test.each<readonly [string, string, string, string, readonly string[]]>([
    // Berlin 2026: 02:00 -> 03:00 on 29 March (01:00Z), 03:00 -> 02:00 on 25 October (01:00Z)
    ['every day, winter and summer', '30 7 * * *', 'Europe/Berlin', '2026-03-28T00:00:00Z', ['2026-03-28T06:30Z', '2026-03-29T05:30Z']],
    ['a time that does not exist', '30 2 * * *', 'Europe/Berlin', '2026-03-28T02:00:00Z', ['2026-03-29T01:00Z', '2026-03-30T00:30Z']],
    ['many that do not exist', '*/10 2 * * *', 'Europe/Berlin', '2026-03-28T02:00:00Z', ['2026-03-29T01:00Z', '2026-03-30T00:00Z']],
    ['a time that comes twice', '30 2 * * *', 'Europe/Berlin', '2026-10-24T12:00:00Z', ['2026-10-25T00:30Z', '2026-10-26T01:30Z']],
    ['every hour, forward', '30 * * * *', 'Europe/Berlin', '2026-03-29T00:00:00Z', ['2026-03-29T00:30Z', '2026-03-29T01:30Z', '2026-03-29T02:30Z']],
    ['every hour, back', '30 * * * *', 'Europe/Berlin', '2026-10-25T00:00:00Z', ['2026-10-25T00:30Z', '2026-10-25T01:30Z', '2026-10-25T02:30Z']],
    ['midnight that does not exist', '0 0 * * *', 'America/Santiago', '2026-09-05T12:00:00Z', ['2026-09-06T04:00Z', '2026-09-07T03:00Z']],
    ['half an hour of change', '15 2 * * *', 'Australia/Lord_Howe', '2026-10-03T00:00:00Z', ['2026-10-03T15:30Z', '2026-10-04T15:15Z']],
    ['an odd offset', '0 6 * * *', 'Asia/Kathmandu', '2026-01-01T00:00:00Z', ['2026-01-01T00:15Z', '2026-01-02T00:15Z']],
    ['a day that was left out', '0 12 30 12 *', 'Pacific/Apia', '2011-12-01T00:00:00Z', ['2011-12-30T10:00Z', '2012-12-29T22:00Z']],
  ])('%s', (_name, text, name, after, want) => {
    expect(runs(text, name, after, want.length)).toEqual(want)
  })
})

test.each<readonly [string, string, string, string, string | null]>([
  ['the newest of many', '*/5 * * * *', '2020-01-01T00:00:00Z', '2026-01-01T00:07:00Z', '2026-01-01T00:05Z'],
  ['one long ago', '0 0 1 1 *', '2020-06-01T00:00:00Z', '2026-12-31T00:00:00Z', '2026-01-01T00:00Z'],
  ['one right now', '0 0 * * *', '2025-12-31T12:00:00Z', '2026-01-01T00:00:00Z', '2026-01-01T00:00Z'],
  ['not the one before', '0 0 * * *', '2026-01-01T00:00:00Z', '2026-01-01T23:59:00Z', null],
])('the last run is %s', (_name, text, after, now, want) => {
  expect(iso(lastRun(cron(text), zone('UTC'), Date.parse(after), Date.parse(now)))).toBe(want)
})

test.each([
  ['', /five fields/],
  ['* * * *', /five fields/],
  ['0 0 * * * *', /five fields/],
  ['60 * * * *', /minute "60" is not valid: use 0-59/],
  ['* 24 * * *', /hour "24"/],
  ['* * 0 * *', /day of month "0"/],
  ['* * * foo *', /month "foo"/],
  ['* * * * 8', /day of week "8"/],
  ['*/0 * * * *', /minute "\*\/0"/],
  ['5-1 * * * *', /minute "5-1"/],
  ['1,,2 * * * *', /minute "1,,2"/],
  ['@every 5m', /"@every 5m" is not known; use one of @yearly/],
  ['TZ=UTC 0 0 * * *', /write it into timeZone/],
])('%s is refused', (text, why) => {
  expect(parseCron(text)).toEqual({ ok: false, why: expect.stringMatching(why) as unknown })
})

test('a zone that nobody knows is none', () => {
  expect([openZone('Mars/Olympus'), openZone('')]).toEqual([null, null])
})

test('days and numbers are the same thing', () => {
  for (let days = -800_000; days < 800_000; days += 997) {
    const date = new Date(days * 86_400_000)
    const want = { month: date.getUTCMonth() + 1, dayOfMonth: date.getUTCDate(), dayOfWeek: date.getUTCDay() }
    expect(dayOf(days)).toEqual(want)
    expect(daysSinceEpoch(date.getUTCFullYear(), want.month, want.dayOfMonth)).toBe(days)
  }
})
