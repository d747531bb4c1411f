/**
 * The agent's memory: lowdb over our own durable adapter, behind the StateStore port.
 *
 * INVARIANTS
 * - One save runs at a time; while it runs, only the newest of the waiting ones is kept.
 * - A caller's promise resolves only when its state or a newer one is durable, and rejects when that write failed.
 * - The floor is durable before the state that raised it is written.
 * - Nothing is written before the files were read: generations continue, and a damaged file is set aside first.
 */
import { Low } from 'lowdb'
import { compareVersions } from '../../protocol/accept.ts'
import type { Version } from '../../protocol/desired-state.ts'
import type { Loaded, SavedState } from '../core/saved-model.ts'
import type { Log, StateStore } from '../ports.ts'
import { DurableFile, StateUnknownError, StorageError } from './durable-file.ts'
import { nodeDisk } from './disk.ts'
import type { Disk } from './disk.ts'
import { FloorFile } from './floor-file.ts'
import { fromStored, toStored } from './saved-state.ts'
import type { StoredState } from './saved-state.ts'

export interface StateStoreDeps {
  readonly log: Log
  readonly disk?: Disk
}

interface Job {
  state: SavedState
  version: Version | null
  readonly done: Promise<void>
}

/** Opens nothing yet: the directory is made at the first save and read at the first load. `save` rejects with StorageError. */
export function openStateStore(dir: string, deps: StateStoreDeps): StateStore {
  return new DurableStateStore(dir, deps)
}

class DurableStateStore implements StateStore {
  readonly #file: DurableFile<StoredState>
  readonly #low: Low<StoredState>
  readonly #floorFile: FloorFile
  readonly #log: Log
  #firstLoad: Promise<Loaded> | null = null
  #waiting: Job | null = null
  #last: Promise<void> = Promise.resolve()

  constructor(dir: string, deps: StateStoreDeps) {
    const disk = deps.disk ?? nodeDisk
    this.#log = deps.log
    this.#file = new DurableFile<StoredState>({ disk, dir, name: 'state.json', marker: '.initialised', decode: fromStored })
    this.#low = new Low<StoredState>(this.#file, toStored(NOTHING))
    this.#floorFile = new FloorFile(disk, dir)
  }

  load(): Promise<Loaded> {
    this.#firstLoad ??= this.#read()
    return this.#firstLoad
  }

  save(state: SavedState, version: Version | null): Promise<void> {
    const waiting = this.#waiting
    if (waiting !== null) {
      waiting.state = state
      waiting.version = higher(waiting.version, version)
      return waiting.done
    }
    const done: Promise<void> = this.#last.then(() => {
      this.#waiting = null
      return this.#write(job.state, job.version)
    })
    const job: Job = { state, version, done }
    this.#waiting = job
    // the chain goes on after a failed save; the failure itself is the caller's
    this.#last = done.catch(() => undefined)
    return done
  }

  async #write(state: SavedState, version: Version | null): Promise<void> {
    await this.load()
    const stored = toStored(state)
    // what is written must be readable again: a state that the check refuses would be lost at the next start
    const readable = fromStored(stored)
    if (!readable.ok) throw new StorageError('state.json', new Error(`this agent could not read it again: ${readable.why}`))
    const floor = higher(version, state.floor)
    if (floor !== null) await this.#floorFile.raise(floor)
    this.#low.data = stored
    await this.#low.write()
  }

  async #read(): Promise<Loaded> {
    const floor = await this.#readFloor()
    const empty = this.#low.data
    try {
      await this.#low.read()
    } catch (error) {
      if (!(error instanceof StateUnknownError)) throw error
      this.#log.error('the saved state cannot be read: everything that runs is kept', { why: error.message })
      return { kind: 'unknown', floor: floor.version, why: error.message }
    }
    const stored = this.#low.data
    if (stored === empty) {
      if (floor.version === null && !floor.lost) return { kind: 'none' }
      return { kind: 'unknown', floor: floor.version, why: 'a desired state was taken once, but there is no state file' }
    }
    const fellBack = this.#file.problems.length > 0
    if (fellBack) this.#log.warn('the newest state file is damaged: the previous one is used', { why: this.#file.problems.join('; ') })
    const highest = higher(higher(floor.version, stored.floor), stored.desired)
    return { kind: 'state', state: { ...savedOf(stored), floor: highest }, fellBack }
  }

  async #readFloor(): Promise<{ readonly version: Version | null; readonly lost: boolean }> {
    try {
      const { floor, fellBack } = await this.#floorFile.load()
      if (fellBack) this.#log.warn('the newest floor file is damaged: the previous one is used')
      return { version: floor, lost: false }
    } catch (error) {
      if (!(error instanceof StateUnknownError)) throw error
      this.#log.warn('the floor file cannot be read: the floor of the saved state is used', { why: error.message })
      return { version: null, lost: true }
    }
  }
}

const NOTHING: SavedState = { desired: null, floor: null, ledger: {} }

function savedOf({ v: _, ...saved }: StoredState): SavedState {
  return saved
}

function higher(a: Version | null, b: Version | null): Version | null {
  if (a === null || b === null) return pair(a ?? b)
  return pair(compareVersions(a, b) >= 0 ? a : b)
}

/** only the two numbers, whatever document they came from */
function pair(version: Version | null): Version | null {
  return version === null ? null : { epoch: version.epoch, generation: version.generation }
}
