import { afterEach, describe, expect, test } from 'vitest'
import { planCronJob } from '../cloud/core/cron-job.ts'
import { CRON_JOBS } from '../cloud/resources/cron-job.ts'
import type { CronJob } from '../cloud/resources/cron-job.ts'
import type { Job } from '../cloud/resources/job.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import { FakeFleet } from './fakes/fleet.ts'
import { admit, manifest } from './fixtures/manifests.ts'

type Fields = Readonly<Record<string, unknown>>
const JOB_TEMPLATE = { spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work:1' }] } } } }
const manifestOf = (spec: Fields, metadata: Fields = {}) =>
  manifest('batch/v1', 'CronJob', { metadata, spec: { schedule: '*/5 * * * *', jobTemplate: JOB_TEMPLATE, ...spec } })
const CREATED = '2026-01-01T00:01:00Z'

function cron(spec: Fields, status: CronJob['status'] = {}): CronJob {
  return { ...CRON_JOBS.defaults(manifestOf(spec, { uid: 'cron', creationTimestamp: CREATED }) as unknown as CronJob), status }
}

function job(name: string, end: 'Complete' | 'Failed' | null, startTime = CREATED): Job {
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      uid: name,
      namespace: 'default',
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'CronJob', name: 'x', uid: 'cron', controller: true }],
    },
    spec: { template: { spec: { containers: [] } } },
    status: { startTime, ...(end === null ? {} : { conditions: [{ type: end, status: 'True', lastTransitionTime: startTime }] }) },
  }
}

const at = (time: string): string => `2026-01-01T${time}Z`
const due = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString().slice(11, 19))

describe('a CronJob', () => {
  test.each<
    readonly [string, CronJob, readonly Job[], string, { due: string | null; held?: boolean; remove?: readonly string[]; inMs: number | null }]
  >([
    ['waits for its time', cron({}), [], at('00:04:00'), { due: null, inMs: 60_000 }],
    ['runs on time', cron({}), [], at('00:05:00'), { due: '00:05:00', inMs: 300_000 }],
    ['runs a minute once', cron({}, { lastScheduleTime: at('00:05:00') }), [], at('00:05:30'), { due: null, inMs: 270_000 }],
    ['makes up for the newest missed run only', cron({}), [], at('03:07:00'), { due: '03:05:00', inMs: 180_000 }],
    ['gives up a run after its deadline', cron({ startingDeadlineSeconds: 60 }), [], at('03:07:00'), { due: null, inMs: 180_000 }],
    ['starts at the deadline', cron({ startingDeadlineSeconds: 120 }), [], at('03:07:00'), { due: '03:05:00', inMs: 180_000 }],
    ['rests while suspended', cron({ suspend: true }), [], at('03:07:00'), { due: null, inMs: null }],
    ['runs beside others', cron({}), [job('a', null)], at('00:05:00'), { due: '00:05:00', inMs: 300_000 }],
    ['waits for the one before', cron({ concurrencyPolicy: 'Forbid' }), [job('a', null)], at('00:05:00'), { due: null, held: true, inMs: 300_000 }],
    ['goes on after it', cron({ concurrencyPolicy: 'Forbid' }), [job('a', 'Complete')], at('00:06:00'), { due: '00:05:00', inMs: 240_000 }],
    ['replaces it', cron({ concurrencyPolicy: 'Replace' }), [job('a', null)], at('00:05:00'), { due: '00:05:00', remove: ['a'], inMs: 300_000 }],
    [
      'keeps a short history',
      cron({ successfulJobsHistoryLimit: 1 }),
      [
        job('a', 'Complete', at('00:01:00')),
        job('b', 'Complete', at('00:03:00')),
        job('c', 'Failed', at('00:02:00')),
        job('d', 'Failed', at('00:03:00')),
      ],
      at('00:04:00'),
      { due: null, remove: ['a', 'c'], inMs: 60_000 },
    ],
    ['looks at the clock now and then', cron({ schedule: '0 0 1 6 *' }), [], at('00:04:00'), { due: null, inMs: 3_600_000 }],
    ['knows its zone', cron({ schedule: '0 9 * * *', timeZone: 'Asia/Tokyo' }), [], at('00:04:00'), { due: null, inMs: 3_600_000 }],
    [
      'is due in its zone',
      cron({ schedule: '0 9 * * *', timeZone: 'Asia/Seoul' }, { lastScheduleTime: '2025-12-31T00:00:00Z' }),
      [],
      at('00:30:00'),
      { due: '00:00:00', inMs: 3_600_000 },
    ],
  ])('%s', (_name, of, jobs, now, want) => {
    const plan = planCronJob(of, jobs, Date.parse(now))
    expect({ due: due(plan.dueMs), held: plan.held, remove: plan.remove.map((old) => old.metadata.name), inMs: plan.recheckInMs }).toEqual({
      held: false,
      remove: [],
      ...want,
    })
  })

  test.each<readonly [string, Fields, Fields, RegExp]>([
    ['a schedule of four fields', { schedule: '* * * *' }, {}, /^spec\.schedule: must have five fields/],
    ['an unknown zone', { timeZone: 'Europe/Atlantis' }, {}, /^spec\.timeZone: "Europe\/Atlantis" is not a time zone/],
    ['a long name', {}, { name: 'x'.repeat(53) }, /^metadata\.name: must be at most 52 characters/],
    [
      'a template that always runs',
      { jobTemplate: { spec: { template: { spec: { containers: [{ name: 'a', image: 'b' }] } } } } },
      {},
      /^spec\.jobTemplate\.spec\.template\.spec\.restartPolicy/,
    ],
  ])('%s is refused', (_name, spec, metadata, says) => {
    expect(admit(manifestOf(spec, metadata)).issues.map((issue) => `${issue.path}: ${issue.message}`)).toEqual([expect.stringMatching(says)])
  })

  test('is printed as kubectl expects', () => {
    const cells = CRON_JOBS.cells(cron({ timeZone: 'Europe/Berlin' }, { lastScheduleTime: at('00:05:00') }), Date.parse(at('00:06:00')))
    expect(cells.slice(0, 7)).toEqual(['x', '*/5 * * * *', 'Europe/Berlin', 'False', 0, '60s', '5m'])
  })
})

