import { afterEach, describe, expect, test } from 'vitest'
import { buildDesired } from '../cloud/core/desired.ts'
import { planJob } from '../cloud/core/job.ts'
import { JOBS } from '../cloud/resources/job.ts'
import type { Job } from '../cloud/resources/job.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import { FakeFleet } from './fakes/fleet.ts'
import { admit, manifest } from './fixtures/manifests.ts'

const NOW = '2026-01-01T00:10:00Z'
const NOW_MS = Date.parse(NOW)
const TEMPLATE = { spec: { restartPolicy: 'Never', containers: [{ name: 'main', image: 'work:1' }] } }
type Fields = Readonly<Record<string, unknown>>

const manifestOf = (spec: Fields, podSpec: Fields = {}) =>
  manifest('batch/v1', 'Job', { metadata: { uid: 'job' }, spec: { template: { spec: { ...TEMPLATE.spec, ...podSpec } }, ...spec } })

function job(spec: Fields, status: Job['status'] = {}, podSpec: Fields = {}): Job {
  return { ...JOBS.defaults(manifestOf(spec, podSpec) as unknown as Job), status }
}

function pod(uid: string, phase: 'Running' | 'Succeeded' | 'Failed', over: { deleting?: boolean; ended?: string; restarts?: number } = {}): Pod {
  const terminated = { exitCode: 1, ...(over.ended === undefined ? {} : { finishedAt: over.ended }) }
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: {
      name: uid,
      uid,
      namespace: 'default',
      creationTimestamp: '2026-01-01T00:00:00Z',
      ownerReferences: [{ apiVersion: 'batch/v1', kind: 'Job', name: 'x', uid: 'job', controller: true }],
      ...(over.deleting === true ? { deletionTimestamp: NOW } : {}),
    },
    spec: { containers: [] },
    status: {
      phase,
      containerStatuses: [{ name: 'main', restartCount: over.restarts ?? 0, ...(phase === 'Running' ? {} : { state: { terminated } }) }],
    },
  }
}

const plan = (of: Job, pods: readonly Pod[], nowMs = NOW_MS) => planJob(of, pods, nowMs, new Date(nowMs).toISOString())
const types = (status: Job['status']) => (status?.conditions ?? []).filter((one) => one.status === 'True').map((one) => one.type)
const LONG_AGO = '2026-01-01T00:01:00Z'

