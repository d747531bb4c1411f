/**
 * The resource store on SQLite: one file, write-ahead log, one process.
 *
 * INVARIANTS
 * - One transaction at a time: what comes while the disk works is the next one. Each promise resolves, and watchers are told, when
 *   its transaction is on the disk (wal-sync). If the commit fails, all of them reject and nothing of them remains.
 * - Nobody reads what is committed and not yet on the disk: reads wait for it, too.
 * - A disk that fails to keep what it took ends the store: what it holds is only known again after a restart.
 * - The transaction runs without an await: nobody reads between its first and last statement.
 * - `#revision` is what is committed; within a transaction it runs ahead and is put back if that fails. It is stored beside
 *   the objects, so that the deletion of the newest object does not bring it down after a restart.
 * - The file is locked exclusively: a second process on the same file would count revisions of its own.
 * - The write queue holds one entry for each caller that waits for its promise.
 */
import type { DatabaseSync } from 'node:sqlite'
import type { Change, Clock, Listed, ListOptions, Log, Store, StoredObject, WatchHandlers, Written } from '../ports.ts'
import type { KubeObject } from '../resources/object.ts'
import { migrate } from './migrations.ts'
import { readPage } from './page.ts'
import { closedError, messageOf, openFile, toError } from './sqlite-file.ts'
import { SqliteRows } from './sqlite-rows.ts'
import { WatchHub } from './watch-hub.ts'
import { WalSync } from './wal-sync.ts'
import { decideWrite, keyOf } from './write.ts'
import type { WriteRequest } from './write.ts'

export interface SqliteStoreDeps {
  readonly log: Log
  readonly clock: Clock
  /** changes kept for watchers; default LIMITS.watchHistory */
  readonly history?: number
  /** default: WalSync; a test holds it or lets it fail */
  readonly disk?: Pick<WalSync, 'sync' | 'close'>
}

/**
 * Opens or creates the store, and brings its schema up to date. The folder must exist; the file is made readable for its owner
 * only, since it holds Secrets.
 * @param path a file, or ':memory:' for a store that is gone when closed
 * @throws when the file cannot be opened, is in use by another process, or was written by a newer program
 */
export function openSqliteStore(path: string, deps: SqliteStoreDeps): Store {
  const started = deps.clock.monoMs()
  const db = openFile(path)
  try {
    const schema = migrate(db)
    const store = new SqliteStore(db, path === ':memory:' ? null : (deps.disk ?? new WalSync(path)), deps)
    const ms = Math.round(deps.clock.monoMs() - started)
    deps.log.info('store opened', { path, schemaFrom: schema.from, schema: schema.to, revision: store.committed(), ms })
    return store
  } catch (error) {
    db.close()
    throw error
  }
}

interface Job {
  /** within the transaction; the result tells the caller, after the commit */
  readonly run: () => () => void
  readonly fail: (error: Error) => void
}

class SqliteStore implements Store {
  readonly #db: DatabaseSync
  readonly #rows: SqliteRows
  readonly #hub: WatchHub
  readonly #log: Log
  #revision: number
  /** null = a store in memory */
  readonly #disk: Pick<WalSync, 'sync' | 'close'> | null
  #jobs: Job[] = []
  #changes: Change[] = []
  #wrote = false
  #closed = false
  /** resolves when the transaction that is on its way to the disk has ended, one way or the other */
  #syncing: Promise<void> | null = null
  #failed: Error | null = null

