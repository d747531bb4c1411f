/** The words of updates on the device: what it works towards of each pod, what it can return to, and what an update waits for. */
import type { Cause } from '../../protocol/causes.ts'
import type { DesiredConfig, DesiredPod, DesiredState } from '../../protocol/desired-state.ts'
import type { UpdateReport } from '../../protocol/status-report.ts'

/** A revision that is not in the document any more, with the values that it took. */
export interface KeptRevision {
  readonly pod: DesiredPod
  readonly configs: readonly DesiredConfig[]
}

/** Revisions of one pod, by spec hash. */
export interface PodRecord {
  /** what the device works towards */
  readonly applied: string
  /** the last one that was healthy here; null = none yet */
  readonly healthy: string | null
  /** the healthy one before that: what a person may ask for */
  readonly previous: string | null
  readonly kept: readonly KeptRevision[]
  /** to be applied as soon as that is on disk; it would not be known to be on trial else */
  readonly switching: { readonly hash: string; /** of the trial that begins with it; null = none does */ readonly trialMs: number | null } | null
  /** `applied` has to become healthy until then; null = it was, or there is nothing to return to */
  readonly trial: Trial | null
  /** not tried again until the pod asks for another release; see releaseOf */
  readonly failed: FailedRevision | null
  /** containers whose image of the wanted revision is on the device; known for this agent session only */
  readonly fetched: { readonly hash: string; readonly containers: readonly string[] } | null
  readonly lock: HeldLock | null
  /** what a person asked for in place of the wanted one */
  readonly pinned: string | null
}

export interface Trial {
  readonly untilMonoMs: number
  /** starts of the agent since it began */
  readonly starts: number
}

export interface FailedRevision {
  readonly hash: string
  readonly release: string
  readonly cause: Cause
}

export interface HeldLock {
  /** the lock as written: another text is another lock */
  readonly id: string
  readonly untilMonoMs: number
  /** the document by which the rest was counted last */
  readonly issuedAt: string
}

export type Records = Readonly<Record<string, PodRecord>>

/** A pod of which the device does not run the wanted revision. */
export interface PendingUpdate {
  readonly pod: DesiredPod
  readonly reason: UpdateReport['reason']
  readonly cause: Cause
  readonly notBeforeMonoMs: number | null
}

export interface Updates {
  readonly records: Records
  /** by uid */
  readonly pending: Readonly<Record<string, PendingUpdate>>
  /** the document `of`, with the revisions that the device works towards */
  readonly target: DesiredState | null
  readonly of: DesiredState | null
  readonly nextAtMonoMs: number | null
}

export const NO_UPDATES: Updates = { records: {}, pending: {}, target: null, of: null, nextAtMonoMs: null }

/** Durations only: absolute times do not survive a reboot. */
export interface SavedRecord {
  readonly applied: string
  readonly healthy?: string
  readonly previous?: string
  readonly kept?: readonly KeptRevision[]
  readonly trial?: { readonly remainingMs: number; readonly starts: number }
  readonly failed?: {
    readonly hash: string
    readonly release: string
    readonly cause: { readonly code: string; readonly facts?: Readonly<Record<string, string>> }
  }
  readonly lock?: { readonly id: string; readonly remainingMs: number; readonly issuedAt: string }
}
