/**
 * Makes what SQLite has committed durable, without holding up the event loop while the disk works.
 *
 * SQLite's own way (`synchronous=FULL`) waits for the disk inside COMMIT. With `NORMAL` it only appends to the write-ahead log,
 * keeps every order that it needs to stay readable, and leaves one thing open: when the log is on the medium. That is asked for here,
 * on a descriptor of our own: it is about the file, whoever wrote to it. SQLite never replaces the log while it is open, and holds
 * no lock on it that closing another descriptor would drop.
 */
import { close, fdatasync, fsync, open } from 'node:fs'
import path from 'node:path'
import { promisify } from 'node:util'

const [openFile, closeFile, syncData, syncAll] = [promisify(open), promisify(close), promisify(fdatasync), promisify(fsync)]

export class WalSync {
  readonly #file: string
  #fd: number | null = null

  /** @param database the file beside which SQLite keeps the log */
  constructor(database: string) {
    this.#file = `${database}-wal`
  }

  /** Resolves when everything that was committed before the call is on the medium. To be called after a commit: then there is a log. */
  async sync(): Promise<void> {
    if (this.#fd === null) {
      this.#fd = await openFile(this.#file, 'r')
      await this.#syncFolder()
    }
    // twice: what a file system lost while it gave up its journal is only told by the next sync (see the agent's disk)
    await syncData(this.#fd)
    await syncData(this.#fd)
  }

  async close(): Promise<void> {
    if (this.#fd !== null) await closeFile(this.#fd)
    this.#fd = null
  }

  /** A log that is new is lost with its name. */
  async #syncFolder(): Promise<void> {
    const folder = await openFile(path.dirname(this.#file), 'r')
    try {
      await syncAll(folder)
    } finally {
      await closeFile(folder)
    }
  }
}
