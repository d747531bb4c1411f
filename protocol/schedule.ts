/**
 * Schedules that a device keeps by itself: a CronJob with `skerry.dev/run-on: device`. The cloud sends what to run and when;
 * the device decides by its own clock, also offline. Names and uids of a run follow from what it is, on both sides alike: a
 * decision that is made twice is one run.
 */
import { LIMITS } from './limits.ts'
import { CAUSE } from './causes.ts'
import { POD_SPEC } from './pod.ts'
import { digestOf } from './revision.ts'
import { bool, int, list, map, obj, oneOf, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

const UID = str({ pattern: /^[A-Za-z0-9-]{1,64}$/, says: 'a uid' })
const HASH = str({ pattern: /^[0-9a-f]{64}$/, says: 'a sha256' })
const SECONDS = int(0, 2_147_483_647)

/** Which run a pod is. `dueMs` is wall time; `era` counts how often the device found that its clock had been far ahead. */
export const RUN_OF = obj({ schedule: required(UID), dueMs: required(int()), era: required(int()), attempt: required(int()) })
export type RunOf = Infer<typeof RUN_OF>

export const DESIRED_SCHEDULE = obj({
  /** of the CronJob */
  uid: required(UID),
  namespace: required(str({ min: 1, max: 63 })),
  name: required(str({ min: 1, max: 63 })),
  /** five fields of cron */
  schedule: required(str({ min: 1, max: 1024 })),
  /** IANA name; absent = the device's own */
  timeZone: str({ max: 255 }),
  suspend: bool(),
  concurrency: required(oneOf('Allow', 'Forbid', 'Replace')),
  /** a run that could not begin in time may begin this much later; absent = however late, but only the newest one */
  startingDeadlineSeconds: SECONDS,
  /** runs due until then are not made up for: when the CronJob was made */
  sinceMs: required(int()),
  keepComplete: required(int(0, LIMITS.scheduleHistory.value)),
  keepFailed: required(int(0, LIMITS.scheduleHistory.value)),
  /** pods that may fail before the run has; restarts of containers count as well */
  backoffLimit: required(int()),
  activeDeadlineSeconds: SECONDS,
  pod: required(
    obj({
      labels: map(str({ max: 63 }), { max: LIMITS.labelsPerObject.value }),
      specHash: required(HASH),
      spec: required(POD_SPEC),
      hashes: map(HASH, { max: 2 * LIMITS.containersPerPod.value + 1 }),
      pids: required(int(1, 4_194_304)),
    }),
  ),
})
export type DesiredSchedule = Infer<typeof DESIRED_SCHEDULE>

export const RUN_REPORT = obj({
  dueMs: required(int()),
  era: required(int()),
  /** of the pod that is there, from 0 */
  attempt: required(int()),
  state: required(oneOf('active', 'complete', 'failed')),
  /** by the device's clock */
  startedMs: required(int()),
  endedMs: int(),
  /** BackoffLimitExceeded, DeadlineExceeded */
  reason: str({ max: 64 }),
})
export type RunReport = Infer<typeof RUN_REPORT>

export const SCHEDULE_REPORT = obj({
  uid: required(UID),
  /** the newest run that was due and begun or given up; absent before the first */
  lastMs: int(),
  /** when it is due next, as far as the clock is believed */
  nextMs: int(),
  runs: required(list(RUN_REPORT, { max: LIMITS.scheduleRuns.value })),
  /** why nothing is begun now */
  cause: CAUSE,
})
export type ScheduleReport = Infer<typeof SCHEDULE_REPORT>

export interface RunNames {
  /** of the Job that shows the run in the cloud */
  readonly job: string
  readonly pod: string
  readonly podUid: string
}

const MINUTE_MS = 60_000
const SHORT = 5

/** `backup-29512345-3fa9c`, and its pod `backup-29512345-3fa9c-0`. */
export function namesOfRun(device: string, schedule: { readonly uid: string; readonly name: string }, run: Omit<RunOf, 'schedule'>): RunNames {
  const { dueMs, era, attempt } = run
  const id = digestOf({ device, schedule: schedule.uid, dueMs, era })
  const job = `${schedule.name}-${Math.floor(dueMs / MINUTE_MS)}-${id.slice(0, SHORT)}`
  const digits = digestOf({ run: id, attempt })
  const podUid = [digits.slice(0, 8), digits.slice(8, 12), digits.slice(12, 16), digits.slice(16, 20), digits.slice(20, 32)].join('-')
  return { job, pod: `${job}-${attempt}`, podUid }
}
