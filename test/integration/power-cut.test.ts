/** The real adapter on real ext4 and XFS, cut off by the file system's shutdown call. Needs root, loop devices, xfsprogs. */
import { execFile, spawnSync } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { promisify } from 'node:util'
import { describe, expect, it } from 'vitest'

const CUTS = 20
const missing = whyNot()
if (missing !== null) console.warn(`power cut: NOT RUN: ${missing}`)

describe.skipIf(missing !== null)('a power cut of a real file system', () => {
  it.each([
    ['ext4', 'state'],
    ['xfs', 'state'],
    ['ext4', 'queue'],
    ['xfs', 'queue'],
    ['ext4', 'store'],
    ['xfs', 'store'],
  ])('%s, %s: nothing acknowledged is lost', async (fs, what) => {
    const work = await mkdtemp(path.join(tmpdir(), 'skerry-power-cut-'))
    try {
      const runner = [process.execPath, '--import', 'tsx', path.join(import.meta.dirname, 'power-cut-child.ts'), fs, String(CUTS), work, what]
      const { stdout } = await promisify(execFile)('unshare', ['-m', '--propagation', 'private', ...runner])
      const result: unknown = JSON.parse(stdout.trim())
      console.log(`power cut: ${stdout.trim()}`)
      expect(result).toMatchObject({ fs, what, cuts: CUTS, older: 0, raced: 0, unreadable: 0 })
    } finally {
      await rm(work, { recursive: true, force: true })
    }
  })
})

/** null when the real parts are there */
function whyNot(): string | null {
  if (process.getuid?.() !== 0) return 'needs root'
  for (const tool of ['xfs_io', 'mkfs.xfs', 'mkfs.ext4']) if (spawnSync(tool, ['-V']).error !== undefined) return `needs ${tool}`
  if (spawnSync('unshare', ['-m', 'true']).status !== 0) return 'mount namespaces are not allowed here'
  return spawnSync('losetup', ['-f']).status === 0 ? null : 'needs loop devices'
}
