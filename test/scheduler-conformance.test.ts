/** Our plugins beside what kube-scheduler's own tables and random clusters say. The cases lie outside the repository. */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { suite } from '../scripts/conformance/scheduler.ts'

const FIXTURES = path.resolve(process.env['SKERRY_FIXTURES'] ?? path.join(import.meta.dirname, '../../shared/fixtures'))

describe.skipIf(!existsSync(path.join(FIXTURES, 'scheduler')))('kube-scheduler cases', () => {
  test('all give the same verdicts and scores', async () => {
    const { passed, total, misses } = await suite.run(FIXTURES)
    expect(misses).toEqual([])
    expect(passed).toBe(total)
    expect(total).toBeGreaterThanOrEqual(400)
  })
})
