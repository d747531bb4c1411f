/**
 * Cuts the power of real file systems under the agent's state file and queue, many times: `npm run power-cut -- --cuts 200`.
 * Needs root, loop devices, xfsprogs and e2fsprogs. The cut is the file system's own shutdown call, above the medium: a card
 * that lies about flushes is not covered. Exit code 1 when anything acknowledged was lost or nothing could be read.
 */
import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs, promisify } from 'node:util'

const { values } = parseArgs({
  options: {
    cuts: { type: 'string', default: '200' },
    fs: { type: 'string', default: 'ext4,xfs' },
    what: { type: 'string', default: 'state,queue' },
  },
})

interface Result {
  readonly cuts: number
  /** the last number that the last writer acknowledged */
  readonly acknowledged: number
  /** acknowledged before the cut began, and lost */
  readonly older: number
  /** acknowledged while the cut was being made, and lost */
  readonly raced: number
  readonly unreadable: number
  /** an older generation was used, or a record behind the last acknowledged one was cut */
  readonly fellBack: number
}

let failed = false
for (const fs of values.fs.split(',')) {
  for (const what of values.what.split(',')) {
    const result = await cut(fs, what, Number(values.cuts))
    failed ||= result.older + result.raced + result.unreadable > 0
    process.stdout.write(`${fs.padEnd(5)} ${what.padEnd(6)} ${JSON.stringify(result)}\n`)
  }
}
process.exitCode = failed ? 1 : 0

async function cut(fs: string, what: string, cuts: number): Promise<Result> {
  const work = mkdtempSync(path.join(tmpdir(), 'skerry-power-cut-'))
  try {
    const child = path.join(import.meta.dirname, '../test/integration/power-cut-child.ts')
    const argv = ['-m', '--propagation', 'private', process.execPath, '--import', 'tsx', child, fs, String(cuts), work, what]
    const { stdout } = await promisify(execFile)('unshare', argv)
    const { fs: _fs, what: _what, ...result } = JSON.parse(stdout.trim()) as Result & { readonly fs: string; readonly what: string }
    return result
  } finally {
    rmSync(work, { recursive: true, force: true })
  }
}