describe('CronJobs in the cloud', () => {
  let fleet = new FakeFleet()
  afterEach(async () => fleet.controllers?.stop())
  const MINUTE = 60_000

  test('make Jobs on time, keep three, make up for one missed run, and take all with them', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1')
    fleet.device('gw-1').ended.set('work:1', 'Succeeded')
    await fleet.create({
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'tick' },
      spec: { schedule: '* * * * *', jobTemplate: JOB_TEMPLATE },
    })
    await fleet.clock.advance(3 * MINUTE + 5_000)
    const names = async (): Promise<readonly (string | undefined)[]> => (await fleet.list<Job>('jobs.batch')).map((made) => made.metadata.name).sort()
    const minute = Math.floor(fleet.clock.nowMs() / MINUTE)
    expect(await names()).toEqual([minute - 2, minute - 1, minute].map((one) => `tick-${one}`))
    await fleet.clock.advance(5 * MINUTE)
    expect(await names()).toEqual([minute + 3, minute + 4, minute + 5].map((one) => `tick-${one}`))
    expect(await fleet.list<Pod>('pods')).toHaveLength(3)
    const [told] = await fleet.list<CronJob>('cronjobs.batch')
    expect(told?.status).toMatchObject({ active: [], lastScheduleTime: new Date((minute + 5) * MINUTE).toISOString().replace('.000', '') })
    await fleet.controllers?.stop()
    await fleet.clock.advance(10 * MINUTE)
    await fleet.start()
    await fleet.clock.advance(5_000)
    expect(await names()).toEqual([minute + 4, minute + 5, Math.floor(fleet.clock.nowMs() / MINUTE)].map((one) => `tick-${one}`))
    await fleet.store.delete('cronjobs.batch', 'default', 'tick', null)
    await fleet.clock.advance(10_000)
    expect([await names(), await fleet.list('pods')]).toEqual([[], []])
  })
})
