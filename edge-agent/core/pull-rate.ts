/** How fast which image may come now, and when the next bytes may. */
import type { ImageRate, PullRate } from '../../protocol/pull-rate.ts'
import { slower } from '../../protocol/pull-rate.ts'
import type { LinkClass } from '../../protocol/link.ts'

/** Image -> bytes a second. One that is named twice has the slower of both. */
export function ratesOn(linkClass: LinkClass, rates: readonly ImageRate[]): Readonly<Record<string, number>> {
  const byImage = new Map<string, PullRate>()
  for (const { image, ...rate } of rates) byImage.set(image, slower(rate, byImage.get(image) ?? {}))
  return Object.fromEntries([...byImage].flatMap(([image, rate]) => (rate[linkClass] === undefined ? [] : [[image, rate[linkClass]] as const])))
}

export interface Grant {
  /** these bytes may go on after so long */
  readonly waitMs: number
  /** before this moment nothing more may */
  readonly nextMs: number
}

/** A bucket that holds nothing: what was not used is not saved up, so that no burst fills a thin line. Monotonic ms. */
export function grantBytes(nextMs: number, nowMs: number, bytes: number, bytesPerSecond: number): Grant {
  const from = Math.max(nextMs, nowMs)
  return { waitMs: from - nowMs, nextMs: from + (bytes * 1000) / bytesPerSecond }
}

/**
 * How much is asked of a registry at a time. What was asked for comes as fast as the line can, into the buffers of the kernel: megabytes
 * of it (measured: 2.6 MB while 0.2 MB were read). So no more is under way than two seconds' worth, or what a request is worth.
 */
export function sliceOf(bytesPerSecond: number): number {
  return Math.max(64 * 1024, 2 * bytesPerSecond)
}

/** Cut so small that a limit which is lifted is felt at once, and a slow one does not go in jumps. */
export function pieceOf(bytesPerSecond: number): number {
  return Math.max(256, Math.floor(bytesPerSecond / 4))
}
