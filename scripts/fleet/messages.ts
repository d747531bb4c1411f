/** What the fleet's parent asks its workers, and what they answer. Plain JSON: it goes over the pipe of `fork`. */
import type { TrustedKey } from '../../protocol/envelope.ts'

/** What a device needs to belong to a cloud, from its join document. */
export interface JoinFacts {
  readonly url: string
  readonly tenant: string
  readonly username: string
  readonly password: string
  readonly trustedKeys: readonly TrustedKey[]
}

/** How a device and its engine behave. */
export interface Temper {
  /** every engine call takes up to this long */
  readonly slowMs: number
  readonly pullMs: number
  /** what goes wrong with images that match `badImages` */
  readonly bad: 'never' | 'crash' | 'no-image'
  readonly badImages: string
}

export interface NewDevice {
  readonly name: string
  readonly join: JoinFacts
  readonly temper: Temper
  readonly seed: number
}

/** The truth about one device, from the device itself. */
export interface DeviceLook {
  readonly name: string
  readonly up: boolean
  /** how the device sees its link, in words */
  readonly link: string
  readonly generation: number
  readonly converged: boolean
  /** the last report that said "converged": of which document, and when (wall clock) */
  readonly done: { readonly generation: number; readonly atMs: number }
  /** images of containers whose pods were last reported ready, and not ready */
  readonly ready: readonly string[]
  readonly unready: readonly string[]
  readonly messages: { readonly up: number; readonly down: number }
  /** as on the wire, since the beginning */
  readonly bytes: { readonly up: number; readonly down: number }
}

/** Cheap enough to be asked ten times a second. */
export interface Progress {
  readonly up: number
  /** devices whose newest report says "converged", and those of them that hold a newer document than at the last mark */
  readonly converged: number
  readonly beyond: number
}

export interface Traffic {
  readonly messages: { readonly up: number; readonly down: number }
  readonly bytes: { readonly up: number; readonly down: number }
}

export type Ask =
  | { readonly kind: 'add'; readonly devices: readonly NewDevice[] }
  /** links open at moments spread evenly over this time */
  | { readonly kind: 'connect'; readonly names: readonly string[]; readonly overMs: number }
  | { readonly kind: 'cut'; readonly names: readonly string[] }
  | { readonly kind: 'look' }
  /** `beyond` of the progress is about documents after the one that each device holds now */
  | { readonly kind: 'mark' }
  /** sums of what `look` tells one by one */
  | { readonly kind: 'progress' }
  | { readonly kind: 'traffic' }
  | { readonly kind: 'bare'; readonly run: BareRun }

/** One exercise of bare MQTT clients: the floor that a fleet is compared with. */
export type BareRun =
  | { readonly step: 'open'; readonly url: string; readonly accounts: readonly { readonly name: string; readonly password: string }[] }
  /** every client now waits for one message */
  | { readonly step: 'arm' }
  /** answers when every client has its message */
  | { readonly step: 'receive' }
  /** every client publishes one message of so many bytes; answers when all are acknowledged */
  | { readonly step: 'publish'; readonly bytes: number }
  | { readonly step: 'close' }

export type Answer =
  | { readonly kind: 'done' }
  | { readonly kind: 'looks'; readonly looks: readonly DeviceLook[] }
  | { readonly kind: 'progress'; readonly progress: Progress }
  | { readonly kind: 'traffic'; readonly traffic: Traffic }
  | { readonly kind: 'failed'; readonly why: string }

export interface Envelope<T> {
  readonly id: number
  readonly body: T
}
