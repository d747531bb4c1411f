import { afterEach, describe, expect, test } from 'vitest'
import { podOfRun } from '../edge-agent/core/cron-runs.ts'
import type { Run } from '../edge-agent/core/cron-model.ts'
import type { CronJob } from '../cloud/resources/cron-job.ts'
import type { Job } from '../cloud/resources/job.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import type { DesiredSchedule, RunReport } from '../protocol/schedule.ts'
import { FakeFleet } from './fakes/fleet.ts'
import type { FakeDevice } from './fakes/fleet.ts'
import { admit, manifest } from './fixtures/manifests.ts'

type Fields = Readonly<Record<string, unknown>>
const ANNOTATIONS = { 'skerry.dev/run-on': 'device' }
const DUE = Date.parse('2026-07-01T02:30:00Z')

function cronJob(spec: Fields = {}, pod: Fields = {}, metadata: Fields = {}, job: Fields = {}) {
  const container = { name: 'main', image: 'work:1' }
  const template = { metadata: { labels: { app: 'backup' } }, spec: { restartPolicy: 'Never', containers: [container], ...pod } }
  return manifest('batch/v1', 'CronJob', {
    metadata: { name: 'backup', annotations: ANNOTATIONS, ...metadata },
    spec: { schedule: '30 2 * * *', jobTemplate: { spec: { template, ...job } }, ...spec },
  })
}

let fleet = new FakeFleet()
afterEach(async () => {
  await fleet.controllers?.stop()
  expect(fleet.logs.filter((line) => line.level === 'warn' && line.msg.startsWith('work failed'))).toEqual([])
})

async function fresh(): Promise<void> {
  fleet = new FakeFleet()
  await fleet.start()
  await fleet.join('gw-1', 'gw-2')
}

/** The device decides a run and says so, as the agent would. */
async function runs(device: FakeDevice, ...reports: readonly RunReport[]): Promise<void> {
  const schedule = device.held?.schedules?.[0]
  if (schedule === undefined) throw new Error(`${device.name} keeps no schedule`)
  device.schedules = [{ uid: schedule.uid, lastMs: DUE, runs: reports }]
  device.runPods = reports.map((run) => podOfRun(device.name, schedule, asRun(schedule, run)))
  device.report()
  await fleet.clock.advance(500)
}

function asRun(schedule: DesiredSchedule, { dueMs, era, attempt, state, startedMs }: RunReport): Run {
  return {
    schedule: schedule.uid,
    dueMs,
    era,
    attempt,
    state,
    startedMs,
    endedMs: null,
    reason: null,
    pod: null,
    activeSinceMonoMs: 0,
    retryAtMonoMs: null,
  }
}

const ACTIVE: RunReport = { dueMs: DUE, era: 0, attempt: 0, state: 'active', startedMs: DUE + 400 }

