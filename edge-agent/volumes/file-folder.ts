/**
 * A folder of files that changes as a whole, as the kubelet writes it. Readers see `name -> ..data/name`, and `..data` is a
 * link to a folder that is never changed once it is linked. INVARIANTS: the link is moved by one rename; an old folder goes
 * only after the link; equal files are left alone, so that nothing is written without need.
 */
import type { PlannedFile } from '../core/pod-model.ts'
import { chmod, chown, lstat, mkdir, readdir, readFile, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises'
import { randomBytes } from 'node:crypto'
import { dirname, join } from 'node:path'

const DATA = '..data'
const NEXT = '..data_next'
const FOLDER_MODE = 0o755

/** @param group owner group of everything in it; it may then read what others may not */
export async function writeFileFolder(folder: string, files: readonly PlannedFile[], group: number | null): Promise<void> {
  await mkdir(folder, { recursive: true, mode: FOLDER_MODE })
  // whatever umask the agent was started with
  await chmod(folder, FOLDER_MODE)
  if (await holdsAlready(folder, files, group)) return
  const stamp = `..${randomBytes(8).toString('hex')}`
  await writeAll(join(folder, stamp), files, group)
  const before = await linkOf(join(folder, DATA))
  await rm(join(folder, NEXT), { force: true })
  await symlink(stamp, join(folder, NEXT))
  await rename(join(folder, NEXT), join(folder, DATA))
  await linkNames(folder, files)
  await sweep(folder, stamp, before)
}

async function writeAll(folder: string, files: readonly PlannedFile[], group: number | null): Promise<void> {
  await mkdir(folder, { mode: FOLDER_MODE })
  await chmod(folder, FOLDER_MODE)
  for (const file of files) {
    const path = join(folder, file.path)
    await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE })
    await writeFile(path, bytesOf(file), { mode: 0o600 })
    if (group !== null) await chown(path, -1, group)
    await chmod(path, modeOf(file, group))
  }
}

function bytesOf({ text, base64 }: PlannedFile): Buffer {
  return Buffer.from(text, base64 ? 'base64' : 'utf8')
}

function modeOf({ mode }: PlannedFile, group: number | null): number {
  return group === null ? mode : mode | 0o040
}

/** One link for each first part of a path; names that left go. */
async function linkNames(folder: string, files: readonly PlannedFile[]): Promise<void> {
  const wanted = new Set(files.map(({ path }) => path.split('/')[0] ?? ''))
  for (const name of wanted) {
    const path = join(folder, name)
    if ((await linkOf(path)) === `${DATA}/${name}`) continue
    await rm(path, { force: true, recursive: true })
    await symlink(`${DATA}/${name}`, path)
  }
  for (const name of await readdir(folder))
    if (!name.startsWith('..') && !wanted.has(name)) await rm(join(folder, name), { force: true, recursive: true })
}

async function sweep(folder: string, kept: string, before: string | null): Promise<void> {
  for (const name of await readdir(folder)) {
    const isOld = name === before || (/^\.\.[0-9a-f]{16}$/.test(name) && name !== kept)
    if (isOld) await rm(join(folder, name), { force: true, recursive: true })
  }
}

async function holdsAlready(folder: string, files: readonly PlannedFile[], group: number | null): Promise<boolean> {
  const data = await linkOf(join(folder, DATA))
  if (data === null) return false
  const names = (await readdir(folder)).filter((name) => !name.startsWith('..'))
  const wanted = new Set(files.map(({ path }) => path.split('/')[0] ?? ''))
  if (names.length !== wanted.size || names.some((name) => !wanted.has(name))) return false
  for (const file of files) {
    try {
      const path = join(folder, data, file.path)
      const { mode, gid } = await lstat(path)
      if ((mode & 0o777) !== modeOf(file, group) || (group !== null && gid !== group)) return false
      if (!(await readFile(path)).equals(bytesOf(file))) return false
    } catch {
      return false
    }
  }
  return (await filesBelow(join(folder, data))) === new Set(files.map(({ path }) => path)).size
}

async function filesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries.filter((entry) => !entry.isDirectory()).length
}

async function linkOf(path: string): Promise<string | null> {
  try {
    return await readlink(path)
  } catch {
    return null
  }
}
