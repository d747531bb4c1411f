/** Child of store-kill.test.ts: writes without end and prints each acknowledged write, one a line, until it is killed. */
import { fileURLToPath } from 'node:url'
import type { Store } from '../../cloud/ports.ts'
import { openSqliteStore } from '../../cloud/store/sqlite-store.ts'
import { thing } from '../contract/store-tools.ts'

/** start it with a file's path */
export const WRITER = fileURLToPath(import.meta.url)

const quiet = (): void => undefined
export const QUIET = { log: { info: quiet, warn: quiet, error: quiet }, clock: { nowMs: () => 0, monoMs: () => 0, after: () => quiet } }

async function write(store: Store, id: number, start: number): Promise<void> {
  for (let count = 0; ; count++) {
    const name = `w${id}-${start}-${count}`
    const created = await store.create('things', thing(name, count))
    if (created.ok) acknowledge('+', name, created.object.revision)
    if (count % 3 !== 2) continue
    const deleted = await store.delete('things', 'default', name, null)
    if (deleted.ok) acknowledge('-', name, deleted.object.revision)
  }
}

/** a line that the kill overtakes only makes the parent expect less */
function acknowledge(sign: '+' | '-', name: string, revision: number): void {
  process.stdout.write(`${sign} ${name} ${revision}\n`)
}

if (process.argv[1] === WRITER) {
  const store = openSqliteStore(process.argv[2] ?? '', QUIET)
  const start = await store.revision()
  await Promise.all(Array.from({ length: 4 }, (_, id) => write(store, id, start)))
}
