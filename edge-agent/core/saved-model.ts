/** What outlives the agent: attempts and failures, overrides, and the state file. Durations only: absolute times do not survive a reboot. */
import type { Cause } from '../../protocol/causes.ts'
import type { DesiredState, Version } from '../../protocol/desired-state.ts'
import type { OverrideKind } from '../../protocol/override.ts'
import type { SavedCron } from './cron-model.ts'
import type { SavedContact } from './contact-model.ts'
import type { Pressure } from './pressure-model.ts'
import type { SavedRecord } from './update-model.ts'

/** Attempts and failures of one container (`<uid>/<container>/<hash8>`). Durations only: absolute times do not survive a reboot. */
export interface LedgerEntry {
  /** engine steps that failed since the last one that helped */
  readonly failures: number
  /** exits that were followed by a restart, ever: what people see as restart count */
  readonly restarts: number
  /** exits since it last ran well for a while: decides the restart backoff; never above `restarts` */
  readonly crashes: number
  readonly lastCause: Cause | null
  /** monotonic; null = now */
  readonly notBeforeMonoMs: number | null
  /** monotonic moment since which it has been seen running; null when it is not running */
  readonly runningSinceMonoMs: number | null
  /** the engine's `finishedAt` of the exit that was counted last: one exit is counted once */
  readonly countedExit: string | null
  /** the run (by its start time) that has started up, and whether it was ever ready; null = none with probes */
  readonly probed: Probed | null
}

export interface Probed {
  readonly startedAt: string
  readonly ready: boolean
}

export type Ledger = Readonly<Record<string, LedgerEntry>>

/** What a person on site decided for a while; see core/overrides.ts. */
export interface Override {
  readonly id: string
  readonly kind: OverrideKind
  /** null = the whole device */
  readonly pod: { readonly uid: string; readonly namespace: string; readonly name: string } | null
  readonly owner: string
  readonly reason: string
  /** shown only */
  readonly sinceWallMs: number
  readonly untilMonoMs: number
  /** restart: the containers that are to go once, with the start that is to end; a container with another start is done */
  readonly restarts: Readonly<Record<string, string>>
}

/** What is asked for on the device page; `id` is new. */
export interface OverrideRequest {
  readonly id: string
  readonly kind: OverrideKind
  /** uid of a desired pod; null = the whole device */
  readonly podUid: string | null
  readonly owner: string
  readonly reason: string
  readonly forMs: number
}

/** An override on disk: durations only. */
export type SavedOverride = Omit<Override, 'untilMonoMs'> & { readonly remainingMs: number }

/** What is on disk. `failures` is the larger of an entry's failures and crashes. `floor` is the highest pair ever persisted and never goes down. */
export interface SavedState {
  /** absent in files of agents that knew none */
  readonly overrides?: readonly SavedOverride[]
  /** the last wall time that could be believed; absent in files of agents that knew none */
  readonly clock?: { readonly wallMs: number }
  /** schedules; absent where there are none */
  readonly cron?: SavedCron
  readonly desired: DesiredState | null
  readonly floor: Version | null
  readonly ledger: Readonly<Record<string, SavedEntry>>
  /** time without the cloud; absent = none, or it does not matter */
  readonly contact?: SavedContact
  /** revisions of pods, by uid; absent in files of agents that knew none */
  readonly updates?: Readonly<Record<string, SavedRecord>>
  /** pods given up for want of something, by uid; absent in files of agents that knew none */
  readonly evicted?: Pressure['evicted']
}

export interface SavedEntry {
  readonly failures: number
  readonly restarts: number
  readonly remainingMs: number
  readonly countedExit: string | null
  readonly probed?: Probed
}

/** none = a new device; unknown = there was a state and it cannot be read: keep everything, remove nothing. */
export type Loaded =
  | { readonly kind: 'state'; readonly state: SavedState; readonly fellBack: boolean }
  | { readonly kind: 'none' }
  | { readonly kind: 'unknown'; readonly floor: Version | null; readonly why: string }
