import { describe, expect, it } from 'vitest'
import { LIMITS } from '../protocol/limits.ts'
import { parse } from '../protocol/shape.ts'
import { STATUS_REPORT } from '../protocol/status-report.ts'
import { CronHost, DAY, HOUR, MINUTE, schedule } from './cron-host.ts'
import { fullHash } from './agent-world.ts'

const AT = Date.parse('2026-07-01T09:30:00Z')

describe('schedules on the device', () => {
  it('begin at their time, within a second, and end in the report', () => {
    const host = new CronHost(AT, [schedule({ sinceMs: AT - HOUR })])
    expect(host.dueTimes(), 'a run from before the device knew of it').toEqual(['2026-07-01T09:00'])
    host.pass(3 * HOUR)
    expect(host.dueTimes()).toEqual(['2026-07-01T09:00', '2026-07-01T10:00', '2026-07-01T11:00', '2026-07-01T12:00'])
    for (const one of host.starts.slice(1)) expect(one.atTrueMs - one.dueMs).toBeLessThan(1_000)
    const report = host.state?.report.last
    expect(parse(STATUS_REPORT, report, 'refuse')).toMatchObject({ ok: true })
    expect(report?.schedules).toMatchObject([{ uid: 'c1', lastMs: Date.parse('2026-07-01T12:00:00Z'), nextMs: Date.parse('2026-07-01T13:00:00Z') }])
    expect(report?.schedules?.[0]?.runs.map(({ state }) => state)).toEqual(['complete', 'complete', 'complete'])
    expect(host.containers).toHaveLength(3)
  })

  it('follow the zone of the device, or their own', () => {
    const daily = schedule({ schedule: '0 6 * * *', sinceMs: AT })
    const berlin = new CronHost(AT, [daily, schedule({ ...daily, uid: 'c2', timeZone: 'Asia/Tokyo' })])
    berlin.kill()
    berlin.zone = 'Europe/Berlin'
    berlin.startAgent()
    berlin.pass(DAY)
    expect(berlin.starts.map(({ uid, dueMs }) => `${uid} ${new Date(dueMs).toISOString().slice(5, 16)}`)).toEqual([
      'c2 07-01T21:00',
      'c1 07-02T04:00',
    ])
  })

  it('run once where clocks are put back, and once where the time does not exist', () => {
    const host = new CronHost(Date.parse('2026-10-24T12:00:00Z'), [schedule({ schedule: '30 2 * * *', timeZone: 'Europe/Berlin', sinceMs: 0 })])
    host.starts.length = 0
    host.tickMs = 5 * MINUTE
    host.pass(2 * DAY)
    expect(host.dueTimes()).toEqual(['2026-10-25T00:30', '2026-10-26T01:30'])
    const spring = new CronHost(Date.parse('2027-03-27T12:00:00Z'), [schedule({ schedule: '30 2 * * *', timeZone: 'Europe/Berlin', sinceMs: 0 })])
    spring.starts.length = 0
    spring.tickMs = 5 * MINUTE
    spring.pass(2 * DAY)
    expect(spring.dueTimes()).toEqual(['2027-03-28T01:00', '2027-03-29T00:30'])
  })

  it.each([
    ['however late, the newest only', undefined, ['2026-07-01T20:00']],
    ['within the deadline', 3_600, ['2026-07-01T20:00']],
    ['skipped', 0, []],
    ['too late for the deadline', 600, []],
  ])('missed while the device was off: %s', (_what, startingDeadlineSeconds, expected) => {
    const host = new CronHost(AT, [schedule({ sinceMs: AT, ...(startingDeadlineSeconds === undefined ? {} : { startingDeadlineSeconds }) })])
    host.reboot(11 * HOUR)
    host.pass(5 * MINUTE)
    expect(host.dueTimes()).toEqual(expected)
  })

  it('wait for a clock that is believed, and say so', () => {
    const host = new CronHost(AT, [schedule({ sinceMs: AT })])
    host.synced = false
    host.wrongBy = Date.parse('1970-01-01T00:00:00Z') - AT
    host.reboot(40 * MINUTE)
    host.pass(2 * HOUR)
    expect(host.starts).toEqual([])
    expect(host.state?.report.last?.schedules?.[0]?.cause?.code).toBe('clock.behind')
    host.wrongBy = 0
    host.synced = true
    host.pass(1_000).look()
    host.pass(2_000)
    expect(host.dueTimes()).toEqual(['2026-07-01T12:00'])
    expect(host.state?.report.last?.schedules?.[0]?.cause).toBeUndefined()
  })

  it('a clock that is put back or forward makes neither a storm nor a second run', () => {
    const host = new CronHost(AT, [schedule({ schedule: '*/5 * * * *', sinceMs: AT })])
    host.pass(31 * MINUTE)
    expect(host.starts).toHaveLength(6)
    host
      .step(-20 * MINUTE)
      .pass(1_000)
      .look()
    host.pass(19 * MINUTE)
    expect(host.starts, 'times that were had already').toHaveLength(6)
    host.pass(12 * MINUTE)
    expect(host.starts).toHaveLength(8)
    host
      .step(30 * DAY)
      .pass(1_000)
      .look()
    host.pass(2_000)
    expect(host.starts, 'of 8640 times that were jumped over the newest').toHaveLength(9)
    host
      .step(-30 * DAY)
      .pass(1_000)
      .look()
    host.pass(10 * MINUTE + 5_000)
    expect(host.starts.length, 'the right time again').toBeGreaterThanOrEqual(11)
    expect([...host.began().values()].every((times) => times === 1)).toBe(true)
  })

  it('Forbid waits, Replace ends the one before, Allow is bounded', () => {
    const of = (concurrency: 'Allow' | 'Forbid' | 'Replace'): CronHost => {
      const host = new CronHost(AT, [schedule({ schedule: '*/5 * * * *', sinceMs: AT, concurrency })])
      host.ends = null
      host.pass(2 * HOUR + MINUTE)
      return host
    }
    const forbid = of('Forbid')
    expect(forbid.containers).toHaveLength(1)
    expect(forbid.state?.report.last?.schedules?.[0]?.cause?.code).toBe('schedule.held.concurrency')
    forbid.ends = { code: 0, afterMs: 1_000 }
    forbid.pass(30_000)
    expect(forbid.dueTimes()).toEqual(['2026-07-01T09:35', '2026-07-01T11:30'])
    const replace = of('Replace')
    expect(replace.containers).toHaveLength(1)
    expect(replace.starts).toHaveLength(24)
    const allow = of('Allow')
    expect(allow.containers).toHaveLength(LIMITS.scheduleRunsActive.value)
  })

  it('a failed pod is followed by the next, as often as the limit says', () => {
    const host = new CronHost(AT, [schedule({ sinceMs: AT, backoffLimit: 2 })])
    host.ends = { code: 1, afterMs: 1_000 }
    host.pass(45 * MINUTE)
    expect(host.starts.map(({ attempt }) => attempt)).toEqual([0, 1, 2])
    const [first, second, third] = host.starts.map(({ atTrueMs }) => atTrueMs)
    expect((second ?? 0) - (first ?? 0)).toBeGreaterThanOrEqual(LIMITS.scheduleRetryFirstMs.value)
    expect((third ?? 0) - (second ?? 0)).toBeGreaterThanOrEqual(2 * LIMITS.scheduleRetryFirstMs.value)
    expect(host.state?.report.last?.schedules?.[0]?.runs).toMatchObject([{ state: 'failed', attempt: 2 }])
  })

  it('a run that takes too long is ended', () => {
    const host = new CronHost(AT, [schedule({ sinceMs: AT, activeDeadlineSeconds: 60 })])
    host.ends = null
    host.pass(31 * MINUTE + 40_000)
    expect(host.state?.report.last?.schedules?.[0]?.runs).toMatchObject([{ state: 'failed', reason: 'DeadlineExceeded' }])
    expect(host.containers).toEqual([])
  })

  it('nothing is begun that is not on disk, and what was decided meanwhile is decided again after a power cut', () => {
    const host = new CronHost(AT, [schedule({ sinceMs: AT })])
    host.diskFails = true
    host.pass(45 * MINUTE)
    expect(host.starts).toEqual([])
    host.diskFails = false
    host.reboot(1_000)
    host.pass(2 * MINUTE)
    expect(host.dueTimes()).toEqual(['2026-07-01T10:00'])
  })

  it('a run that a damaged state file forgot is not done again: what it left waits for the clock', () => {
    const host = new CronHost(AT, [schedule({ sinceMs: AT })])
    host.pass(10 * MINUTE)
    const before = host.disk
    host.pass(HOUR)
    expect(host.dueTimes()).toEqual(['2026-07-01T10:00'])
    host.kill()
    host.disk = before
    host.synced = false
    host.startAgent()
    host.pass(MINUTE)
    expect(host.containers, 'nobody knows yet whether it is wanted').toHaveLength(1)
    host.synced = true
    host.look()
    host.pass(MINUTE)
    expect(host.dueTimes()).toEqual(['2026-07-01T10:00'])
    expect(host.state?.report.last?.schedules?.[0]?.runs.map(({ state }) => state)).toEqual(['complete'])
  })

  it('a run that was replaced goes only when that is on disk: after a power cut it would begin again', () => {
    const host = new CronHost(AT, [schedule({ sinceMs: AT, concurrency: 'Replace' })])
    host.ends = null
    host.pass(35 * MINUTE)
    host.diskFails = true
    host.pass(HOUR)
    expect(host.containers).toHaveLength(1)
    host.reboot(1_000)
    host.diskFails = false
    host.pass(MINUTE)
    expect([...host.began().values()]).toEqual([1, 1])
  })

  it('another template changes no run that is under way or over, also over a reboot', () => {
    const host = new CronHost(AT, [schedule({ sinceMs: AT })])
    host.ends = { code: 0, afterMs: 10 * MINUTE }
    host.pass(35 * MINUTE)
    const [running] = host.containers
    const next = schedule({ sinceMs: AT, pod: { ...schedule().pod, specHash: fullHash('b2') } })
    host.publish([next])
    host.pass(2 * MINUTE)
    expect(host.containers).toEqual([running])
    host.pass(20 * MINUTE)
    host.reboot(MINUTE)
    host.pass(50 * MINUTE)
    expect(host.starts).toHaveLength(2)
    expect(host.containers.map(({ specHash }) => specHash)).toEqual([fullHash('a1'), fullHash('b2')])
  })

  it('a schedule that goes takes its runs along, and one that comes back runs nothing twice', () => {
    const host = new CronHost(AT, [schedule({ sinceMs: AT })])
    host.pass(35 * MINUTE)
    expect(host.containers).toHaveLength(1)
    host.publish([])
    host.pass(MINUTE)
    expect(host.containers).toEqual([])
    host.publish([schedule({ sinceMs: AT })])
    host.pass(MINUTE)
    expect(host.starts).toHaveLength(1)
    host.publish([schedule({ sinceMs: AT, suspend: true })])
    host.pass(2 * HOUR)
    expect(host.starts).toHaveLength(1)
  })
})
