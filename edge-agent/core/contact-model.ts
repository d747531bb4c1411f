/** The words of being without the cloud. */
import type { Cause } from '../../protocol/causes.ts'

export interface Contact {
  /** null = in contact, or on the way back to it */
  readonly lostAtMonoMs: number | null
  /** counted before `lostAtMonoMs` */
  readonly carriedMs: number
  /** the wall clock when `carriedMs` was counted, when it was believed */
  readonly carriedWallMs: number | null
  readonly upSinceMonoMs: number | null
  /** a document came over this link */
  readonly told: boolean
  /** a document came since the agent began */
  readonly heard: boolean
  /** pods that ran when it began: the device was not off in between; null = it has not looked yet */
  readonly ran: readonly string[] | null
}

export interface SavedContact {
  readonly aloneMs: number
  readonly wallMs: number | null
}

/** What the lack of contact does to pods. */
export interface Fence {
  /** by uid: why it does not run */
  readonly stopped: Readonly<Record<string, Cause>>
  readonly nextAtMonoMs: number | null
}
