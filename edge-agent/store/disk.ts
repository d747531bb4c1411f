/** The few file operations that durable state is made of. Narrow, so that a test can cut the power between any two of them. */
import { constants, promises as fs } from 'node:fs'
import path from 'node:path'

export interface Disk {
  /** the file's bytes, or null when there is none; rejects with code EFBIG above `maxBytes` */
  read(file: string, maxBytes: number): Promise<Uint8Array | null>
  /** names in a directory; empty when there is no such directory */
  list(dir: string): Promise<readonly string[]>
  /** makes the directory (mode 0700) and its parents, and makes their entries durable */
  makeDirectory(dir: string): Promise<void>
  /** a new file (mode 0600) whose bytes are on the medium when this resolves; its name is not, until `syncDirectory` */
  createSynced(file: string, bytes: Uint8Array): Promise<void>
  /** adds to a file that exists; the bytes are on the medium when this resolves */
  appendSynced(file: string, bytes: Uint8Array): Promise<void>
  link(from: string, to: string): Promise<void>
  rename(from: string, to: string): Promise<void>
  /** removing an absent file is success */
  remove(file: string): Promise<void>
  /** names made, moved and removed in the directory so far are on the medium when this resolves. @param witness a file in it, see syncForSure */
  syncDirectory(dir: string, witness: string): Promise<void>
}

export const nodeDisk: Disk = {
  read: readCapped,
  async list(dir) {
    try {
      return await fs.readdir(dir)
    } catch (error) {
      if (errorCode(error) === 'ENOENT') return []
      throw error
    }
  },
  async makeDirectory(dir) {
    const first = await fs.mkdir(dir, { recursive: true, mode: 0o700 })
    if (first === undefined) return
    for (let made = dir; made.length >= first.length; made = path.dirname(made)) await syncPath(path.dirname(made))
  },
  async createSynced(file, bytes) {
    const handle = await fs.open(file, 'wx', 0o600)
    try {
      await handle.writeFile(bytes)
      await handle.sync()
    } finally {
      await handle.close()
    }
  },
  async appendSynced(file, bytes) {
    const handle = await fs.open(file, constants.O_WRONLY | constants.O_APPEND)
    try {
      await handle.writeFile(bytes)
      await syncForSure(handle)
    } finally {
      await handle.close()
    }
  },
  link: (from, to) => fs.link(from, to),
  rename: (from, to) => fs.rename(from, to),
  remove: (file) => fs.rm(file, { force: true }),
  async syncDirectory(dir, witness) {
    await syncPath(dir)
    await syncPath(witness)
  },
}

/** `ENOSPC`, `EIO`, … or `''` when the error is not the system's. */
export function errorCode(error: unknown): string {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
}

async function readCapped(file: string, maxBytes: number): Promise<Uint8Array | null> {
  let handle: fs.FileHandle
  try {
    // NONBLOCK: a FIFO put in the file's place must not hang the start
    handle = await fs.open(file, constants.O_RDONLY | constants.O_NONBLOCK)
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return null
    throw error
  }
  try {
    const size = (await handle.stat()).size
    if (size > maxBytes) throw Object.assign(new Error(`EFBIG: ${file} has ${size} bytes, at most ${maxBytes} are read`), { code: 'EFBIG' })
    return await handle.readFile()
  } finally {
    await handle.close()
  }
}

/**
 * Twice: a sync that is under way while the file system gives up its journal, as when the card dies, may answer success for
 * what is lost. Seen on Linux 6.18: ext4 37 times in 750 tries, XFS 7 in 300. The next sync of a file answered EIO every
 * time; on XFS that of a directory never does, so that a file in it is asked. With nothing left to write it is cheap.
 */
async function syncForSure(handle: fs.FileHandle): Promise<void> {
  await handle.sync()
  await handle.sync()
}

async function syncPath(dir: string): Promise<void> {
  const handle = await fs.open(dir, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}
