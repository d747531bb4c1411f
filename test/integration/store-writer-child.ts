/** Writes numbered things with the cloud's real store, ten at once, and prints each number when all up to it were acknowledged. */
import { mkdirSync, writeSync } from 'node:fs'
import path from 'node:path'
import { openSqliteStore } from '../../cloud/store/sqlite-store.ts'
import { thing } from '../contract/store-tools.ts'
import { QUIET } from './store-writer.ts'

const dir = process.argv[2] ?? ''
mkdirSync(dir, { recursive: true, mode: 0o700 })
const store = openSqliteStore(path.join(dir, 'store.db'), QUIET)
for (let last = await store.revision(); ; last += 10) {
  await Promise.all(Array.from({ length: 10 }, (_, index) => store.create('things', thing(`n${last + index + 1}`, 1))))
  writeSync(1, `${last + 10}\n`)
}
