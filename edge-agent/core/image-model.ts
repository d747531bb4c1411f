/** The words for images: for whom they are fetched, what the device needs them for, and how far a fetch is. */
import type { PullCredential } from '../../protocol/desired-state.ts'

/** For whom an image is fetched: the release it is pinned for, and the names (`namespace/name`) of the pull secrets that may open it. */
export interface ImageUse {
  readonly release: string
  readonly secrets: readonly string[]
}

/** What the device needs images for. Credentials are here and nowhere else in the agent's plans, logs and reports. */
export interface ImagesWanted {
  readonly credentials: readonly PullCredential[]
  readonly prefetch: readonly string[]
  /** what the desired pods run, with the release that pins it */
  readonly images: readonly { readonly image: string; readonly release: string }[]
  /** image -> bytes a second that it may come with on the link as it is now; one that is not named is not limited */
  readonly limits?: Readonly<Record<string, number>>
}

/** How far the fetching of one image is. Bytes are of compressed layers. */
export interface PullProgress {
  /** counts from 1, across restarts of the agent */
  readonly attempt: number
  readonly layersDone: number
  readonly layersTotal: number
  readonly bytesDone: number
  readonly bytesTotal: number
  /** false between two attempts */
  readonly active: boolean
  /** bytes a second that it is held to */
  readonly limit?: number
  /** it should be held to one, but the engine fetches it by its own way, which knows none */
  readonly unheld?: boolean
}

/** Attempts to fetch an image since the agent started, by how long they took: see PULL_SECONDS. */
export interface PullTotals {
  readonly done: PullTimes
  readonly failed: PullTimes
}
export interface PullTimes {
  /** one more than bounds: the last is for all that took longer */
  readonly counts: readonly number[]
  readonly seconds: number
}

/** Upper bounds in seconds: from an image that is nearly there to one over a thin line at night. */
export const PULL_SECONDS: readonly number[] = [1, 5, 15, 60, 300, 900, 3_600, 14_400, 43_200]

export type Pulls = Readonly<Record<string, PullProgress>>
