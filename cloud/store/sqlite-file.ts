/** The file of the store: opened for this process alone, readable for its owner only, and written so that wal-sync can make it durable. */
import { closeSync, openSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'

/** @throws when it cannot be opened, or another process has it */
export function openFile(path: string): DatabaseSync {
  try {
    if (path !== ':memory:') closeSync(openSync(path, 'a', 0o600))
    const db = new DatabaseSync(path)
    db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA cache_size = -65536')
    // the log is written back inside a commit, which waits for the disk: rarely, and each page once however often it changed
    db.exec('PRAGMA wal_autocheckpoint = 4000')
    return db
  } catch (error) {
    const hint = 'is the folder there and writable, and no other cloud running on it?'
    throw new Error(`cannot open the store at ${path}: ${messageOf(error)}; ${hint}`, { cause: error })
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

export function closedError(): Error {
  return new Error('the store is closed')
}

export function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(messageOf(error))
}
