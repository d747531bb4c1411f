/** What the agent remembers of schedules. Marks and runs outlive it; everything with `Mono` in its name does not. */
import type { DesiredSchedule } from '../../protocol/schedule.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { DesiredPod } from '../../protocol/desired-state.ts'

/** One run that was decided. Its pod is wanted as long as the run is on disk and was not ended by force. */
export interface Run {
  readonly schedule: string
  readonly dueMs: number
  readonly era: number
  readonly attempt: number
  readonly state: 'active' | 'complete' | 'failed'
  readonly startedMs: number
  readonly endedMs: number | null
  /** why it was ended by the agent; its containers are gone then */
  readonly reason: 'DeadlineExceeded' | 'BackoffLimitExceeded' | null
  /** what it was made from, when its schedule has another template by now: a run is never changed under way */
  readonly pod: DesiredPod | null
  readonly activeSinceMonoMs: number
  /** a failed attempt is followed by the next at this moment; null = none waits */
  readonly retryAtMonoMs: number | null
}

/** How far a schedule has come: runs due until `lastMs` were begun or given up. */
export interface Mark {
  readonly lastMs: number
  readonly era: number
}

export interface CronState {
  /** IANA name of the device's own time zone */
  readonly zone: string
  readonly marks: Readonly<Record<string, Mark>>
  /** as decided */
  readonly runs: readonly Run[]
  /** as on disk: only these are acted on. What ended must be on disk, too, before it goes: a power cut would run it again */
  readonly durable: readonly Run[]
  /** as in the save that is under way */
  readonly saving: readonly Run[] | null
  /** why a schedule begins nothing now, by uid */
  readonly held: Readonly<Record<string, Cause>>
  /** when each schedule is due next by the wall clock; null = to be worked out */
  readonly next: NextDue | null
}

export interface NextDue {
  readonly atMs: number
  readonly bySchedule: Readonly<Record<string, number>>
  /** what it was made from: another one of these is a reason to look again */
  readonly of: { readonly schedules: readonly DesiredSchedule[]; readonly runs: readonly Run[]; readonly jump: unknown }
}

export const NO_CRON: CronState = { zone: 'UTC', marks: {}, runs: [], durable: [], saving: null, held: {}, next: null }

export type SavedRun = Omit<Run, 'activeSinceMonoMs' | 'retryAtMonoMs'>

export interface SavedCron {
  readonly marks: Readonly<Record<string, Mark>>
  readonly runs: readonly SavedRun[]
}
