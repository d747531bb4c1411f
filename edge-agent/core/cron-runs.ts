/** Runs as pods: what the desired state gets from them, and what becomes of a run when its containers end. */
import { LIMITS } from '../../protocol/limits.ts'
import { namesOfRun } from '../../protocol/schedule.ts'
import type { DesiredSchedule } from '../../protocol/schedule.ts'
import { doubledMs } from './backoff.ts'
import type { CronState, Run, SavedCron } from './cron-model.ts'
import { ledgerKey } from './identity.ts'
import { matchContainers } from './match.ts'
import type { DesiredPod, DesiredState, Now, ObservedContainer } from './model.ts'
import { unitsOf } from './pod-units.ts'
import type { Ledger } from './saved-model.ts'
import { isFinished } from './verdict.ts'

/** The document with the pods of all runs on disk; the same document when nothing changed. */
export function withRuns(desired: DesiredState, cron: CronState): DesiredState {
  const schedules = new Map((desired.schedules ?? []).map((one) => [one.uid, one]))
  const pods = cron.durable.flatMap((run): readonly DesiredPod[] => {
    const schedule = schedules.get(run.schedule)
    return schedule === undefined || run.reason !== null ? [] : [podOfRun(desired.device, schedule, run)]
  })
  const before = desired.pods.filter(({ run }) => run !== undefined)
  if (sameRuns(before, pods)) return desired
  return { ...desired, pods: [...desired.pods.filter(({ run }) => run === undefined), ...pods] }
}

/** Before another document is taken: runs whose template it changes go on as they were made. */
export function freezeRuns(cron: CronState, before: DesiredState | null, next: DesiredState): CronState {
  const templates = new Map((next.schedules ?? []).map((one) => [one.uid, one.pod.specHash]))
  const frozen = (runs: readonly Run[]): readonly Run[] => {
    const next = runs.map((run) => {
      const template = templates.get(run.schedule)
      const pod = run.pod === null && template !== undefined ? before?.pods.find((one) => isPodOf(one, run)) : undefined
      return pod === undefined || pod.specHash === template ? run : { ...run, pod }
    })
    return next.every((run, index) => run === runs[index]) ? runs : next
  }
  const runs = frozen(cron.runs)
  const durable = frozen(cron.durable)
  return runs === cron.runs && durable === cron.durable ? cron : { ...cron, runs, durable }
}

/** The document as the cloud wrote it. */
export function withoutRuns(desired: DesiredState): DesiredState {
  return desired.pods.some(({ run }) => run !== undefined) ? { ...desired, pods: desired.pods.filter(({ run }) => run === undefined) } : desired
}

export function podOfRun(device: string, schedule: DesiredSchedule, run: Run): DesiredPod {
  if (run.pod !== null) return run.pod
  const { schedule: uid, dueMs, era, attempt } = run
  const { labels, specHash, spec, hashes, pids } = schedule.pod
  const names = namesOfRun(device, schedule, run)
  return {
    uid: names.podUid,
    namespace: schedule.namespace,
    name: names.pod,
    // the revision: all runs of one template use the same resolved image, also offline
    labels: { ...labels, 'batch.kubernetes.io/job-name': names.job, 'controller-revision-hash': specHash.slice(0, 10) },
    specHash,
    spec,
    placement: { pids },
    ...(hashes === undefined ? {} : { hashes }),
    run: { schedule: uid, dueMs, era, attempt },
  }
}

type End = 'complete' | 'failed' | null

export interface Seen {
  readonly observed: readonly ObservedContainer[]
  readonly ledger: Ledger
  /** by pod uid */
  readonly evicted: Readonly<Record<string, unknown>>
}

/** Each run after this look at the engine: ended, to be tried again, or as it was. */
export function noteRuns(cron: CronState, desired: DesiredState, { observed, ledger, evicted }: Seen, now: Now): CronState {
  const schedules = new Map((desired.schedules ?? []).map((one) => [one.uid, one]))
  const runs = cron.runs.map((run) => {
    const schedule = schedules.get(run.schedule)
    if (schedule === undefined || run.state !== 'active') return run
    const pod = desired.pods.find((one) => isPodOf(one, run))
    if (pod === undefined) return run
    return noteRun(run, schedule, pod, evicted[pod.uid] === undefined ? endOf(pod, observed) : 'failed', ledger, now)
  })
  return runs.every((run, index) => run === cron.runs[index]) ? cron : { ...cron, runs }
}

function noteRun(run: Run, schedule: DesiredSchedule, pod: DesiredPod, end: End, ledger: Ledger, now: Now): Run {
  if (end === 'complete') return { ...run, state: 'complete', endedMs: now.wallMs }
  if (end === null) {
    const restarts = unitsOf(pod).reduce((sum, { container, hash }) => sum + (ledger[ledgerKey(pod.uid, container.name, hash)]?.restarts ?? 0), 0)
    const tooMany = pod.spec.restartPolicy === 'OnFailure' && restarts > 0 && restarts >= schedule.backoffLimit
    return tooMany ? ended(run, 'BackoffLimitExceeded', now) : run
  }
  if (run.attempt >= schedule.backoffLimit) return { ...run, state: 'failed', endedMs: now.wallMs }
  if (run.retryAtMonoMs !== null) return run
  const wait = doubledMs(run.attempt + 1, LIMITS.scheduleRetryFirstMs.value, LIMITS.scheduleRetryMaxMs.value)
  return { ...run, retryAtMonoMs: now.monoMs + wait }
}

