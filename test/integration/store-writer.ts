/** Child of store-kill.test.ts: writes without end and prints each acknowledged write, one a line, until it is killed. */
import { writeSync } from 'node:fs'
import { openSqliteStore } from '../../cloud/store/sqlite-store.ts'
import { thing } from '../contract/store-tools.ts'

const path = process.argv[2]
if (path === undefined) throw new Error('usage: store-writer.ts FILE')
const quiet = (): void => undefined
const store = openSqliteStore(path, { log: { info: quiet, warn: quiet, error: quiet }, clock: { nowMs: () => 0, monoMs: () => 0, after: () => quiet } })
const start = await store.revision()

async function writer(id: number): Promise<void> {
  for (let count = 0; ; count++) {
    const name = `w${id}-${start}-${count}`
    const created = await store.create('things', thing(name, count))
    if (created.ok) acknowledge('+', name, created.object.revision)
    if (count % 3 !== 2) continue
    const deleted = await store.delete('things', 'default', name, null)
    if (deleted.ok) acknowledge('-', name, deleted.object.revision)
  }
}

/** synchronous: what the parent reads was acknowledged before the kill */
function acknowledge(sign: '+' | '-', name: string, revision: number): void {
  writeSync(1, `${sign} ${name} ${revision}\n`)
}

await Promise.all(Array.from({ length: 4 }, (_, id) => writer(id)))
