/**
 * Runs that devices decided, as Jobs and pods that people see here. The device's report is the only truth: Jobs and pods
 * are made, changed and taken away after it; nothing here makes a device do anything.
 */
import { namesOfRun } from '../../protocol/schedule.ts'
import type { RunReport, ScheduleReport } from '../../protocol/schedule.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import type { CronJob } from '../resources/cron-job.ts'
import { RUN_DEVICE_ANNOTATION, runsOnDevices } from '../resources/device-schedule.ts'
import { JOBS } from '../resources/job.ts'
import type { Job } from '../resources/job.ts'
import type { Condition } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import { podOf } from './device-schedules.ts'
import { annotationOf, controllerReference, isDeleting, keyOf, nameOf, namespaceOf, uidOf } from './meta.ts'

export const SCHEDULED_ANNOTATION = 'batch.kubernetes.io/cronjob-scheduled-timestamp'

export interface RunsHere {
  /** Jobs of runs of this device */
  readonly jobs: readonly Job[]
  /** pods on this device, of whatever kind */
  readonly pods: readonly Pod[]
  cronOf(uid: string): CronJob | undefined
}

export interface DeviceRunsPlan {
  readonly jobs: readonly Job[]
  /** pods of runs that have no object yet; their uid is the device's. Owner: the Job of this key */
  readonly pods: readonly { readonly job: string; readonly pod: Pod }[]
  readonly status: readonly { readonly key: string; readonly status: NonNullable<Job['status']> }[]
  readonly gone: { readonly jobs: readonly Job[]; readonly pods: readonly Pod[] }
}

/** Is this a Job or pod that only shows what a device does? */
export function isDeviceRun(object: Job | Pod): boolean {
  return annotationOf(object, RUN_DEVICE_ANNOTATION) !== undefined
}

export function planDeviceRuns(device: string, report: StatusReport, here: RunsHere): DeviceRunsPlan {
  const jobs: Job[] = []
  const pods: { job: string; pod: Pod }[] = []
  const status: { key: string; status: NonNullable<Job['status']> }[] = []
  const wantedJobs = new Set<string>()
  const knownJobs = new Set(here.jobs.map(keyOf))
  const knownPods = new Set(here.pods.map(uidOf))
  const reported = new Set(report.pods.map(({ uid }) => uid))
  for (const { cron, run } of runsOf(report.schedules ?? [], here)) {
    const names = namesOfRun(device, { uid: uidOf(cron), name: nameOf(cron) }, run)
    const job = jobOf(device, cron, names.job, run)
    wantedJobs.add(keyOf(job))
    if (!knownJobs.has(keyOf(job))) jobs.push(job)
    status.push({ key: keyOf(job), status: statusOf(run) })
    if (reported.has(names.podUid) && !knownPods.has(names.podUid)) pods.push({ job: keyOf(job), pod: podOfRun(device, cron, names) })
  }
  return {
    jobs,
    pods,
    status,
    gone: {
      jobs: here.jobs.filter((job) => !wantedJobs.has(keyOf(job)) && !isDeleting(job)),
      pods: here.pods.filter((pod) => isDeviceRun(pod) && !reported.has(uidOf(pod))),
    },
  }
}

/** Runs of CronJobs that exist and are a device's to keep; a device says nothing about others. */
function runsOf(schedules: readonly ScheduleReport[], here: RunsHere): readonly { readonly cron: CronJob; readonly run: RunReport }[] {
  return schedules.flatMap(({ uid, runs }) => {
    const cron = here.cronOf(uid)
    return cron === undefined || isDeleting(cron) || !runsOnDevices(cron) ? [] : runs.map((run) => ({ cron, run }))
  })
}

function jobOf(device: string, cron: CronJob, name: string, run: RunReport): Job {
  const { metadata, spec } = cron.spec.jobTemplate
  return JOBS.defaults({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name,
      namespace: namespaceOf(cron),
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: { ...metadata?.annotations, [SCHEDULED_ANNOTATION]: iso(run.dueMs), [RUN_DEVICE_ANNOTATION]: device },
      ownerReferences: [controllerReference(cron)],
    },
    spec,
    status: statusOf(run),
  })
}

function podOfRun(device: string, cron: CronJob, names: { readonly job: string; readonly pod: string; readonly podUid: string }): Pod {
  const { metadata, spec, ...pod } = podOf(cron)
  return {
    ...pod,
    metadata: {
      name: names.pod,
      namespace: namespaceOf(cron),
      uid: names.podUid,
      labels: { ...metadata.labels, 'batch.kubernetes.io/job-name': names.job, 'job-name': names.job },
      annotations: { ...metadata.annotations, [RUN_DEVICE_ANNOTATION]: device },
    },
    spec: { ...spec, nodeName: device },
    status: { phase: 'Pending' },
  }
}

/** By the clock of the device, which decided it. */
function statusOf({ state, attempt, startedMs, endedMs, reason }: RunReport): NonNullable<Job['status']> {
  const startTime = iso(startedMs)
  if (state === 'active') return { active: 1, failed: attempt, startTime }
  const ended = iso(endedMs ?? startedMs)
  const condition = (type: string, why: string, message: string): Condition => ({
    type,
    status: 'True',
    reason: why,
    message,
    lastTransitionTime: ended,
  })
  if (state === 'complete') {
    const done = condition('Complete', 'CompletionsReached', 'Reached expected number of succeeded pods')
    return { active: 0, succeeded: 1, failed: attempt, startTime, completionTime: ended, conditions: [done] }
  }
  const why = reason ?? 'BackoffLimitExceeded'
  const message = why === 'DeadlineExceeded' ? 'Job was active longer than specified deadline' : 'Job has reached the specified backoff limit'
  return { active: 0, failed: attempt + 1, startTime, conditions: [condition('Failed', why, message)] }
}

function iso(ms: number): string {
  return `${new Date(Math.min(ms, 253_402_300_799_000)).toISOString().slice(0, 19)}Z`
}
