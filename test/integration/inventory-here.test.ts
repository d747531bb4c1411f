/** The inventory of the machine that runs the tests: sound, and collected without starting a process. */
import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { INVENTORY } from '../../protocol/inventory.ts'
import { isRecord, parse } from '../../protocol/shape.ts'

const missing = whyNot()
if (missing !== null) console.warn(`inventory of this machine: NOT RUN: ${missing}`)

describe.skipIf(missing !== null)('the inventory of this machine', () => {
  it('starts no process and holds together', async () => {
    const work = mkdtempSync(path.join(tmpdir(), 'skerry-inventory-'))
    try {
      // bundled as the agent is: a TypeScript loader would start threads and processes of its own
      const script = path.join(work, 'once.mjs')
      const banner = { js: 'import { createRequire } from "node:module"; const require = createRequire(import.meta.url);' }
      const entryPoints = [path.join(import.meta.dirname, 'inventory-child.ts')]
      await build({ entryPoints, outfile: script, bundle: true, platform: 'node', format: 'esm', logLevel: 'error', banner })
      const trace = path.join(work, 'trace')
      const out = execFileSync('strace', ['-f', '-e', 'trace=execve,execveat,fork,vfork', '-o', trace, process.execPath, script], {
        encoding: 'utf8',
      })
      const started = readFileSync(trace, 'utf8')
        .split('\n')
        .filter((line) => /\b(execve|execveat|fork|vfork)\(/.test(line))
      expect(started).toHaveLength(1)
      const said: unknown = JSON.parse(out.slice(0, out.indexOf('\n')))
      const inventory = parse(INVENTORY, isRecord(said) ? said['inventory'] : null)
      if (!inventory.ok) return expect.fail(JSON.stringify(inventory.issues))
      const { topology, memory, pids, allocatable, capacity } = inventory.value
      expect(topology.threads).toBe(Number(execFileSync('getconf', ['_NPROCESSORS_ONLN'], { encoding: 'utf8' })))
      expect(memory?.totalBytes).toBeGreaterThan(64 << 20)
      expect(pids?.capacity).toBeGreaterThan(0)
      for (const name of ['cpu', 'memory', 'pids', 'ephemeral-storage']) expect(allocatable[name], name).toBeLessThan(capacity[name] ?? 0)
      console.log(out.slice(out.indexOf('\n') + 1))
    } finally {
      rmSync(work, { recursive: true, force: true })
    }
  })
})

function whyNot(): string | null {
  if (spawnSync('strace', ['-V']).error !== undefined) return 'needs strace'
  return spawnSync('strace', ['-o', '/dev/null', 'true']).status === 0 ? null : 'strace is not allowed here'
}
