/**
 * What does a Job need now: pods to make, pods to end, or is it over? A pod that is being deleted keeps its place until
 * its device confirmed the end, so that the same work is never done twice at once.
 */
import type { Condition } from '../resources/object.ts'
import type { Job } from '../resources/job.ts'
import { parseStamp } from '../../protocol/stamp.ts'
import type { Pod } from '../resources/pod.ts'
import { conditionOf, isControlledBy, isDeleting, uidOf, withCondition } from './meta.ts'
import { isFinished, isReady, stampOr } from './pod-state.ts'

type JobStatus = NonNullable<Job['status']>

export interface JobPlan {
  readonly create: number
  readonly remove: readonly Pod[]
  readonly status: JobStatus
  /** the Job ended longer ago than ttlSecondsAfterFinished */
  readonly expired: boolean
  /** milliseconds until time alone changes this plan; null = only news matter */
  readonly recheckInMs: number | null
}

interface End {
  readonly kind: 'Complete' | 'Failed'
  readonly reason: string
  readonly message: string
}

const BACKOFF_FIRST_MS = 10_000
const BACKOFF_MAX_MS = 360_000

/** `pods` are those of the namespace or of this Job; only the ones it controls are looked at. `nowIso` is `nowMs` in RFC 3339. */
export function planJob(job: Job, pods: readonly Pod[], nowMs: number, nowIso: string): JobPlan {
  const mine = pods.filter((pod) => isControlledBy(pod, uidOf(job)))
  const places = mine.filter((pod) => !isFinished(pod))
  const running = places.filter((pod) => !isDeleting(pod))
  const status = counted(job, mine, places)
  const over = endedAtMs(status)
  if (over !== null) return { create: 0, remove: running, status, ...afterEnd(job, over, nowMs) }
  const rest = { expired: false, recheckInMs: null }
  if (isDeleting(job)) return { create: 0, remove: [], status, ...rest }
  const end = decidedEnd(status) ?? endOf(job, status, places, nowMs)
  if (end !== null) return { create: 0, remove: running, status: ended(status, end, places.length === 0, nowIso), ...rest }
  if (job.spec.suspend === true) return { create: 0, remove: running, status: suspended(status, nowIso), ...rest }
  const started = begun(status, nowIso)
  const wanted = wantedPlaces(job, status)
  const backoffMs = places.length < wanted ? backoffLeftMs(mine, nowMs) : 0
  const deadlineMs = deadlineLeftMs(job, started, nowMs)
  return {
    create: backoffMs > 0 ? 0 : Math.max(0, wanted - places.length),
    remove: running.slice(Math.max(0, wanted - (places.length - running.length))),
    status: started,
    expired: false,
    recheckInMs: soonest([backoffMs > 0 ? backoffMs : null, deadlineMs]),
  }
}

/** Each ended pod is counted once, in the same write that remembers its uid; uids of pods that are gone are forgotten. */
function counted(job: Job, mine: readonly Pod[], places: readonly Pod[]): JobStatus {
  const before = job.status ?? {}
  const known = new Set(before.countedPods ?? [])
  const finished = mine.filter(isFinished)
  const fresh = finished.filter((pod) => !known.has(uidOf(pod)))
  const good = fresh.filter((pod) => pod.status?.phase === 'Succeeded').length
  return {
    ...before,
    active: places.filter((pod) => !isDeleting(pod)).length,
    ready: places.filter((pod) => !isDeleting(pod) && isReady(pod)).length,
    terminating: places.filter(isDeleting).length,
    succeeded: (before.succeeded ?? 0) + good,
    failed: (before.failed ?? 0) + fresh.length - good,
    countedPods: finished.map(uidOf).sort(),
  }
}

function endOf(job: Job, status: JobStatus, places: readonly Pod[], nowMs: number): End | null {
  const { completions, backoffLimit = 6, activeDeadlineSeconds } = job.spec
  const succeeded = status.succeeded ?? 0
  const complete = completions === undefined ? succeeded > 0 && places.length === 0 : succeeded >= completions
  if (complete) return { kind: 'Complete', reason: 'CompletionsReached', message: 'Reached expected number of succeeded pods' }
  if ((status.failed ?? 0) > backoffLimit || tooManyRestarts(job, places, backoffLimit))
    return { kind: 'Failed', reason: 'BackoffLimitExceeded', message: 'Job has reached the specified backoff limit' }
  const left = deadlineLeftMs(job, status, nowMs)
  if (activeDeadlineSeconds !== undefined && left !== null && left <= 0)
    return { kind: 'Failed', reason: 'DeadlineExceeded', message: 'Job was active longer than specified deadline' }
  return null
}

/** With OnFailure the device starts containers again in the same pod: those starts count, too. */
function tooManyRestarts(job: Job, places: readonly Pod[], limit: number): boolean {
  if (job.spec.template.spec.restartPolicy !== 'OnFailure') return false
  const restarts = places.flatMap((pod) => pod.status?.containerStatuses ?? []).reduce((sum, one) => sum + (one.restartCount ?? 0), 0)
  return limit === 0 ? restarts > 0 : restarts >= limit
}

