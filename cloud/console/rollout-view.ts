/** A rollout as its page reads it. */
import type { CauseView, RolloutRow } from './view-model.ts'

export type RolloutVerb = 'pause' | 'resume' | 'approve' | 'promote' | 'retry' | 'rollback' | 'abort'

export interface RolloutPart {
  readonly row: RolloutRow
  /** why it is blocked or paused */
  readonly cause: CauseView | null
  /** why an action cannot be done now, by its name in the API; '' = it can */
  readonly whyNot: Readonly<Record<RolloutVerb, string>>
  /** wave that `rollback` is about; 0 = none has started */
  readonly lastWave: number
  /** name and value */
  readonly rules: readonly (readonly [string, string])[]
  readonly failures: readonly {
    readonly code: string
    readonly sentence: string
    readonly count: number
    readonly examples: readonly string[]
    readonly next: string
  }[]
  /** newest last */
  readonly decisions: readonly {
    readonly atMs: number
    readonly by: string
    readonly action: string
    readonly wave: number | null
    readonly reason: string
    readonly cause: CauseView | null
  }[]
}

/** `GET .../progress`, as far as the page shows it. */
export interface ProgressShown {
  readonly members: number
  readonly points: readonly {
    readonly atMs: number
    readonly started: number
    readonly done: number
    readonly failed: number
    /** failures above this number pause it by rule; null = none would */
    readonly allowed: number | null
  }[]
}

/** A page of `GET .../members`. */
export interface MembersPage {
  readonly metadata: { readonly total: number }
  readonly items: readonly {
    readonly node: string
    readonly wave: number
    readonly verdict: string
    readonly since: string
    readonly sentence?: string
  }[]
}
