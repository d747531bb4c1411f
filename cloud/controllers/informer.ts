/**
 * All objects of one kind, parsed and indexed, kept current by list and watch. INVARIANTS: an object never goes back to an
 * older revision; what this process wrote itself is visible as soon as the write resolved (`absorb`), so no controller
 * acts twice on one observation; a watch that fell behind is replaced by a list whose differences are told as changes; a list
 * that fails is tried again until it succeeds or the informer is stopped.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Change, Clock, Log, Store, StoredObject } from '../ports.ts'

export type ChangeHandler<O> = (next: O | null, previous: O | null) => void

export interface Informer<O extends KubeObject> {
  readonly resource: string
  get(key: string): O | undefined
  values(): readonly O[]
  /** bound, so that it can be handed on */
  readonly size: () => number
  /** objects whose index function named this value */
  by(index: string, value: string): readonly O[]
  /** `next` null = it is gone */
  onChange(handler: ChangeHandler<O>): void
  /** takes in a state that a write returned */
  absorb(stored: StoredObject): void
  absorbDeletion(stored: StoredObject): void
  /** resolves after the first list */
  start(): Promise<void>
  stop(): void
}

export interface InformerOptions<O extends KubeObject> {
  readonly store: Store
  readonly resource: string
  readonly log: Log
  readonly clock: Pick<Clock, 'after'>
  readonly indexes?: Readonly<Record<string, (object: O) => readonly string[]>>
}

export function createInformer<O extends KubeObject>(options: InformerOptions<O>): Informer<O> {
  return new ListWatch(options)
}

class ListWatch<O extends KubeObject> implements Informer<O> {
  readonly resource: string
  readonly #options: InformerOptions<O>
  readonly #objects = new Map<string, Held<O>>()
  /** key -> revision of a deletion that the watch has not told yet */
  readonly #gone = new Map<string, number>()
  readonly #indexes = new Map<string, Map<string, Set<string>>>()
  readonly #handlers: ChangeHandler<O>[] = []
  readonly size = (): number => this.#objects.size
  #endWatch: (() => void) | null = null
  #stopped = false
  #cancelRetry: (() => void) | null = null

  constructor(options: InformerOptions<O>) {
    this.#options = options
    this.resource = options.resource
    for (const name of Object.keys(options.indexes ?? {})) this.#indexes.set(name, new Map())
  }

  get(key: string): O | undefined {
    return this.#objects.get(key)?.object
  }

  values(): readonly O[] {
    return [...this.#objects.values()].map((entry) => entry.object)
  }

  by(index: string, value: string): readonly O[] {
    const keys = this.#indexes.get(index)?.get(value) ?? []
    return [...keys].map((key) => this.get(key)).filter((object) => object !== undefined)
  }

  onChange(handler: ChangeHandler<O>): void {
    this.#handlers.push(handler)
  }

  absorb(stored: StoredObject): void {
    this.#put(`${stored.namespace}/${stored.name}`, stored.revision, stored)
  }

  absorbDeletion(stored: StoredObject): void {
    const key = `${stored.namespace}/${stored.name}`
    if ((this.#gone.get(key) ?? 0) < stored.revision) this.#gone.set(key, stored.revision)
    this.#drop(key, stored.revision)
  }

  async start(): Promise<void> {
    const seen = new Set<string>()
    let from = 0
    for (let continueFrom: string | null = null, first = true; first || continueFrom !== null; first = false) {
      const page = await this.#options.store.list(this.#options.resource, continueFrom === null ? {} : { continueFrom })
      if (!page.ok) return this.start()
      from = page.revision
      for (const stored of page.items) {
        seen.add(`${stored.namespace}/${stored.name}`)
        this.absorb(stored)
      }
      continueFrom = page.continueFrom
    }
    for (const [key, entry] of this.#objects) if (!seen.has(key) && entry.revision <= from) this.#drop(key, from)
    if (this.#stopped) return
    this.#endWatch?.()
    this.#endWatch = this.#options.store.watch(this.#options.resource, from, {
      onChange: (change) => this.#take(change),
      onExpired: () => this.#relist(),
    })
  }

  stop(): void {
    this.#stopped = true
    this.#endWatch?.()
    this.#endWatch = null
    this.#cancelRetry?.()
    this.#cancelRetry = null
  }

  #relist(failures = 0): void {
    if (this.#stopped) return
    this.#options.log.warn('a watch fell behind, its kind is listed again', { resource: this.resource })
    this.start().catch((error: unknown) => {
      const inMs = Math.min(LIMITS.workRetryMaxMs.value, LIMITS.workRetryFirstMs.value * 2 ** Math.min(failures, 20))
      const why = error instanceof Error ? error.message : String(error)
      this.#options.log.error('listing again failed, it is tried again', { resource: this.resource, why, inMs })
      if (!this.#stopped) this.#cancelRetry = this.#options.clock.after(inMs, () => this.#relist(failures + 1))
    })
  }

  #take({ type, object }: Change): void {
    const key = `${object.namespace}/${object.name}`
    if (type === 'DELETED') {
      if ((this.#gone.get(key) ?? 0) <= object.revision) this.#gone.delete(key)
      this.#drop(key, object.revision)
      return
    }
    this.absorb(object)
  }

  #put(key: string, revision: number, stored: StoredObject): void {
    if (revision <= (this.#gone.get(key) ?? 0)) return
    const before = this.#objects.get(key)
    if (before !== undefined && before.revision >= revision) return
    const object = JSON.parse(stored.json) as O
    const indexed = this.#valuesOf(object)
    this.#objects.set(key, { object, revision, indexed })
    this.#reindex(key, before?.indexed ?? [], indexed)
    this.#tell(object, before?.object ?? null)
  }

  #drop(key: string, revision: number): void {
    const before = this.#objects.get(key)
    if (before === undefined || before.revision > revision) return
    this.#objects.delete(key)
    this.#reindex(key, before.indexed, [])
    this.#tell(null, before.object)
  }

  #tell(next: O | null, previous: O | null): void {
    for (const handler of this.#handlers) handler(next, previous)
  }

  #valuesOf(object: O): readonly (readonly string[])[] {
    return Object.values(this.#options.indexes ?? {}).map((of) => of(object))
  }

  /** Most changes leave every index as it is. */
  #reindex(key: string, before: readonly (readonly string[])[], after: readonly (readonly string[])[]): void {
    Object.keys(this.#options.indexes ?? {}).forEach((name, at) => {
      const [old, now] = [before[at] ?? [], after[at] ?? []]
      if (old.length === now.length && old.every((value, index) => value === now[index])) return
      const index = this.#indexes.get(name)
      for (const value of old) {
        const keys = index?.get(value)
        keys?.delete(key)
        if (keys?.size === 0) index?.delete(value)
      }
      for (const value of now) {
        const keys = index?.get(value)
        if (keys === undefined) index?.set(value, new Set([key]))
        else keys.add(key)
      }
    })
  }
}

interface Held<O> {
  readonly object: O
  readonly revision: number
  /** what each index function named, in their order */
  readonly indexed: readonly (readonly string[])[]
}
