/**
 * Which images may go. INVARIANTS
 * - Never an image of a container in any state, a desired or prefetched one, or the newest other one of a repository that is
 *   desired: that is what a rollback needs.
 * - Below the high watermark nothing goes; above it, images that this agent fetched, least recently used first, until the
 *   low watermark. Images of others go only when the disk is critically full.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { repositoryOf } from './image-reference.ts'
import type { ImageRecord } from './image-record.ts'
import type { DiskSpace } from './image-space.ts'
import type { ImagesWanted } from './model.ts'

export interface PresentImage {
  readonly id: string
  readonly references: readonly string[]
  /** bytes on disk; layers shared with other images are counted in each */
  readonly size: number
}

export interface GcInput {
  readonly present: readonly PresentImage[]
  /** ids of images of containers, also of other people's */
  readonly inUse: ReadonlySet<string>
  readonly wanted: ImagesWanted
  readonly record: ImageRecord
  readonly space: DiskSpace
  /** a pull found no room: everything that may go goes */
  readonly pressed?: boolean
}

/** Ids to remove, in this order. */
export function imagesToRemove(input: GcInput): readonly string[] {
  const { space, pressed = false, present } = input
  if (space.total <= 0) return []
  const usedPercent = 100 * (1 - space.free / space.total)
  if (!pressed && usedPercent < LIMITS.imageHighPercent.value) return []
  const critical = usedPercent >= LIMITS.imageCriticalPercent.value
  const kept = keptIds(input)
  const known = new Map(input.record.images.map((one) => [one.id, one]))
  const order = (id: string): number => known.get(id)?.used ?? -1
  const candidates = present
    .filter(({ id }) => !kept.has(id) && (critical || known.has(id)))
    // other people's images have no place in our order: they go last
    .toSorted((a, b) => Number(known.has(b.id)) - Number(known.has(a.id)) || order(a.id) - order(b.id))
  let toFree = pressed ? Infinity : space.total * ((usedPercent - LIMITS.imageLowPercent.value) / 100)
  const gone: string[] = []
  for (const { id, size } of candidates) {
    if (toFree <= 0) break
    gone.push(id)
    toFree -= size
  }
  return gone
}

function keptIds({ present, inUse, wanted, record }: GcInput): ReadonlySet<string> {
  const kept = new Set(inUse)
  const names = new Set([...wanted.prefetch, ...wanted.images.map(({ image }) => image)])
  for (const { id, references } of present) if (references.some((one) => names.has(one))) kept.add(id)
  for (const { id, reference } of record.images) if (names.has(reference) && isNewest(record, id, reference)) kept.add(id)
  const releases = new Set(wanted.images.map(({ image, release }) => `${image} ${release}`))
  for (const pin of record.pins) if (releases.has(`${pin.image} ${pin.release}`)) kept.add(pin.id)
  for (const repository of new Set(wanted.images.map(({ image }) => repositoryOf(image)))) {
    const previous = record.images
      .filter((one) => !kept.has(one.id) && repositoryOf(one.reference) === repository)
      .toSorted((a, b) => b.used - a.used)[0]
    if (previous !== undefined) kept.add(previous.id)
  }
  return kept
}

/** A tag that moved left older images under the same name. */
function isNewest(record: ImageRecord, id: string, reference: string): boolean {
  return record.images.filter((one) => one.reference === reference).toSorted((a, b) => b.used - a.used)[0]?.id === id
}
