/**
 * The store in memory: the same contract without a disk. For simulations and unit tests: no timers and no I/O, so it runs under
 * any clock; a write happens in the call that asks for it.
 */
import type { Listed, ListOptions, Store, StoredObject, WatchHandlers, Written } from '../ports.ts'
import type { KubeObject } from '../resources/object.ts'
import { readPage } from './page.ts'
import { WatchHub } from './watch-hub.ts'
import { compareKeys, decideWrite, keyOf } from './write.ts'
import type { ObjectKey, WriteRequest } from './write.ts'

export interface MemoryStoreOptions {
  /** changes kept for watchers; default LIMITS.watchHistory */
  readonly history?: number
  /** a watch handler threw; default: rethrown from a microtask, so that a test sees it */
  readonly onHandlerError?: (error: unknown) => void
}

export function openMemoryStore(options: MemoryStoreOptions = {}): Store {
  return new MemoryStore(options)
}

class MemoryStore implements Store {
  readonly #objects = new Map<string, Map<string, StoredObject>>()
  /** sorted lists by resource, dropped by a write to the resource */
  readonly #sorted = new Map<string, readonly StoredObject[]>()
  readonly #facts = new Map<string, string>()
  readonly #hub: WatchHub
  #revision = 0
  #closed = false

  constructor(options: MemoryStoreOptions) {
    this.#hub = new WatchHub(0, { history: options.history, onHandlerError: options.onHandlerError ?? rethrow })
  }

  get(resource: string, namespace: string, name: string): Promise<StoredObject | null> {
    return this.#answer(() => this.#find(resource, { namespace, name }))
  }

  list(resource: string, options: ListOptions = {}): Promise<Listed> {
    return this.#answer(() => readPage(this, this.#revision, (revision) => this.#hub.since(revision), resource, options))
  }

  create(resource: string, object: KubeObject): Promise<Written> {
    return this.#answer(() => this.#write({ verb: 'create', resource, key: keyOf(object), object }))
  }

  update(resource: string, object: KubeObject, expected: number | null): Promise<Written> {
    return this.#answer(() => this.#write({ verb: 'update', resource, key: keyOf(object), object, expected }))
  }

  delete(resource: string, namespace: string, name: string, expected: number | null): Promise<Written> {
    return this.#answer(() => this.#write({ verb: 'delete', resource, key: { namespace, name }, expected }))
  }

  watch(resource: string | null, from: number | null, handlers: WatchHandlers): () => void {
    return this.#hub.watch(resource, from, handlers)
  }

  revision(): Promise<number> {
    return this.#answer(() => this.#revision)
  }

  getFact(name: string): Promise<string | null> {
    return this.#answer(() => this.#facts.get(name) ?? null)
  }

  setFact(name: string, value: string, expected: string | null): Promise<boolean> {
    return this.#answer(() => {
      if ((this.#facts.get(name) ?? null) !== expected) return false
      this.#facts.set(name, value)
      return true
    })
  }

  close(): Promise<void> {
    this.#closed = true
    this.#hub.close()
    return Promise.resolve()
  }

  rows(resource: string, namespace: string | null, after: ObjectKey | null, limit: number | null): readonly StoredObject[] {
    const rows = this.#inside(resource, namespace, after)
    return limit === null ? rows : rows.slice(0, limit)
  }

  count(resource: string, namespace: string | null, after: ObjectKey | null): number {
    return this.#inside(resource, namespace, after).length
  }

  #inside(resource: string, namespace: string | null, after: ObjectKey | null): readonly StoredObject[] {
    let sorted = this.#sorted.get(resource)
    if (sorted === undefined) {
      sorted = [...(this.#objects.get(resource)?.values() ?? [])].sort(compareKeys)
      this.#sorted.set(resource, sorted)
    }
    if (namespace === null && after === null) return sorted
    return sorted.filter((object) => (namespace === null || object.namespace === namespace) && (after === null || compareKeys(object, after) > 0))
  }

  #find(resource: string, key: ObjectKey): StoredObject | null {
    return this.#objects.get(resource)?.get(`${key.namespace}/${key.name}`) ?? null
  }

  #write(request: WriteRequest): Written {
    const { answer, change } = decideWrite(request, this.#find(request.resource, request.key), this.#revision + 1)
    if (change === null) return answer
    const kept = this.#objects.get(request.resource) ?? new Map<string, StoredObject>()
    const key = `${request.key.namespace}/${request.key.name}`
    if (change.type === 'DELETED') kept.delete(key)
    else kept.set(key, change.object)
    this.#objects.set(request.resource, kept)
    this.#sorted.delete(request.resource)
    this.#revision = change.object.revision
    this.#hub.publish([change])
    return answer
  }

  #answer<T>(work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(new Error('the store is closed'))
    try {
      return Promise.resolve(work())
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)))
    }
  }
}

function rethrow(error: unknown): void {
  queueMicrotask(() => {
    throw error
  })
}
