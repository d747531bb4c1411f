/** Removes images that nothing needs, as `imagesToRemove` says, and the parts of pulls that nobody waits for. */
import { imagesToRemove } from '../core/image-gc.ts'
import { forgetImages } from '../core/image-record.ts'
import type { DiskSpace } from '../core/image-space.ts'
import type { ImagesWanted } from '../core/model.ts'
import type { Log } from '../ports.ts'
import type { ImageBook } from './image-book.ts'
import type { ImageEngine } from './image-engine.ts'
import type { Staging } from './image-staging.ts'
import { PARTIAL } from './image-transfer.ts'

export interface SweepParts {
  readonly engine: ImageEngine
  readonly staging: Staging
  readonly book: ImageBook
  readonly log: Log
  space(dataRoot: string): Promise<DiskSpace | null>
}

/** @param pressed a pull found no room @param pulling parts are in use and stay */
export async function sweepImages(parts: SweepParts, wanted: ImagesWanted, pressed: boolean, pulling: boolean): Promise<void> {
  const { engine, staging, book, log, space } = parts
  const { dataRoot } = await engine.facts()
  const found = await space(dataRoot)
  if (found === null) return
  const [present, used] = await Promise.all([engine.list(), engine.usedBy()])
  const isPartial = (references: readonly string[]): boolean => references.some((one) => one.startsWith(`${PARTIAL}:`))
  const whole = present.filter(({ references }) => !isPartial(references))
  const record = forgetImages(
    book.record(),
    new Set(
      book
        .record()
        .images.map(({ id }) => id)
        .filter((id) => !present.some((one) => one.id === id)),
    ),
  )
  const inUse = new Set(used.map(({ imageId }) => imageId))
  const gone = new Set<string>()
  for (const id of imagesToRemove({ present: whole, inUse, wanted, record, space: found, pressed })) {
    const references = whole.find((one) => one.id === id)?.references ?? []
    // by each of its names: without force the engine does not remove an image of several tags by its id
    for (const name of [...references.filter((one) => !one.includes('@') && !one.startsWith('<none>')), id]) await engine.removeImage(name)
    if ((await engine.inspect(id)) === null) gone.add(id)
  }
  const waits = Object.keys(record.attempts).some((name) => wanted.prefetch.includes(name) || wanted.images.some(({ image }) => image === name))
  if (!pulling && !waits) {
    for (const { references } of present) for (const name of references) if (name.startsWith(`${PARTIAL}:`)) await engine.removeImage(name)
    await staging.clear()
  }
  if (gone.size > 0) log.info('images that nothing needs were removed', { images: gone.size, pressed })
  await book.update(() => forgetImages(record, gone))
}
