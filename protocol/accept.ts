/**
 * The accept rule: may this device apply that document? Reliability rule I3: a device never applies a pair lower than the
 * highest it has persisted. Nothing here ever answers "remove everything".
 */
import type { Version } from './desired-state.ts'

export interface Held extends Version {
  readonly digest: string
}

export type Acceptance =
  | { readonly verdict: 'apply' }
  /** same document again: re-send the report, change nothing */
  | { readonly verdict: 'duplicate' }
  /** same pair, other content: two brains; keep what runs, raise an alarm */
  | { readonly verdict: 'conflict'; readonly have: Held; readonly got: Held }
  /** older than what we hold */
  | { readonly verdict: 'stale'; readonly have: Held; readonly got: Held }

/** Negative when a is older than b. A higher epoch wins over any generation. */
export function compareVersions(a: Version, b: Version): number {
  return a.epoch !== b.epoch ? a.epoch - b.epoch : a.generation - b.generation
}

/**
 * @param floor highest pair ever persisted on this device; may be above `held` after a fall-back to a previous state file
 */
export function accept(held: Held | null, floor: Version | null, got: Held): Acceptance {
  if (held !== null) {
    const order = compareVersions(got, held)
    if (order === 0) return got.digest === held.digest ? { verdict: 'duplicate' } : { verdict: 'conflict', have: held, got }
    if (order < 0) return { verdict: 'stale', have: held, got }
  }
  if (floor !== null && compareVersions(got, floor) < 0) return { verdict: 'stale', have: { ...floor, digest: held?.digest ?? '' }, got }
  return { verdict: 'apply' }
}
