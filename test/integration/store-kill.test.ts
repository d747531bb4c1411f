/** kill -9 while writing: what was acknowledged is there, what was deleted is gone, revisions never go back. */
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { openSqliteStore } from '../../cloud/store/sqlite-store.ts'
import { QUIET, WRITER } from './store-writer.ts'

const ROUNDS = 8

it(`loses no acknowledged write in ${ROUNDS} kills`, async () => {
  const folder = mkdtempSync(join(tmpdir(), 'skerry-kill-'))
  const path = join(folder, 'store.db')
  const present = new Set<string>()
  const gone = new Set<string>()
  let newest = 0
  for (let round = 0; round < ROUNDS; round++) {
    for (const line of await writeUntilKilled(path, 50 + round * 97)) {
      const [sign, name = '', revision] = line.split(' ')
      if (sign === '+') present.add(name)
      else if (present.delete(name)) gone.add(name)
      newest = Math.max(newest, Number(revision))
    }
    const store = openSqliteStore(path, QUIET)
    const list = await store.list('things')
    const revision = await store.revision()
    await store.close()
    const found = new Set(list.ok ? list.items.map((item) => item.name) : [])
    expect([...present].filter((name) => !found.has(name)).filter((name) => !mayBeDeleted(name))).toEqual([])
    expect([...gone].filter((name) => found.has(name))).toEqual([])
    expect(revision).toBeGreaterThanOrEqual(newest)
    // a deletion that was on its way when the kill came may have been written
    for (const name of present) if (!found.has(name)) present.delete(name)
  }
  console.log(`store-kill: ${present.size + gone.size} objects over ${ROUNDS} kills, ${newest} acknowledged revisions`)
  expect(newest).toBeGreaterThan(ROUNDS)
  rmSync(folder, { recursive: true, force: true })
})

/** The writer deletes every third of its objects: of those an unacknowledged deletion may be on disk. */
function mayBeDeleted(name: string): boolean {
  return Number(name.split('-').at(-1)) % 3 === 2
}

/** The child's complete lines. @param lines how many to read before the kill */
function writeUntilKilled(path: string, lines: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, ['--import', 'tsx', WRITER, path], { stdio: ['ignore', 'pipe', 'inherit'] })
  return new Promise((resolve, reject) => {
    let text = ''
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk
      if (text.split('\n').length > lines) child.kill('SIGKILL')
    })
    child.on('error', reject)
    child.on('close', (_code, signal) => {
      if (signal === 'SIGKILL') resolve(text.split('\n').slice(0, -1))
      else reject(new Error('the writer ended by itself'))
    })
  })
}
