/**
 * The hosts files of pods. INVARIANT: a file is written in place, never replaced: a container holds the file itself, not its
 * name. Written at once, because the container that mounts it may be made next.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, readdirSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { hostsFile } from '../core/network-names.ts'
import type { PlannedHosts } from '../core/service-model.ts'

const UID = /^[A-Za-z0-9-]{1,64}$/

/** @throws when the disk does not take them */
export function writeHostsFiles(folder: string, wanted: readonly PlannedHosts[]): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const keep = new Set(wanted.map(({ podUid }) => podUid))
  for (const name of readdirSync(folder)) if (UID.test(name) && !keep.has(name)) rmSync(hostsFile(folder, name), { force: true })
  for (const { podUid, text } of wanted) if (UID.test(podUid)) writeInPlace(hostsFile(folder, podUid), text)
}

function writeInPlace(file: string, text: string): void {
  if (read(file) === text) return
  const handle = openSync(file, 'a+', 0o644)
  closeSync(handle)
  const open = openSync(file, 'r+')
  try {
    // never empty in between: a reader sees the old names or the new ones
    const bytes = Buffer.from(text)
    writeSync(open, bytes, 0, bytes.length, 0)
    ftruncateSync(open, bytes.length)
  } finally {
    closeSync(open)
  }
}

function read(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return null
  }
}
