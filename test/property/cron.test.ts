import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { dayOf, openZone } from '../../protocol/calendar.ts'
import { nextRun, parseCron } from '../../protocol/cron.ts'

const number = (min: number, max: number) => fc.integer({ min, max }).map(String)
const field = (min: number, max: number) =>
  fc.oneof(
    fc.constant('*'),
    number(min, max),
    fc.integer({ min: 1, max: 20 }).map((step) => `*/${step}`),
    fc.tuple(number(min, max), number(min, max)).map((pair) => pair.join(',')),
  )
const SCHEDULE = fc.tuple(field(0, 59), field(0, 23), field(1, 28), field(1, 12), field(0, 7)).map((fields) => fields.join(' '))
const ZONES = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'America/Santiago', 'Asia/Kathmandu', 'Africa/Casablanca']
const INSTANT = fc.integer({ min: Date.parse('2020-01-01T00:00:00Z'), max: Date.parse('2035-01-01T00:00:00Z') })

test('the next run is later, never skips one, and shows the time that was asked for', () => {
  fc.assert(
    fc.property(SCHEDULE, fc.constantFrom(...ZONES), INSTANT, fc.integer({ min: 0, max: 200_000_000 }), (text, name, after, more) => {
      const parsed = parseCron(text)
      const zone = openZone(name)
      if (!parsed.ok || zone === null) throw new Error(`${text} ${name}`)
      const first = nextRun(parsed.schedule, zone, after)
      const later = nextRun(parsed.schedule, zone, after + more)
      if (first === null || later === null) throw new Error('a schedule of days up to 28 always comes')
      expect(first).toBeGreaterThan(after)
      expect(later).toBeGreaterThanOrEqual(first)
      if (after + more < first) expect(later).toBe(first)
      expect(nextRun(parsed.schedule, zone, first - 1)).toBe(first)
      const local = first + zone.offsetMs(first)
      const changed = zone.offsetMs(first - 1) !== zone.offsetMs(first)
      const { month } = dayOf(Math.floor(local / 86_400_000))
      if (!changed) {
        expect(parsed.schedule.months).toContain(month)
        expect(parsed.schedule.hours).toContain(Math.floor(local / 3_600_000) % 24)
        expect(parsed.schedule.minutes).toContain(Math.floor(local / 60_000) % 60)
      }
    }),
    { numRuns: 300 },
  )
})
