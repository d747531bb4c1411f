/** Is a Job of a CronJob due, which of its old Jobs go, and when is it worth looking again? */
import { openZone } from '../../protocol/calendar.ts'
import { lastRun, nextRun, parseCron } from '../../protocol/cron.ts'
import { parseStamp } from '../../protocol/stamp.ts'
import type { CronJob } from '../resources/cron-job.ts'
import type { Job } from '../resources/job.ts'
import { annotationOf, compareText, conditionOf, controllerReference, isControlledBy, isDeleting, nameOf, namespaceOf, uidOf } from './meta.ts'
import { endedAtMs } from './job.ts'
import { SCHEDULED_ANNOTATION } from './device-runs.ts'
import { runsOnDevices } from '../resources/device-schedule.ts'
import { stampOr } from './pod-state.ts'

export interface CronJobPlan {
  /** when the Job that is to be made now was due; null = none is */
  readonly dueMs: number | null
  /** a Job is due, and an earlier one still runs (concurrencyPolicy Forbid) */
  readonly held: boolean
  /** Jobs to delete: beyond the history limits, or to be replaced */
  readonly remove: readonly Job[]
  readonly status: NonNullable<CronJob['status']>
  readonly recheckInMs: number | null
}

/** The clock may be set while we wait: no wait is longer than this. */
const RECHECK_MAX_MS = 3_600_000

/** `jobs` are those of the namespace or of this CronJob; only the ones it controls are looked at. */
export function planCronJob(cron: CronJob, jobs: readonly Job[], nowMs: number): CronJobPlan {
  const mine = jobs.filter((job) => isControlledBy(job, uidOf(cron)))
  const active = mine.filter((job) => endedAtMs(job.status) === null)
  // devices keep these themselves, and their own history
  if (runsOnDevices(cron)) return { dueMs: null, held: false, remove: [], status: deviceStatusOf(cron, mine, active), recheckInMs: null }
  const plan = { dueMs: null, held: false, remove: tooOld(cron, mine), status: statusOf(cron, mine, active) }
  const parsed = parseCron(cron.spec.schedule)
  const zone = openZone(cron.spec.timeZone ?? 'UTC')
  if (isDeleting(cron) || cron.spec.suspend === true || !parsed.ok || zone === null) return { ...plan, recheckInMs: null }
  const next = nextRun(parsed.schedule, zone, nowMs)
  const recheckInMs = next === null ? null : Math.min(RECHECK_MAX_MS, next - nowMs)
  // of runs that were missed, only the newest is made up for, and only within the deadline
  const due = lastRun(parsed.schedule, zone, dueSinceMs(cron, nowMs), nowMs)
  if (due === null) return { ...plan, recheckInMs }
  const policy = cron.spec.concurrencyPolicy ?? 'Allow'
  if (policy === 'Forbid' && active.length > 0) return { ...plan, held: true, recheckInMs }
  const replaced = policy === 'Replace' ? active.filter((job) => !isDeleting(job)) : []
  return { ...plan, dueMs: due, remove: [...plan.remove, ...replaced], recheckInMs }
}

/** What was due until then was made, or is given up. */
function dueSinceMs(cron: CronJob, nowMs: number): number {
  const since = stampOr(cron.status?.lastScheduleTime ?? cron.metadata.creationTimestamp, nowMs)
  const deadline = cron.spec.startingDeadlineSeconds
  // a run of exactly `deadline` ago may still start
  return deadline === undefined ? since : Math.max(since, nowMs - deadline * 1000 - 1)
}

function tooOld(cron: CronJob, mine: readonly Job[]): readonly Job[] {
  const of = (type: 'Complete' | 'Failed', limit: number): readonly Job[] =>
    mine
      .filter((job) => conditionOf(job.status?.conditions, type)?.status === 'True')
      .sort((a, b) => compareText(b.status?.startTime ?? '', a.status?.startTime ?? '') || compareText(nameOf(b), nameOf(a)))
      .slice(limit)
      .filter((job) => !isDeleting(job))
  return [...of('Complete', cron.spec.successfulJobsHistoryLimit ?? 3), ...of('Failed', cron.spec.failedJobsHistoryLimit ?? 1)]
}

function statusOf(cron: CronJob, mine: readonly Job[], active: readonly Job[]): NonNullable<CronJob['status']> {
  const completed = mine.map((job) => job.status?.completionTime ?? '')
  const lastSuccessfulTime = [cron.status?.lastSuccessfulTime ?? '', ...completed].sort(compareText).at(-1) ?? ''
  return {
    ...cron.status,
    active: active
      .map((job) => ({ apiVersion: job.apiVersion, kind: job.kind, name: nameOf(job), namespace: namespaceOf(job), uid: uidOf(job) }))
      .sort((a, b) => compareText(a.name, b.name)),
    ...(lastSuccessfulTime === '' ? {} : { lastSuccessfulTime }),
  }
}

/** The newest run of any device is the last one. */
function deviceStatusOf(cron: CronJob, mine: readonly Job[], active: readonly Job[]): NonNullable<CronJob['status']> {
  const due = mine.map((job) => annotationOf(job, SCHEDULED_ANNOTATION) ?? '')
  const last = [cron.status?.lastScheduleTime ?? '', ...due].sort(compareText).at(-1) ?? ''
  return { ...statusOf(cron, mine, active), ...(last === '' ? {} : { lastScheduleTime: last }) }
}

/** The Job of one run. Its name is made of the minute: the store refuses a second one. */
export function jobOfRun(cron: CronJob, dueIso: string): Job {
  const { metadata, spec } = cron.spec.jobTemplate
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: {
      name: `${nameOf(cron)}-${Math.floor(parseStamp(dueIso) / 60_000)}`,
      namespace: namespaceOf(cron),
      ...(metadata?.labels === undefined ? {} : { labels: metadata.labels }),
      annotations: { ...metadata?.annotations, [SCHEDULED_ANNOTATION]: dueIso },
      ownerReferences: [controllerReference(cron)],
    },
    spec,
  }
}
