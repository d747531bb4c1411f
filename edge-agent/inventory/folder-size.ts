/** What a folder holds on its file system, in bytes, as `du` counts: links are not followed, other file systems not entered. */
import { lstat, readdir } from 'node:fs/promises'
import path from 'node:path'
import { LIMITS } from '../../protocol/limits.ts'

/** 0 for what is not there. What vanishes meanwhile, or may not be read, is left out; so is what comes after the table's count. */
export async function folderSize(folder: string): Promise<number> {
  const root = await lstat(folder).catch(() => null)
  if (root === null) return 0
  const seen = new Set<number>()
  const waiting = [folder]
  let bytes = 0
  for (let left = LIMITS.diskUseEntries.value, next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const entries = await readdir(next, { withFileTypes: true }).catch(() => [])
    left -= entries.length
    if (left < 0) return bytes
    for (const entry of entries) {
      const at = path.join(next, entry.name)
      const found = await lstat(at).catch(() => null)
      // a file of several names counts once
      if (found === null || found.dev !== root.dev || (found.nlink > 1 && !found.isDirectory() && seen.has(found.ino))) continue
      if (found.nlink > 1) seen.add(found.ino)
      bytes += found.blocks * 512
      if (entry.isDirectory()) waiting.push(at)
    }
  }
  return bytes
}