/** Deadlines and second tries that are due; what is over goes by the history limits. */
export function passTime(cron: CronState, schedules: readonly DesiredSchedule[], now: Now): CronState {
  const byUid = new Map(schedules.map((one) => [one.uid, one]))
  const runs = cron.runs.map((run) => {
    const limit = byUid.get(run.schedule)?.activeDeadlineSeconds
    if (run.state !== 'active') return run
    if (limit !== undefined && now.monoMs - run.activeSinceMonoMs >= limit * 1000) return ended(run, 'DeadlineExceeded', now)
    if (run.retryAtMonoMs === null || run.retryAtMonoMs > now.monoMs) return run
    return { ...run, attempt: run.attempt + 1, retryAtMonoMs: null, pod: null }
  })
  const kept = history(runs, byUid)
  return kept.length === cron.runs.length && kept.every((run, index) => run === cron.runs[index]) ? cron : { ...cron, runs: kept }
}

/** The earliest monotonic moment at which time alone changes a run, or null. */
export function runsAt(cron: CronState, schedules: readonly DesiredSchedule[]): number | null {
  let first: number | null = null
  for (const run of cron.runs) {
    if (run.state !== 'active') continue
    const limit = schedules.find(({ uid }) => uid === run.schedule)?.activeDeadlineSeconds
    const deadline = limit === undefined ? null : run.activeSinceMonoMs + limit * 1000
    for (const at of [deadline, run.retryAtMonoMs]) if (at !== null && (first === null || at < first)) first = at
  }
  return first
}

export function isPodOf({ run: of }: DesiredPod, run: Run): boolean {
  return of?.schedule === run.schedule && of.dueMs === run.dueMs && of.era === run.era && of.attempt === run.attempt
}

/** What is written down; runs that are new become durable with it. */
export function toSavedCron({ marks, runs }: CronState): { readonly cron?: SavedCron } {
  if (runs.length === 0 && Object.keys(marks).length === 0) return {}
  return { cron: { marks, runs: runs.map(({ activeSinceMonoMs: _a, retryAtMonoMs: _r, ...run }) => run) } }
}

/** Durations begin anew after a restart: nothing of before the boot can be measured. */
export function fromSavedCron(cron: CronState, saved: SavedCron | undefined, nowMonoMs: number): CronState {
  if (saved === undefined) return cron
  const runs = saved.runs.map((run) => ({ ...run, activeSinceMonoMs: nowMonoMs, retryAtMonoMs: null }))
  return { ...cron, marks: saved.marks, runs, durable: runs }
}

/** Is there a run that waits for the disk to begin? */
export function hasNew({ runs, durable }: CronState): boolean {
  return runs !== durable && runs.some((run) => run.state === 'active' && !durable.some((one) => isSame(one, run)))
}

export function isSame(a: Run, b: Run): boolean {
  return a.dueMs === b.dueMs && a.schedule === b.schedule && a.era === b.era && a.attempt === b.attempt
}

function ended(run: Run, reason: NonNullable<Run['reason']>, now: Now): Run {
  return { ...run, state: 'failed', reason, endedMs: now.wallMs, retryAtMonoMs: null }
}

function endOf(pod: DesiredPod, observed: readonly ObservedContainer[]): End {
  const { wanted } = matchContainers([pod], observed)
  const over = wanted.filter(({ kept, role }) => kept !== null && isFinished(pod, kept, role))
  if (over.some(({ role, kept }) => role === 'init' && kept?.exitCode !== 0)) return 'failed'
  const main = wanted.filter(({ role }) => role === 'main')
  if (main.some((match) => !over.includes(match))) return null
  return main.every(({ kept }) => kept?.exitCode === 0) ? 'complete' : 'failed'
}

/** The newest ended runs of each schedule, as many as it says; runs of schedules that are gone go with them. */
function history(runs: readonly Run[], schedules: ReadonlyMap<string, DesiredSchedule>): readonly Run[] {
  const left = new Map<string, number>()
  const stays = new Set<Run>()
  for (const run of runs.toSorted((a, b) => b.era - a.era || b.dueMs - a.dueMs)) {
    const schedule = schedules.get(run.schedule)
    if (schedule === undefined) continue
    if (run.state === 'active') {
      stays.add(run)
      continue
    }
    const key = `${run.state} ${run.schedule}`
    const room = left.get(key) ?? (run.state === 'complete' ? schedule.keepComplete : schedule.keepFailed)
    if (room > 0 && stays.size < LIMITS.scheduleRuns.value) stays.add(run)
    left.set(key, room - 1)
  }
  return runs.filter((run) => stays.has(run))
}

function sameRuns(a: readonly DesiredPod[], b: readonly DesiredPod[]): boolean {
  return a.length === b.length && a.every((pod, index) => pod.uid === b[index]?.uid && pod.specHash === b[index]?.specHash)
}