describe('a CronJob that devices keep', () => {
  test('is sent to every device that its template fits, and the cloud makes no Job of it', async () => {
    await fresh()
    await fleet.edit('nodes', 'gw-2', (node) => Object.assign(node.metadata, { labels: { site: 'ferry' } }), '')
    await fleet.create(cronJob({}, { nodeSelector: { site: 'ferry' } }))
    await fleet.clock.advance(500)
    expect(fleet.device('gw-1').held?.schedules).toBeUndefined()
    const [sent] = fleet.device('gw-2').held?.schedules ?? []
    expect(sent).toMatchObject({ name: 'backup', schedule: '30 2 * * *', concurrency: 'Allow', keepComplete: 3, backoffLimit: 6 })
    expect(sent?.pod.spec.containers[0]?.imagePullPolicy).toBe('IfNotPresent')
    expect(fleet.device('gw-2').held?.prefetch).toEqual(['work:1'])
    await fleet.clock.advance(48 * 3_600_000)
    expect(await fleet.list('jobs.batch')).toEqual([])
    await fleet.edit('nodes', 'gw-2', (node) => Object.assign(node.metadata, { labels: {} }), '')
    await fleet.clock.advance(500)
    expect(fleet.device('gw-2').held?.schedules).toBeUndefined()
  })

  test('carries values and pull secrets of its template', async () => {
    await fresh()
    await fleet.create(manifest('v1', 'ConfigMap', { metadata: { name: 'where' }, data: { target: 'nas' } }))
    const envFrom = [{ configMapRef: { name: 'where' } }]
    await fleet.create(cronJob({}, { containers: [{ name: 'main', image: 'work:1', envFrom }] }))
    await fleet.clock.advance(500)
    expect(fleet.device('gw-1').held?.configs).toMatchObject([{ name: 'where', data: { target: 'nas' } }])
    await fleet.edit('configmaps', 'where', (config) => Object.assign(config, { data: { target: 'tape' } }))
    await fleet.clock.advance(500)
    expect(fleet.device('gw-1').held?.configs).toMatchObject([{ data: { target: 'tape' } }])
  })

  test('shows runs of devices as Jobs and pods, and takes them away with the device’s own history', async () => {
    await fresh()
    await fleet.create(cronJob())
    await fleet.clock.advance(500)
    const device = fleet.device('gw-1')
    const documents = fleet.published.length
    await runs(device, ACTIVE)
    const [job] = await fleet.list<Job>('jobs.batch')
    const [pod] = await fleet.list<Pod>('pods')
    expect(job?.metadata.name).toMatch(/^backup-\d+-[0-9a-f]{5}$/)
    expect(job?.status).toMatchObject({ active: 1, startTime: '2026-07-01T02:30:00Z' })
    expect(pod).toMatchObject({
      metadata: { name: `${job?.metadata.name}-0`, uid: device.runPods[0]?.uid },
      spec: { nodeName: 'gw-1' },
      status: { phase: 'Running' },
    })
    expect(pod?.metadata.ownerReferences?.[0]).toMatchObject({ kind: 'Job', uid: job?.metadata.uid })
    const [cron] = await fleet.list<CronJob>('cronjobs.batch')
    expect(cron?.status).toMatchObject({ lastScheduleTime: '2026-07-01T02:30:00Z', active: [{ name: job?.metadata.name }] })
    expect(fleet.published.length, 'what is shown is not sent back').toBe(documents)
    // ended, and a second one on the other device
    device.ended.set('work:1', 'Succeeded')
    await runs(device, { ...ACTIVE, state: 'complete', endedMs: DUE + 60_000 })
    await runs(fleet.device('gw-2'), { ...ACTIVE, state: 'failed', attempt: 6, endedMs: DUE + 90_000 })
    const jobs = await fleet.list<Job>('jobs.batch')
    expect(jobs.map(({ status }) => status?.conditions?.[0]?.type).sort()).toEqual(['Complete', 'Failed'])
    expect((await fleet.list<CronJob>('cronjobs.batch'))[0]?.status).toMatchObject({ active: [], lastSuccessfulTime: '2026-07-01T02:31:00Z' })
    await runs(device)
    expect(await fleet.list('jobs.batch')).toHaveLength(1)
    expect((await fleet.list<Pod>('pods')).map(({ spec }) => spec.nodeName)).toEqual(['gw-2'])
  })

  test('a pod that somebody deletes here comes back while the device has it; with the CronJob all go', async () => {
    await fresh()
    await fleet.create(cronJob())
    await fleet.clock.advance(500)
    const device = fleet.device('gw-1')
    await runs(device, ACTIVE)
    const [pod] = await fleet.list<Pod>('pods')
    await fleet.store.delete('pods', 'default', pod?.metadata.name ?? '', null)
    await runs(device, ACTIVE)
    expect(await fleet.list('pods')).toHaveLength(1)
    await fleet.store.delete('cronjobs.batch', 'default', 'backup', null)
    await fleet.clock.advance(2_000)
    expect(device.held?.schedules).toBeUndefined()
    device.runPods = []
    device.schedules = []
    device.report()
    await fleet.clock.advance(2_000)
    expect(await fleet.list('jobs.batch')).toEqual([])
    expect(await fleet.list('pods')).toEqual([])
  })

  test('a device shows nothing for CronJobs that are not its own to keep', async () => {
    await fresh()
    await fleet.create(cronJob())
    await fleet.create(cronJob({}, {}, { name: 'other', annotations: {} }))
    await fleet.clock.advance(500)
    const [other] = (await fleet.list<CronJob>('cronjobs.batch')).filter(({ metadata }) => metadata.name === 'other')
    const device = fleet.device('gw-1')
    device.schedules = [
      { uid: other?.metadata.uid ?? '', runs: [ACTIVE] },
      { uid: 'nobody', runs: [ACTIVE] },
    ]
    device.report()
    await fleet.clock.advance(500)
    expect(await fleet.list('jobs.batch')).toEqual([])
  })
})

test.each<readonly [string, ReturnType<typeof cronJob>, readonly string[]]>([
  [
    'is taken as it is',
    cronJob({}, { nodeSelector: { site: 'ferry' }, containers: [{ name: 'a', image: 'b:1', resources: { limits: { cpu: '1', memory: '1Gi' } } }] }),
    [],
  ],
  ['elsewhere', cronJob({}, {}, { annotations: { 'skerry.dev/run-on': 'moon' } }), ['metadata.annotations[skerry.dev/run-on]']],
  ['a long name', cronJob({}, {}, { name: 'a'.repeat(47) }), ['metadata.name']],
  ['many pods', cronJob({}, {}, {}, { completions: 3, parallelism: 2 }), ['spec.jobTemplate.spec.completions', 'spec.jobTemplate.spec.parallelism']],
  ['a long history', cronJob({ successfulJobsHistoryLimit: 99 }), ['spec.successfulJobsHistoryLimit']],
  [
    'what only the scheduler can give',
    cronJob({}, { affinity: {}, containers: [{ name: 'a', image: 'b:1', resources: { limits: { 'nvidia.com/gpu': 1 } } }] }),
    ['spec.jobTemplate.spec.template.spec.affinity', 'spec.jobTemplate.spec.template.spec.containers[0].resources.limits["nvidia.com/gpu"]'],
  ],
])('a CronJob for devices: %s', (_what, object, paths) => {
  expect(admit(object).issues.map(({ path }) => path)).toEqual(paths)
})
