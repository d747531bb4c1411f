import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Clock, Log } from '../cloud/ports.ts'
import { openSqliteStore } from '../cloud/store/sqlite-store.ts'
import { settled, stored, thing } from './contract/store-tools.ts'
import { storeContract } from './contract/store.contract.ts'

const SILENT: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const STOPPED: Clock = { nowMs: () => 0, monoMs: () => 0, after: () => () => undefined }
const DEPS = { log: SILENT, clock: STOPPED }

/** Takes its time until it is told to go on. */
class SlowDisk {
  syncs = 0
  isClosed = false
  #waiting: { resolve(): void; reject(error: Error): void } | null = null

  sync(): Promise<void> {
    this.syncs += 1
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  close(): Promise<void> {
    this.isClosed = true
    return Promise.resolve()
  }

  async asked(times: number): Promise<void> {
    while (this.syncs < times) await settled()
  }

  release(): void {
    this.#waiting?.resolve()
  }

  fail(error: Error): void {
    this.#waiting?.reject(error)
  }
}

storeContract('sqlite store', (options = {}) => Promise.resolve(openSqliteStore(':memory:', { ...DEPS, ...options })))

describe('sqlite store: the file', () => {
  let folder = ''
  let path = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'skerry-store-'))
    path = join(folder, 'store.db')
  })
  afterEach(() => rmSync(folder, { recursive: true, force: true }))

  it('holds objects, facts and the revision across a restart, even after the newest object was deleted', async () => {
    const first = openSqliteStore(path, DEPS)
    const kept = stored(await first.create('things', thing('kept', 1)))
    await first.create('things', thing('gone', 1))
    const last = stored(await first.delete('things', 'default', 'gone', null))
    await first.setFact('epoch', '7', null)
    await first.close()

    const second = openSqliteStore(path, DEPS)
    expect(await second.get('things', 'default', 'kept')).toEqual(kept)
    expect(await second.getFact('epoch')).toBe('7')
    expect(await second.revision()).toBe(last.revision)
    expect(stored(await second.create('things', thing('new', 1))).revision).toBe(last.revision + 1)
    await second.close()
  })

  it('answers nobody, tells nobody and shows nobody what is not on the disk yet; what comes meanwhile is one more commit', async () => {
    const disk = new SlowDisk()
    const store = openSqliteStore(path, { ...DEPS, disk })
    const seen: string[] = []
    store.watch(null, null, { onChange: ({ object }) => seen.push(`watched ${object.name}`), onExpired: () => seen.push('expired') })
    const say = (what: string) => () => void seen.push(what)
    const first = store.create('things', thing('a', 1)).then(say('a is written'))
    await disk.asked(1)
    const later = [store.create('things', thing('b', 1)), store.create('things', thing('c', 1))].map((one) => one.then(say('one more is written')))
    const read = store.get('things', 'default', 'a').then(say('a was read'))
    await settled()
    expect(seen).toEqual([])
    disk.release()
    await Promise.all([first, read])
    expect(seen.toSorted()).toEqual(['a is written', 'a was read', 'watched a'])
    await disk.asked(2)
    disk.release()
    await Promise.all(later)
    expect(disk.syncs).toBe(2)
    await store.close()
    expect(disk.isClosed).toBe(true)
  })

  it('writes what is asked for until the moment it is closed', async () => {
    const store = openSqliteStore(path, DEPS)
    const writes = [store.create('things', thing('a', 1)), store.create('things', thing('b', 1))]
    await store.close()
    await Promise.all(writes)
    const again = openSqliteStore(path, DEPS)
    expect(await again.get('things', 'default', 'b')).not.toBeNull()
    await again.close()
  })

  it('believes nothing any more after a disk that did not keep what it took', async () => {
    const disk = new SlowDisk()
    const store = openSqliteStore(path, { ...DEPS, disk })
    const lost = store.create('things', thing('a', 1))
    await disk.asked(1)
    const waiting = store.create('things', thing('b', 1))
    disk.fail(new Error('EIO'))
    for (const one of [lost, waiting, store.create('things', thing('c', 1)), store.get('things', 'default', 'a'), store.setFact('x', 'y', null)])
      await expect(one).rejects.toThrow(/EIO; restart the cloud/)
    await store.close()
  })

  it('after a restart serves watchers that were up to date and expires the others', async () => {
    const first = openSqliteStore(path, DEPS)
    const old = stored(await first.create('things', thing('a', 1))).revision
    const newest = stored(await first.create('things', thing('b', 1))).revision
    await first.close()

    const second = openSqliteStore(path, DEPS)
    const seen: string[] = []
    second.watch('things', old, { onChange: ({ object }) => seen.push(`old saw ${object.name}`), onExpired: () => seen.push('old expired') })
    second.watch('things', newest, { onChange: ({ object }) => seen.push(`newest saw ${object.name}`), onExpired: () => seen.push('newest expired') })
    await second.create('things', thing('c', 1))
    await settled()
    expect(seen.toSorted()).toEqual(['newest saw c', 'old expired'])
    await second.close()
  })

  it('is readable for its owner only', async () => {
    const store = openSqliteStore(path, DEPS)
    await store.create('secrets', thing('a', 1))
    expect(statSync(path).mode & 0o077).toBe(0)
    expect(statSync(`${path}-wal`).mode & 0o077).toBe(0)
    await store.close()
  })

  it('refuses a second opener, a newer schema and a path that cannot be, and says so', async () => {
    const store = openSqliteStore(path, DEPS)
    expect(() => openSqliteStore(path, DEPS)).toThrow(/no other cloud/)
    await store.close()
    const db = new DatabaseSync(path)
    db.exec('PRAGMA user_version = 999')
    db.close()
    expect(() => openSqliteStore(path, DEPS)).toThrow(/newer Skerry/)
    expect(() => openSqliteStore(join(folder, 'no', 'such', 'folder.db'), DEPS)).toThrow(/cannot open the store at .*folder\.db/)
  })

  it('rejects every write of a transaction that fails, keeps the revision, and goes on', async () => {
    const setup = openSqliteStore(path, DEPS)
    const before = stored(await setup.create('things', thing('a', 1))).revision
    await setup.close()
    const db = new DatabaseSync(path)
    db.exec(`CREATE TRIGGER full BEFORE INSERT ON objects WHEN NEW.name = 'poison' BEGIN SELECT RAISE(ABORT, 'disk is full'); END`)
    db.close()

    const store = openSqliteStore(path, DEPS)
    const seen: string[] = []
    store.watch(null, null, { onChange: ({ object }) => seen.push(object.name), onExpired: () => seen.push('expired') })
    const answers = await Promise.allSettled([store.create('things', thing('b', 1)), store.create('things', thing('poison', 1))])
    expect(answers.map((answer) => answer.status)).toEqual(['rejected', 'rejected'])
    expect(await store.get('things', 'default', 'b')).toBeNull()
    expect(await store.revision()).toBe(before)
    expect(stored(await store.create('things', thing('c', 1))).revision).toBe(before + 1)
    await settled()
    expect(seen).toEqual(['c'])
    await store.close()
  })
})
