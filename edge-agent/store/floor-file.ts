/**
 * The floor: the highest (epoch, generation) pair this device ever took, in a tiny file of its own. It is raised before the
 * state that belongs to it is saved, so falling back to an older state file cannot make an old document acceptable again.
 */
import { compareVersions } from '../../protocol/accept.ts'
import type { Version } from '../../protocol/desired-state.ts'
import { int, obj, parse, required } from '../../protocol/shape.ts'
import { DurableFile } from './durable-file.ts'
import type { Decoded } from './durable-file.ts'
import type { Disk } from './disk.ts'

const FLOOR = obj({ epoch: required(int(1)), generation: required(int(1)) })

export class FloorFile {
  readonly #file: DurableFile<Version>
  #floor: Version | null = null

  constructor(disk: Disk, dir: string) {
    this.#file = new DurableFile<Version>({ disk, dir, name: 'floor.json', marker: '.floor-initialised', decode: decodeFloor })
  }

  /** null when there never was one. Rejects with StateUnknownError when it is lost. `fellBack`: the newest copy was damaged. */
  async load(): Promise<{ readonly floor: Version | null; readonly fellBack: boolean }> {
    const floor = await this.#file.read()
    this.#floor = floor
    return { floor, fellBack: floor !== null && this.#file.problems.length > 0 }
  }

  /** Durable when it resolves; a lower or equal pair changes nothing. */
  async raise(version: Version): Promise<void> {
    if (this.#floor !== null && compareVersions(version, this.#floor) <= 0) return
    await this.#file.write({ epoch: version.epoch, generation: version.generation })
    this.#floor = { epoch: version.epoch, generation: version.generation }
  }
}

function decodeFloor(body: unknown): Decoded<Version> {
  const parsed = parse(FLOOR, body)
  if (!parsed.ok) return { ok: false, why: 'it is not an epoch and a generation' }
  return { ok: true, value: { epoch: parsed.value.epoch, generation: parsed.value.generation } }
}
