import { appendFileSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { expect, it } from 'vitest'
import { openAuditLog } from '../cloud/audit-log.ts'
import type { AuditEntry } from '../cloud/ports.ts'

const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined }
const act = (name: string): AuditEntry => ({
  atMs: 5,
  who: 'admin',
  verb: 'delete',
  resource: 'pods',
  namespace: 'shop',
  name,
  status: 200,
  reason: 'old',
})

it('keeps acts over a restart, in order, and reads past a torn line', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'skerry-audit-'))
  const file = path.join(dir, 'audit.log')
  const first = openAuditLog(file, QUIET)
  const told: string[] = []
  first.onRecord((entry) => told.push(entry.name))
  first.record(act('a'))
  first.record(act('b'))
  appendFileSync(file, '{"atMs": 7, "who": "ad')
  expect(told).toEqual(['a', 'b'])
  const again = openAuditLog(file, QUIET)
  expect(again.entries()).toEqual([act('a'), act('b')])
  again.record(act('c'))
  expect(
    openAuditLog(file, QUIET)
      .entries()
      .map((entry) => entry.name),
  ).toEqual(['a', 'b', 'c'])
  rmSync(dir, { recursive: true })
})