/** What was decided in an earlier round, while pods were still ending. */
function decidedEnd(status: JobStatus): End | null {
  for (const [type, kind] of [
    ['SuccessCriteriaMet', 'Complete'],
    ['FailureTarget', 'Failed'],
  ] as const) {
    const found = conditionOf(status.conditions, type)
    if (found?.status === 'True') return { kind, reason: found.reason ?? '', message: found.message ?? '' }
  }
  return null
}

/** The decision at once; the end itself when no pod is left that could still run. */
function ended(status: JobStatus, { kind, reason, message }: End, isLast: boolean, nowIso: string): JobStatus {
  const decision: Condition = { type: kind === 'Complete' ? 'SuccessCriteriaMet' : 'FailureTarget', status: 'True', reason, message }
  const conditions = withCondition(status.conditions ?? [], decision, nowIso)
  if (!isLast) return { ...status, conditions }
  const last = withCondition(conditions, { type: kind, status: 'True', reason, message }, nowIso)
  return { ...status, conditions: last, ...(kind === 'Complete' ? { completionTime: nowIso } : {}) }
}

/** When the Job became Complete or Failed; null while it goes on. */
export function endedAtMs(status: Job['status']): number | null {
  const end = status?.conditions?.find((one) => (one.type === 'Complete' || one.type === 'Failed') && one.status === 'True')
  return end === undefined ? null : stampOr(end.lastTransitionTime, 0)
}

function afterEnd(job: Job, endMs: number, nowMs: number): Pick<JobPlan, 'expired' | 'recheckInMs'> {
  const ttl = job.spec.ttlSecondsAfterFinished
  if (ttl === undefined || isDeleting(job)) return { expired: false, recheckInMs: null }
  const left = endMs + ttl * 1000 - nowMs
  return { expired: left <= 0, recheckInMs: left <= 0 ? null : left }
}

function suspended(status: JobStatus, nowIso: string): JobStatus {
  const { startTime: _dropped, ...rest } = status
  const condition: Condition = { type: 'Suspended', status: 'True', reason: 'JobSuspended', message: 'Job suspended' }
  return { ...rest, conditions: withCondition(status.conditions ?? [], condition, nowIso) }
}

function begun(status: JobStatus, nowIso: string): JobStatus {
  const resumed: Condition = { type: 'Suspended', status: 'False', reason: 'JobResumed', message: 'Job resumed' }
  const was = conditionOf(status.conditions, 'Suspended') !== null
  return {
    ...status,
    startTime: status.startTime ?? nowIso,
    ...(was ? { conditions: withCondition(status.conditions ?? [], resumed, nowIso) } : {}),
  }
}

/** Without completions, nothing new is started once a pod ended well: the others finish the work. */
function wantedPlaces({ spec }: Job, status: JobStatus): number {
  const { completions, parallelism = 1 } = spec
  const succeeded = status.succeeded ?? 0
  if (completions === undefined) return succeeded > 0 ? Math.min(parallelism, (status.active ?? 0) + (status.terminating ?? 0)) : parallelism
  return Math.min(parallelism, completions - succeeded)
}

/** 10 s after the first failure in a row, doubled for each further one, at most 6 minutes. */
function backoffLeftMs(mine: readonly Pod[], nowMs: number): number {
  const endsOf = (phase: 'Failed' | 'Succeeded'): readonly number[] =>
    mine.filter((pod) => pod.status?.phase === phase).map((pod) => endMs(pod, nowMs))
  const lastGood = Math.max(0, ...endsOf('Succeeded'))
  const bad = endsOf('Failed').filter((ms) => ms >= lastGood)
  if (bad.length === 0) return 0
  const delay = Math.min(BACKOFF_MAX_MS, BACKOFF_FIRST_MS * 2 ** (bad.length - 1))
  return Math.max(0, Math.max(...bad) + delay - nowMs)
}

/** When its last container ended. The stamp is the device's: one that cannot be true is replaced by the pod's own age. */
function endMs(pod: Pod, nowMs: number): number {
  const created = stampOr(pod.metadata.creationTimestamp, 0)
  const stamps = (pod.status?.containerStatuses ?? []).map((one) => parseStamp(one.state?.terminated?.finishedAt ?? ''))
  return Math.max(created, ...stamps.filter((ms) => ms >= created && ms <= nowMs))
}

function deadlineLeftMs(job: Job, status: JobStatus, nowMs: number): number | null {
  const seconds = job.spec.activeDeadlineSeconds
  return seconds === undefined || status.startTime === undefined ? null : parseStamp(status.startTime) + seconds * 1000 - nowMs
}

function soonest(waits: readonly (number | null)[]): number | null {
  const known = waits.filter((ms): ms is number => ms !== null)
  return known.length === 0 ? null : Math.max(0, Math.min(...known))
}
