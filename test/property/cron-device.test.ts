import fc from 'fast-check'
import { expect, it } from 'vitest'
import { openZone } from '../../protocol/calendar.ts'
import { nextRun, parseCron } from '../../protocol/cron.ts'
import { CronHost, DAY, HOUR, MINUTE, schedule } from '../cron-host.ts'

const START = Date.parse('2026-10-23T09:30:10Z')
const EXPRESSIONS = ['0 * * * *', '*/7 * * * *', '30 2 * * *', '15 1,2,3 * * *', '59 23 * * 5'] as const
const ZONES = ['UTC', 'Europe/Berlin', 'America/St_Johns', 'Australia/Lord_Howe'] as const
const POLICIES = ['Allow', 'Forbid', 'Replace'] as const

const PASS = fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 1, max: 2 * HOUR }) })
const DOWN = fc.record({ kind: fc.constantFrom('reboot' as const, 'restart' as const), ms: fc.integer({ min: 1, max: 9 * HOUR }) })
const STEPS = fc.record({
  kind: fc.constantFrom('step' as const, 'set' as const),
  ms: fc.oneof(fc.integer({ min: -3 * HOUR, max: 3 * HOUR }), fc.constantFrom(-56 * 365 * DAY, 10 * 365 * DAY, -30 * DAY, 26 * HOUR)),
})
const OTHER = fc.record({ kind: fc.constantFrom('repair' as const, 'strobe' as const, 'disk' as const), ms: fc.integer({ min: 1, max: 20 }) })

type Move = { readonly kind: 'pass' | 'reboot' | 'restart' | 'step' | 'set' | 'repair' | 'strobe' | 'disk'; readonly ms: number }

/** `step` is noticed and nobody confirms it; `set` is a step that a time server vouches for. */
function move(host: CronHost, { kind, ms }: Move): void {
  if (kind === 'pass') host.pass(ms)
  if (kind === 'reboot') host.reboot(ms)
  if (kind === 'restart') {
    host.kill()
    host.trueMs += ms % (30 * MINUTE)
    host.startAgent()
  }
  if (kind === 'step') host.step(ms).pass(1_000)
  if (kind === 'set') host.step(ms).pass(1_000).look()
  if (kind === 'repair') {
    host.wrongBy = 0
    host.diskFails = false
    host.pass(1_000).look()
  }
  if (kind === 'strobe') for (let n = 0; n < ms; n += 1) host.step(n % 2 === 0 ? HOUR : -HOUR).pass(1_000)
  if (kind === 'disk') host.diskFails = !host.diskFails
}

it('whatever clocks, reboots and disks do: no due time begins twice, none without a clock that is believed, and never a storm', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...EXPRESSIONS),
      fc.constantFrom(...ZONES),
      fc.constantFrom(...POLICIES),
      fc.array(fc.oneof(PASS, DOWN, STEPS, OTHER), { minLength: 1, maxLength: 14 }),
      (expression, timeZone, concurrency, moves) => {
        const host = new CronHost(START, [schedule({ schedule: expression, timeZone, concurrency, sinceMs: START })])
        host.tickMs = 10 * MINUTE
        let changes = 2
        let held = 0
        for (const one of moves) {
          const before = host.starts.length
          const failed = host.diskFails
          const saves = host.saves
          const fromTrue = host.trueMs
          move(host, one)
          changes = one.kind === 'pass' ? 1 : one.kind === 'strobe' ? one.ms * 2 + 1 : 3
          // between two changes of the clock no more than the times that came by, and one that was missed
          const came = Math.ceil(((host.trueMs - fromTrue) / HOUR) * 9) + changes
          const began = host.starts.slice(before).filter(({ attempt }) => attempt === 0).length
          // what could not be written down waits for the disk and for the next try to write, and begins with the others
          expect(began).toBeLessThanOrEqual(came + held)
          held = failed || host.diskFails || host.saves === saves ? held + came - began : 0
        }
        expect(host.decidedInDoubt).toBe(0)
        for (const [run, times] of host.began()) expect(times, run).toBe(1)
        expect(host.state?.cron.runs.length ?? 0).toBeLessThan(20)
      },
    ),
    { numRuns: 30 },
  )
})

it('with a clock that is right, every time at which the device is up begins exactly once', () => {
  fc.assert(
    fc.property(
      fc.constantFrom(...EXPRESSIONS),
      fc.constantFrom(...ZONES),
      fc.array(fc.oneof(PASS, DOWN), { minLength: 1, maxLength: 10 }),
      (expression, timeZone, moves) => {
        const host = new CronHost(START, [schedule({ schedule: expression, timeZone, sinceMs: START })])
        host.tickMs = 10 * MINUTE
        const expected: number[] = []
        const parsed = parseCron(expression)
        const zone = openZone(timeZone)
        if (!parsed.ok || zone === null) throw new Error('a bad case')
        for (const one of moves) {
          const from = host.trueMs
          move(host, one)
          if (one.kind !== 'pass') continue
          for (let at = nextRun(parsed.schedule, zone, from); at !== null && at <= host.trueMs; at = nextRun(parsed.schedule, zone, at))
            expected.push(at)
        }
        const began = host.starts.filter(({ attempt }) => attempt === 0).map(({ dueMs }) => dueMs)
        for (const at of expected)
          expect(
            began.filter((one) => one === at),
            new Date(at).toISOString(),
          ).toHaveLength(1)
        for (const at of began) expect(began.filter((one) => one === at)).toHaveLength(1)
      },
    ),
    { numRuns: 10 },
  )
})
