/**
 * What the agent knows about images beyond what the engine tells: which it fetched itself, when they were last asked for,
 * which digest a release is pinned to, and how often a pull was tried. It is a help, not a truth: losing it costs attempts
 * and clean-ups, never a workload. Bounded by the limits table, oldest out first.
 */
import { LIMITS } from '../../protocol/limits.ts'

export interface KnownImage {
  /** the engine's id, `sha256:…` */
  readonly id: string
  /** as written in the pod */
  readonly reference: string
  /** digest of its manifest in the registry, when it came from one */
  readonly digest?: string
  /** counts up with each use of any image: the order of use, without a clock */
  readonly used: number
  /** times it was found damaged and removed */
  readonly repairs?: number
  /** found damaged and not yet removed */
  readonly damaged?: boolean
  /** fetched just now: a power cut may have cost some of it */
  readonly unproven?: boolean
}

export interface Pin {
  readonly image: string
  readonly release: string
  readonly id: string
  readonly digest?: string
}

export interface ImageRecord {
  readonly used: number
  readonly images: readonly KnownImage[]
  readonly pins: readonly Pin[]
  /** attempts so far of pulls that have not ended well, by reference */
  readonly attempts: Readonly<Record<string, number>>
}

export const NO_RECORD: ImageRecord = { used: 0, images: [], pins: [], attempts: {} }

export function pinOf(record: ImageRecord, image: string, release: string): Pin | null {
  return record.pins.find((pin) => pin.image === image && pin.release === release) ?? null
}

/** A pull begins: its attempt is counted before the first byte, so that a power cut counts, too. */
export function noteAttempt(record: ImageRecord, reference: string): ImageRecord {
  const { [reference]: before = 0, ...others } = record.attempts
  const kept = Object.entries(others).slice(-(LIMITS.imagesRemembered.value - 1))
  return { ...record, attempts: { ...Object.fromEntries(kept), [reference]: before + 1 } }
}

export interface Fetched {
  readonly id: string
  readonly reference: string
  readonly digest?: string
}

/** The agent fetched this image. */
export function noteFetched(record: ImageRecord, { id, reference, digest }: Fetched): ImageRecord {
  const { [reference]: _, ...attempts } = record.attempts
  const before = record.images.find((one) => one.id === id)
  const repairs = before?.repairs ?? 0
  const image: KnownImage = {
    id,
    reference,
    used: record.used + 1,
    unproven: true,
    ...(digest === undefined ? {} : { digest }),
    ...(repairs === 0 ? {} : { repairs }),
  }
  return { ...record, used: record.used + 1, attempts, images: bounded([...record.images.filter((one) => one.id !== id), image]) }
}

/** This release runs this image from now on, and has used it now. */
export function notePin(record: ImageRecord, pin: Pin): ImageRecord {
  const same = record.pins.find((one) => one.image === pin.image && one.release === pin.release)
  const newest = record.images.reduce<KnownImage | null>((best, one) => (best === null || one.used > best.used ? one : best), null)
  if (same?.id === pin.id && (newest === null || newest.id === pin.id)) return record
  const used = record.used + 1
  const images = record.images.map((one) => (one.id === pin.id ? { ...one, used } : one))
  return { ...record, used, images, pins: bounded([...record.pins.filter((one) => one !== same), pin]) }
}

export function noteDamaged(record: ImageRecord, id: string, reference: string): ImageRecord {
  const before = record.images.find((one) => one.id === id)
  if (before?.damaged === true) return record
  const image: KnownImage = { ...(before ?? { id, reference, used: record.used }), damaged: true }
  return { ...record, images: bounded([...record.images.filter((one) => one.id !== id), image]) }
}

/** It was read back, or has been on the disk for a while; so ends an attempt that the power cut short. */
export function noteProven(record: ImageRecord, id: string): ImageRecord {
  const known = record.images.find((one) => one.id === id)
  if (known?.unproven !== true && (known === undefined || record.attempts[known.reference] === undefined)) return record
  const { [known.reference]: _, ...attempts } = record.attempts
  return { ...record, attempts, images: record.images.map((one) => (one.id === id ? withoutDoubt(one) : one)) }
}

/** A damaged image was removed so that it can be fetched again; the count stays, by id: the same bytes come back. */
export function noteRepaired(record: ImageRecord, id: string): ImageRecord {
  const images = record.images.map((one) => (one.id === id ? withoutDamage(one) : one))
  return { ...record, images }
}

export function forgetImages(record: ImageRecord, gone: ReadonlySet<string>): ImageRecord {
  if (gone.size === 0) return record
  return { ...record, images: record.images.filter((one) => !gone.has(one.id)), pins: record.pins.filter((one) => !gone.has(one.id)) }
}

function withoutDamage({ damaged: _, ...image }: KnownImage): KnownImage {
  return { ...image, repairs: (image.repairs ?? 0) + 1 }
}

function withoutDoubt({ unproven: _, ...image }: KnownImage): KnownImage {
  return image
}

function bounded<T>(items: readonly T[]): readonly T[] {
  return items.slice(-LIMITS.imagesRemembered.value)
}