  constructor(db: DatabaseSync, disk: Pick<WalSync, 'sync' | 'close'> | null, deps: SqliteStoreDeps) {
    this.#db = db
    this.#disk = disk
    this.#rows = new SqliteRows(db)
    this.#log = deps.log
    this.#revision = this.#rows.readRevision()
    this.#hub = new WatchHub(this.#revision, {
      history: deps.history,
      onHandlerError: (error) => deps.log.error('a watch handler threw; its watch was ended', { error: messageOf(error) }),
    })
  }

  committed(): number {
    return this.#revision
  }

  get(resource: string, namespace: string, name: string): Promise<StoredObject | null> {
    return this.#read(() => this.#rows.find(resource, { namespace, name }))
  }

  list(resource: string, options: ListOptions = {}): Promise<Listed> {
    return this.#read(() => readPage(this.#rows, this.#revision, (revision) => this.#hub.since(revision), resource, options))
  }

  create(resource: string, object: KubeObject): Promise<Written> {
    return this.#queue(() => this.#write({ verb: 'create', resource, key: keyOf(object), object }))
  }

  update(resource: string, object: KubeObject, expected: number | null): Promise<Written> {
    return this.#queue(() => this.#write({ verb: 'update', resource, key: keyOf(object), object, expected }))
  }

  delete(resource: string, namespace: string, name: string, expected: number | null): Promise<Written> {
    return this.#queue(() => this.#write({ verb: 'delete', resource, key: { namespace, name }, expected }))
  }

  watch(resource: string | null, from: number | null, handlers: WatchHandlers): () => void {
    return this.#hub.watch(resource, from, handlers)
  }

  revision(): Promise<number> {
    return this.#read(() => this.#revision)
  }

  getFact(name: string): Promise<string | null> {
    return this.#read(() => this.#rows.readFact(name))
  }

  setFact(name: string, value: string, expected: string | null): Promise<boolean> {
    return this.#queue(() => {
      if (this.#rows.readFact(name) !== expected) return () => false
      this.#rows.writeFact(name, value)
      this.#wrote = true
      return () => true
    })
  }

  async close(): Promise<void> {
    if (this.#closed) return
    this.#closed = true
    while (this.#syncing !== null || (this.#jobs.length > 0 && this.#failed === null)) {
      this.#flush()
      await this.#syncing
    }
    this.#hub.close()
    await this.#disk?.close()
    this.#db.close()
  }

  async #read<T>(work: () => T): Promise<T> {
    if (this.#closed) throw closedError()
    while (this.#syncing !== null) await this.#syncing
    if (this.#failed !== null) throw this.#failed
    return work()
  }

  /** @param work runs in the transaction and gives the answer, or a reason to throw that is the caller's own */
  #queue<T>(work: () => () => T): Promise<T> {
    if (this.#closed || this.#failed !== null) return Promise.reject(this.#failed ?? closedError())
    return new Promise<T>((resolve, reject) => {
      const run = (): (() => void) => {
        const answer = work()
        return () => {
          try {
            resolve(answer())
          } catch (error) {
            reject(toError(error))
          }
        }
      }
      this.#jobs.push({ run, fail: reject })
      if (this.#jobs.length === 1 && this.#syncing === null) setImmediate(() => this.#flush())
    })
  }

  #flush(): void {
    const jobs = this.#jobs
    if (jobs.length === 0 || this.#syncing !== null) return
    this.#jobs = []
    const answers = this.#transact(jobs)
    if (answers === null) return
    const changes = this.#changes
    const done = (): void => {
      this.#hub.publish(changes)
      for (const answer of answers) answer()
    }
    if (this.#disk === null || !this.#wrote) return done()
    this.#syncing = this.#disk.sync().then(
      () => this.#synced(done),
      (error: unknown) => this.#broken(toError(error), jobs),
    )
  }

  #synced(done: () => void): void {
    this.#syncing = null
    done()
    if (this.#jobs.length > 0) setImmediate(() => this.#flush())
  }

  #broken(error: Error, jobs: readonly Job[]): void {
    this.#syncing = null
    this.#failed = new Error(`the disk did not keep what the store wrote: ${error.message}; restart the cloud`, { cause: error })
    this.#log.error('the disk did not keep what was written; nothing is read or written any more until the cloud is restarted', {
      error: error.message,
    })
    for (const job of [...jobs, ...this.#jobs]) job.fail(this.#failed)
    this.#jobs = []
  }

  /** All jobs or none. null when none: they were told. */
  #transact(jobs: readonly Job[]): readonly (() => void)[] | null {
    const before = this.#revision
    this.#changes = []
    this.#wrote = false
    try {
      this.#rows.begin()
      const answers = jobs.map((job) => job.run())
      if (this.#revision !== before) this.#rows.writeRevision(this.#revision)
      this.#rows.commit()
      return answers
    } catch (error) {
      this.#revision = before
      this.#rows.rollback()
      this.#log.error('a transaction failed; its writes were refused', { writes: jobs.length, error: messageOf(error) })
      for (const job of jobs) job.fail(toError(error))
      return null
    }
  }

  /** Within the transaction. What the request itself makes impossible (a cycle in the object) fails that request only. */
  #write(request: WriteRequest): () => Written {
    const current = this.#rows.find(request.resource, request.key)
    const revision = this.#revision + 1
    let decided
    try {
      decided = decideWrite(request, current, revision)
    } catch (error) {
      return () => {
        throw error
      }
    }
    const { answer, change } = decided
    if (change !== null) {
      if (change.type === 'DELETED') this.#rows.remove(change.object)
      else this.#rows.put(change.object)
      this.#revision = revision
      this.#wrote = true
      this.#changes.push(change)
    }
    return () => answer
  }
}
