/**
 * Notices devices that are no longer heard. INVARIANTS: one timer for all devices, in buckets of ten seconds, armed only
 * while a device is expected to be heard; a device that goes silent is told once, and its pods are left where they are.
 */
import { cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Clock } from '../ports.ts'
import type { DeviceBook, DeviceView } from './device-book.ts'

const BUCKET_MS = 10_000

export interface NodeLiveness {
  /** the device was heard, or is expected to be heard from now on */
  touched(device: string): void
  stop(): void
}

export function startNodeLiveness(deps: { readonly clock: Clock; readonly book: DeviceBook; wentSilent(device: string): void }): NodeLiveness {
  return new TimerWheel(deps)
}

/** A connected device may be quiet between two refreshes of its report, or as it says itself; one that is not connected may not. */
function deadlineMs(view: DeviceView): number {
  // the reports look after one that went just now
  if (view.goneAtMonoMs !== null) return Math.max(view.heardMonoMs, view.goneAtMonoMs) + LIMITS.nodeSilentMs.value
  return view.heardMonoMs + (view.present ? view.quietMs : LIMITS.nodeSilentMs.value)
}

class TimerWheel implements NodeLiveness {
  readonly #deps: Parameters<typeof startNodeLiveness>[0]
  readonly #buckets = new Map<number, Set<string>>()
  readonly #bucketOf = new Map<string, number>()
  #armed: { readonly bucket: number; cancel(): void } | null = null

  constructor(deps: Parameters<typeof startNodeLiveness>[0]) {
    this.#deps = deps
  }

  touched(device: string): void {
    const view = this.#deps.book.view(device, this.#deps.clock.monoMs())
    this.#leave(device)
    if (view.silent !== null) return
    const bucket = Math.floor(deadlineMs(view) / BUCKET_MS) + 1
    this.#bucketOf.set(device, bucket)
    const devices = this.#buckets.get(bucket) ?? new Set()
    this.#buckets.set(bucket, devices.add(device))
    if (this.#armed === null || bucket < this.#armed.bucket) this.#arm()
  }

  stop(): void {
    this.#armed?.cancel()
    this.#armed = null
    this.#buckets.clear()
  }

  #leave(device: string): void {
    const bucket = this.#bucketOf.get(device)
    if (bucket === undefined) return
    this.#bucketOf.delete(device)
    const devices = this.#buckets.get(bucket)
    devices?.delete(device)
    if (devices?.size === 0) this.#buckets.delete(bucket)
  }

  #arm(): void {
    this.#armed?.cancel()
    this.#armed = null
    if (this.#buckets.size === 0) return
    let bucket = Number.POSITIVE_INFINITY
    for (const candidate of this.#buckets.keys()) bucket = Math.min(bucket, candidate)
    const inMs = Math.max(0, bucket * BUCKET_MS - this.#deps.clock.monoMs())
    this.#armed = { bucket, cancel: this.#deps.clock.after(inMs, () => this.#fire()) }
  }

  #fire(): void {
    this.#armed = null
    const { book, clock } = this.#deps
    const now = clock.monoMs()
    for (const [bucket, devices] of Array.from(this.#buckets)) {
      if (bucket * BUCKET_MS > now) continue
      for (const device of Array.from(devices)) {
        this.#leave(device)
        const view = book.peek(device)
        if (view === null) continue
        if (deadlineMs(view) > now) this.touched(device)
        else {
          view.silentAtMonoMs ??= now
          view.silent = cause('node.silent', { since: view.heardIso ?? 'the cloud started' })
          this.#deps.wentSilent(device)
        }
      }
    }
    this.#arm()
  }
}