describe('what a Job needs', () => {
  test.each<readonly [string, Job, readonly Pod[], { create: number; remove: number; types: readonly string[] }]>([
    ['one pod by default', job({}), [], { create: 1, remove: 0, types: [] }],
    ['as many at once as parallelism', job({ completions: 5, parallelism: 2 }), [], { create: 2, remove: 0, types: [] }],
    ['no more than are still wanted', job({ completions: 2, parallelism: 5 }), [pod('a', 'Succeeded')], { create: 1, remove: 0, types: [] }],
    [
      'fewer after parallelism fell',
      job({ completions: 5, parallelism: 1 }),
      [pod('a', 'Running'), pod('b', 'Running')],
      { create: 0, remove: 1, types: [] },
    ],
    ['nothing while a pod still ends', job({}), [pod('a', 'Running', { deleting: true })], { create: 0, remove: 0, types: [] }],
    ['its end', job({}), [pod('a', 'Succeeded')], { create: 0, remove: 0, types: ['SuccessCriteriaMet', 'Complete'] }],
    [
      'the end of the others before its own',
      job({ completions: 1, parallelism: 2 }),
      [pod('a', 'Succeeded'), pod('b', 'Running')],
      { create: 0, remove: 1, types: ['SuccessCriteriaMet'] },
    ],
    [
      'no new pod of a queue after one ended well',
      job({ parallelism: 2 }),
      [pod('a', 'Succeeded'), pod('b', 'Running')],
      { create: 0, remove: 0, types: [] },
    ],
    [
      'the end of a queue',
      job({ parallelism: 2 }),
      [pod('a', 'Succeeded'), pod('b', 'Failed')],
      { create: 0, remove: 0, types: ['SuccessCriteriaMet', 'Complete'] },
    ],
    ['a new try after a failure', job({}), [pod('a', 'Failed', { ended: LONG_AGO })], { create: 1, remove: 0, types: [] }],
    ['failure at the limit', job({ backoffLimit: 0 }), [pod('a', 'Failed')], { create: 0, remove: 0, types: ['FailureTarget', 'Failed'] }],
    [
      'failure by starts in the same pod',
      job({ backoffLimit: 2 }, {}, { restartPolicy: 'OnFailure' }),
      [pod('a', 'Running', { restarts: 2 })],
      { create: 0, remove: 1, types: ['FailureTarget'] },
    ],
    [
      'failure at the deadline',
      job({ activeDeadlineSeconds: 60 }, { startTime: '2026-01-01T00:09:00Z' }),
      [pod('a', 'Running')],
      { create: 0, remove: 1, types: ['FailureTarget'] },
    ],
    ['rest while suspended', job({ suspend: true }), [pod('a', 'Running')], { create: 0, remove: 1, types: ['Suspended'] }],
  ])('%s', (_name, of, pods, want) => {
    const made = plan(of, pods)
    expect({ create: made.create, remove: made.remove.length, types: types(made.status) }).toEqual(want)
  })

  test('each pod counts once, also after it is gone', () => {
    const first = plan(job({ completions: 3 }), [pod('a', 'Succeeded'), pod('b', 'Failed')])
    expect(first.status).toMatchObject({ succeeded: 1, failed: 1, countedPods: ['a', 'b'] })
    const again = plan(job({ completions: 3 }, first.status), [pod('a', 'Succeeded'), pod('b', 'Failed')])
    expect(again.status).toEqual(first.status)
    const later = plan(job({ completions: 3 }, first.status), [pod('c', 'Succeeded')])
    expect(later.status).toMatchObject({ succeeded: 2, failed: 1, countedPods: ['c'] })
  })

  test.each<readonly [string, readonly string[], number | null]>([
    ['the first failure', ['2026-01-01T00:09:58Z'], 8_000],
    ['the third', ['2026-01-01T00:09:40Z', '2026-01-01T00:09:50Z', '2026-01-01T00:09:55Z'], 35_000],
    ['a device clock from the future', ['2030-01-01T00:00:00Z'], null],
  ])('waits after %s', (_name, ends, wait) => {
    const made = plan(
      job({}),
      ends.map((ended, index) => pod(String(index), 'Failed', { ended })),
    )
    expect([made.recheckInMs, made.create]).toEqual([wait, wait === null ? 1 : 0])
  })

  test('an ended Job expires after its time to live and makes nothing more', () => {
    const done = plan(job({ ttlSecondsAfterFinished: 30 }), [pod('a', 'Succeeded')]).status
    expect(plan(job({ ttlSecondsAfterFinished: 30 }, done), [])).toMatchObject({ create: 0, expired: false, recheckInMs: 30_000 })
    expect(plan(job({ ttlSecondsAfterFinished: 30 }, done), [], NOW_MS + 30_000).expired).toBe(true)
  })
})

test('ended pods leave the document of their device before a pod that is to run', () => {
  const ended = Array.from({ length: 110 }, (_, index) => pod(`done-${String(index).padStart(3, '0')}`, 'Succeeded'))
  const build = buildDesired(
    [...ended, pod('next', 'Running')],
    ended.map((one) => one.metadata.uid ?? ''),
  )
  const uids = build.pods.map((one) => one.uid)
  expect(uids).toHaveLength(110)
  expect(uids).toContain('next')
  expect(build.refused.size).toBe(0)
})

