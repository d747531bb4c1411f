/** Does an image fit on the disk? Asked before the pull, with numbers for people. Sizes in bytes. */
import { LIMITS } from '../../protocol/limits.ts'

export interface DiskSpace {
  readonly free: number
  readonly total: number
}

/** Kept free of images whatever happens. */
export function reserveOf({ total }: DiskSpace): number {
  return Math.min(LIMITS.imageReserveBytes.value, Math.floor((total * LIMITS.imageReservePercent.value) / 100))
}

/** Layers grow to about this many times their compressed size. */
const UNPACKED = 2.5

/**
 * What fetching needs at its peak: every missing layer unpacked, and the largest twice more, compressed: as it was
 * downloaded and as the engine copies it.
 * @param missing compressed sizes of the layers that are not on the device
 */
export function bytesNeeded(missing: readonly number[]): number {
  const sum = missing.reduce((total, size) => total + size, 0)
  return Math.ceil(sum * UNPACKED + 2 * Math.max(0, ...missing))
}

/** null = it fits; else why not, with sizes. */
export function whyNoRoom(missing: readonly number[], space: DiskSpace): string | null {
  const needs = bytesNeeded(missing)
  const reserve = reserveOf(space)
  if (needs === 0 || needs + reserve <= space.free) return null
  return `it needs about ${inMb(needs)} MB, ${inMb(space.free)} MB are free and ${inMb(reserve)} MB of them are kept as a reserve`
}

function inMb(bytes: number): string {
  return String(Math.round(bytes / 1_000_000))
}
