/**
 * The reader against what others found out: golden machines, board names, nvidia-smi rows. They lie outside the repository
 * (SKERRY_FIXTURES, default ../shared/fixtures); without them this says that it did not run.
 */
import { existsSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { suite as boardModels } from '../scripts/conformance/board-models.ts'
import { suite as boards } from '../scripts/conformance/boards.ts'

const fixtures = process.env['SKERRY_FIXTURES'] ?? path.join(import.meta.dirname, '../../shared/fixtures')

describe.each([boards, boardModels])('the suite $name', (suite) => {
  const present = suite.needs.some((need) => existsSync(path.join(fixtures, need)))
  if (!present) console.warn(`${suite.name}: NOT RUN: none of ${suite.needs.join(', ')} in ${fixtures} (set SKERRY_FIXTURES)`)

  it.skipIf(!present)('is passed whole', async () => {
    const { passed, total, misses } = await suite.run(fixtures)
    expect(misses).toEqual([])
    expect(passed).toBe(total)
    expect(total).toBeGreaterThan(0)
  })
})
