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

/** Attempts to fetch an image since the agent started, and the time that they took together. */
export interface PullTotals {
  readonly done: number
  readonly failed: number
  readonly seconds: number
}

export type Pulls = Readonly<Record<string, PullProgress>>