describe('the rules of a Job', () => {
  test.each<readonly [string, Fields, Fields, RegExp]>([
    ['Always', {}, { restartPolicy: 'Always' }, /^spec\.template\.spec\.restartPolicy: must be "Never" or "OnFailure"/],
    ['Indexed', { completionMode: 'Indexed' }, {}, /^spec\.completionMode: "Indexed" is not supported/],
    ['its own selector', { manualSelector: true }, {}, /^spec\.manualSelector: is not supported/],
  ])('%s is refused', (_name, spec, podSpec, says) => {
    expect(admit(manifestOf(spec, podSpec)).issues.map((issue) => `${issue.path}: ${issue.message}`)).toEqual([expect.stringMatching(says)])
  })

  test('the template does not change, parallelism may', () => {
    const old = admit(manifestOf({}))
    expect(old.issues).toEqual([])
    expect(admit(manifestOf({ parallelism: 3, completions: 1 }), old.object).issues).toEqual([])
    expect(admit(manifestOf({}, { hostNetwork: true }), old.object).issues).toMatchObject([{ path: 'spec.template', kind: 'forbidden' }])
  })

  test.each<readonly [string, Fields, Job['status'], readonly string[]]>([
    ['new', {}, {}, ['Running', '0/1', '']],
    ['running', { completions: 3 }, { succeeded: 1, startTime: '2026-01-01T00:09:00Z' }, ['Running', '1/3', '60s']],
    ['suspended', {}, { conditions: [{ type: 'Suspended', status: 'True' }] }, ['Suspended', '0/1', '']],
    [
      'complete',
      { parallelism: 2 },
      { succeeded: 2, startTime: LONG_AGO, completionTime: '2026-01-01T00:01:05Z', conditions: [{ type: 'Complete', status: 'True' }] },
      ['Complete', '2/1 of 2', '5s'],
    ],
  ])('is printed when %s', (_name, spec, status, cells) => {
    expect(JOBS.cells(job(spec, status), NOW_MS).slice(1, 4)).toEqual(cells)
  })
})

describe('Jobs in the cloud', () => {
  const fleet = (): FakeFleet => running
  let running = new FakeFleet()
  afterEach(async () => running.controllers?.stop())
  const fresh = async (): Promise<void> => {
    running = new FakeFleet()
    await running.start()
    await running.join('gw-1')
  }
  const create = (spec: Fields) =>
    fleet().create({ apiVersion: 'batch/v1', kind: 'Job', metadata: { name: 'work' }, spec: { template: TEMPLATE, ...spec } })
  const one = async (): Promise<Job | undefined> => (await fleet().list<Job>('jobs.batch'))[0]

  test('run to completion on a device, are told, and go with their pods', async () => {
    await fresh()
    fleet().device('gw-1').ended.set('work:1', 'Succeeded')
    await create({ completions: 3, parallelism: 1, ttlSecondsAfterFinished: 60 })
    await fleet().clock.advance(5_000)
    expect((await one())?.status).toMatchObject({ succeeded: 3, failed: 0, active: 0 })
    expect(types((await one())?.status)).toContain('Complete')
    expect((await fleet().list<Pod>('pods')).map((made) => made.status?.phase)).toEqual(['Succeeded', 'Succeeded', 'Succeeded'])
    expect((await fleet().list('events')).map((told) => told['reason'])).toContain('Completed')
    await fleet().clock.advance(70_000)
    expect([await fleet().list('jobs.batch'), await fleet().list('pods')]).toEqual([[], []])
    expect(fleet().device('gw-1').held?.pods).toEqual([])
  })

  test('try again with growing waits, and fail at the limit, also across a restart of the cloud', async () => {
    await fresh()
    fleet().device('gw-1').ended.set('work:1', 'Failed')
    await create({ backoffLimit: 2 })
    await fleet().clock.advance(5_000)
    expect((await one())?.status).toMatchObject({ failed: 1, active: 0 })
    await fleet().restart()
    await fleet().clock.advance(10_000)
    expect((await one())?.status).toMatchObject({ failed: 2 })
    await fleet().clock.advance(60_000)
    expect((await one())?.status).toMatchObject({ failed: 3, active: 0 })
    expect((await one())?.status?.conditions?.find((told) => told.type === 'Failed')).toMatchObject({
      status: 'True',
      reason: 'BackoffLimitExceeded',
    })
  })

  test('stop their pods when suspended, and go on later', async () => {
    await fresh()
    await create({})
    await fleet().clock.advance(1_000)
    expect((await one())?.status).toMatchObject({ active: 1, ready: 1 })
    const suspend = (value: boolean) => fleet().edit('jobs.batch', 'work', (object) => Object.assign(object.spec, { suspend: value }))
    await suspend(true)
    await fleet().clock.advance(5_000)
    expect(await fleet().list('pods')).toEqual([])
    await suspend(false)
    await fleet().clock.advance(5_000)
    expect((await one())?.status).toMatchObject({ active: 1, failed: 0 })
  })
})
