/**
 * What was fetched shortly before the power went may be on the disk in name only: engines do not sync layers (moby#23184). Such
 * images and parts of images are read back once, before they are built upon. INVARIANT: what this process fetched itself, and
 * what has been on the disk for a while with the power on, is never read for this.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { noteDamaged, noteProven } from '../core/image-record.ts'
import type { Clock, Log } from '../ports.ts'
import type { ImageBook } from './image-book.ts'
import type { ImageEngine } from './image-engine.ts'
import { PARTIAL } from './image-transfer.ts'

export interface ImageProof {
  /** this process has just fetched it */
  fetched(id: string): void
  /** before something is made of it: reads it back when it is in doubt, and records what it finds */
  check(id: string, image: string): Promise<void>
  /** the same before something that was made of it starts again: tries that did not end are those of another pull */
  checkMade(id: string, image: string): Promise<void>
  /** once: removes parts of images that are not whole, so that they are fetched again */
  checkParts(): Promise<void>
}

export function imageProof(engine: ImageEngine, clock: Clock, book: ImageBook, log: Log): ImageProof {
  const here = new Set<string>()
  let parts: Promise<void> | null = null
  const damaged = (image: string, why: string): void => log.error('an image was damaged when the power went', { image, why })
  const isUnproven = (id: string): boolean => book.record().images.some((one) => one.id === id && one.unproven === true)
  const readBack = async (id: string, image: string): Promise<void> => {
    if (here.has(id)) return
    const why = await engine.verify(id)
    if (why !== null) damaged(image, why)
    else here.add(id)
    await book.update((record) => (why === null ? noteProven(record, id) : noteDamaged(record, id, image)))
  }
  return {
    fetched(id) {
      here.add(id)
      clock.at(clock.now().monoMs + LIMITS.imageProofMs.value, () => void book.update((record) => noteProven(record, id)))
    },
    async check(id, image) {
      // an attempt without an end: the power went between the image and its record
      if (isUnproven(id) || book.record().attempts[image] !== undefined) await readBack(id, image)
    },
    async checkMade(id, image) {
      if (isUnproven(id)) await readBack(id, image)
    },
    checkParts: () =>
      (parts ??= (async () => {
        for (const { id, references } of await engine.list()) {
          const name = references.find((one) => one.startsWith(`${PARTIAL}:`))
          const why = name === undefined ? null : await engine.verify(id)
          if (name === undefined || why === null) continue
          damaged(name, why)
          await engine.removeImage(name)
          await engine.removeImage(id)
        }
      })()),
  }
}
