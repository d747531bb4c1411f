/**
 * The resource store on SQLite: one file, write-ahead log, one process.
 *
 * INVARIANTS
 * - Writes of one turn of the event loop share one transaction; while many write, those of several turns do, so that waiting
 *   for the disk never takes more than half of the time. Each promise resolves after its commit, and with
 *   `synchronous=FULL` a commit is on disk. If the commit fails, all of them reject and nothing of them remains.
 * - The transaction runs without an await: nobody reads between its first and last statement.
 * - `#revision` is what is committed; within a transaction it runs ahead and is put back if that fails. It is stored beside
 *   the objects, so that the deletion of the newest object does not bring it down after a restart.
 * - The file is locked exclusively: a second process on the same file would count revisions of its own.
 * - The write queue holds one entry for each caller that waits for its promise.
 */
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import type { Change, Clock, Listed, ListOptions, Log, Store, StoredObject, WatchHandlers, Written } from '../ports.ts'
import type { KubeObject } from '../resources/object.ts'
import { CommitPace } from './commit-pace.ts'
import { migrate } from './migrations.ts'
import { readPage } from './page.ts'
import { SqliteRows } from './sqlite-rows.ts'
import { WatchHub } from './watch-hub.ts'
import { decideWrite, keyOf } from './write.ts'
import type { WriteRequest } from './write.ts'

export interface SqliteStoreDeps {
  readonly log: Log
  readonly clock: Clock
  /** changes kept for watchers; default LIMITS.watchHistory */
  readonly history?: number
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
    const store = new SqliteStore(db, deps)
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
  #jobs: Job[] = []
  #changes: Change[] = []
  #closed = false
  readonly #clock: Clock
  readonly #pace = new CommitPace()

  constructor(db: DatabaseSync, deps: SqliteStoreDeps) {
    this.#db = db
    this.#clock = deps.clock
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
      return () => true
    })
  }

  close(): Promise<void> {
    if (this.#closed) return Promise.resolve()
    this.#flush()
    this.#closed = true
    this.#hub.close()
    this.#db.close()
    return Promise.resolve()
  }

  #read<T>(work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closedError())
    try {
      return Promise.resolve(work())
    } catch (error) {
      return Promise.reject(toError(error))
    }
  }

  /** @param work runs in the transaction and gives the answer, or a reason to throw that is the caller's own */
  #queue<T>(work: () => () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closedError())
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
      if (this.#jobs.length === 1) this.#planFlush()
    })
  }

  #planFlush(): void {
    const waitMs = this.#pace.waitMs(this.#clock.monoMs())
    if (waitMs > 0) this.#clock.after(waitMs, () => this.#flush())
    else setImmediate(() => this.#flush())
  }

  #flush(): void {
    const jobs = this.#jobs
    if (jobs.length === 0 || this.#closed) return
    this.#jobs = []
    const began = this.#clock.monoMs()
    const answers = this.#transact(jobs)
    this.#pace.committed(jobs.length, began, this.#clock.monoMs())
    if (answers === null) return
    this.#hub.publish(this.#changes)
    for (const answer of answers) answer()
  }

  /** All jobs or none. null when none: they were told. */
  #transact(jobs: readonly Job[]): readonly (() => void)[] | null {
    const before = this.#revision
    this.#changes = []
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
      this.#changes.push(change)
    }
    return () => answer
  }
}

function openFile(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600))
    const db = new DatabaseSync(path)
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536')
    return db
  } catch (error) {
    const hint = 'is the folder there and writable, and no other cloud running on it?'
    throw new Error(`cannot open the store at ${path}: ${messageOf(error)}; ${hint}`, { cause: error })
  }
}

function closedError(): Error {
  return new Error('the store is closed')
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error))
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
