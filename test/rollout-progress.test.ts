/** How a rollout went over time, from what its members know. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { allowedFailures } from '../cloud/core/rollout/allowed.ts'
import { Tallies } from '../cloud/core/rollout/counts.ts'
import { wavesOf } from '../cloud/core/rollout/freeze.ts'
import { progressOf } from '../cloud/core/rollout/progress.ts'
import { limitPassed } from '../cloud/core/rollout/release.ts'
import type { RolloutMember } from '../cloud/resources/rollout-members.ts'
import type { RolloutSpec } from '../cloud/resources/rollout-spec.ts'
import { VERDICTS } from '../cloud/resources/rollout-verdict.ts'

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
      const { points, members: count } = progressOf(members, { startedMs: START, endMs }, () => null)
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
  expect(progressOf([member('pending', START)], { startedMs: Number.NaN, endMs: START }, () => null)).toEqual({ members: 1, points: [] })
})

const RELEASE = [{ daemonSet: 'web', images: { main: 'web:2' } }]

it('draws how many failures would stop it: by number, by share once enough started, by the wave that is nearest to its limit', () => {
  const spec: RolloutSpec = {
    release: RELEASE,
    waves: [{ count: 10 }, {}],
    gate: { maxFailurePercent: 20, minMembers: 4 },
    limits: { maxFailures: 3 },
  }
  const at = (second: number): number => START + second * 1000
  const first = Array.from({ length: 10 }, (_, index) => ({ ...member(index < 2 ? 'failed' : 'done', at(20), at(index)), wave: 1 }))
  const second = Array.from({ length: 40 }, (_, index) => ({
    ...member(index < 30 ? 'done' : 'pending', at(60), index < 30 ? at(30) : undefined),
    wave: 2,
  }))
  const allowed = allowedFailures(spec, [...first, ...second], 0)
  expect([-1, 2, 3, 9, 25, 40].map((time) => allowed(at(time)))).toEqual([null, 3, 0, 2, 2, 2])
  // those that somebody accepted are on top, and the wave that had them is out of its share
  expect(allowedFailures(spec, [...first, ...second], at(20))(at(40))).toBe(3)
})

it('is passed exactly when a limit is', () => {
  const time = fc.integer({ min: 1, max: 1_000 }).map((ms) => START + ms)
  const one = fc.record({ verdict: fc.constantFrom(...VERDICTS), wave: fc.integer({ min: 1, max: 3 }), since: time, startedAt: time })
  const limits = fc.record(
    { maxFailures: fc.integer({ min: 0, max: 4 }), maxFailurePercent: fc.integer({ min: 0, max: 60 }), minMembers: fc.integer({ min: 1, max: 8 }) },
    { requiredKeys: [] },
  )
  fc.assert(
    fc.property(fc.array(one, { minLength: 1, maxLength: 24 }), limits, limits, fc.boolean(), (all, gate, total, tolerant) => {
      const spec: RolloutSpec = { release: RELEASE, waves: [{ count: 3 }, { percent: 50 }, {}], gate, limits: total }
      const members = all.map(({ startedAt, ...rest }) => ({
        ...member(rest.verdict, rest.since, rest.verdict === 'pending' || rest.verdict === 'queued' ? undefined : startedAt),
        wave: rest.wave,
      }))
      const toleratedMs = tolerant ? START + 500 : 0
      const tallies = new Tallies(toleratedMs)
      for (const each of members) tallies.add(each)
      const passed = limitPassed({ spec, waves: wavesOf(spec), waveCount: 3, tallies, measured: () => [] }, 3) !== null
      const last = progressOf(members, { startedMs: START, endMs: START + 2_000 }, allowedFailures(spec, members, toleratedMs)).points.at(-1)
      expect((last?.failed ?? 0) > (last?.allowed ?? Infinity)).toBe(passed)
    }),
    { numRuns: 200 },
  )
})
