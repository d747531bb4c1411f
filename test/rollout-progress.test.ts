/** How a rollout went over time, from what its members know. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { progressOf } from '../cloud/core/rollout/progress.ts'
import type { RolloutMember } from '../cloud/resources/rollout-members.ts'

const START = Date.parse('2026-03-04T10:00:00Z')
const member = (verdict: RolloutMember['verdict'], since: number, startedAt?: number): RolloutMember => ({
  node: 'gw',
  wave: 1,
  verdict,
  since,
  template: 'next',
  ...(startedAt === undefined ? {} : { startedAt }),
})

it('never goes down, ends with what holds now, and leaves out who was left out', () => {
  const time = fc.integer({ min: 0, max: 86_400_000 }).map((ms) => START + ms)
  const one = fc.tuple(fc.constantFrom('done', 'failed', 'rolledBackByDevice', 'offline', 'pending', 'skipped', 'updating'), time, time)
  fc.assert(
    fc.property(fc.array(one, { maxLength: 60 }), time, (all, endMs) => {
      const members = all.map(([verdict, since, startedAt]) => member(verdict as never, since, verdict === 'pending' ? undefined : startedAt))
      const { points, members: count } = progressOf(members, { startedMs: START, endMs })
      const of = (...verdicts: readonly string[]): number => members.filter(({ verdict }) => verdicts.includes(verdict)).length
      expect(count).toBe(members.length - of('skipped'))
      expect(points.at(-1)).toMatchObject({ done: of('done'), failed: of('failed', 'rolledBackByDevice'), started: members.length - of('pending') })
      for (const name of ['atMs', 'started', 'done', 'failed'] as const)
        points.forEach((point, at) => expect(point[name]).toBeGreaterThanOrEqual(points[at - 1]?.[name] ?? 0))
    }),
    { numRuns: 40 },
  )
})

it('has no points before it started', () => {
  expect(progressOf([member('pending', START)], { startedMs: Number.NaN, endMs: START })).toEqual({ members: 1, points: [] })
})
