/** Gates that measure: silence is neither good nor bad, and a cloud that restarts measures again. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { NodeFacts, PodFacts } from '../cloud/core/rollout/facts.ts'
import { measure, measuredMembers } from '../cloud/core/rollout/measure.ts'
import { readingOf } from '../cloud/core/rollout/reading.ts'
import { fullMetric } from '../cloud/resources/rollout-metric.ts'
import type { Metric } from '../cloud/resources/rollout-metric.ts'
import type { RolloutMember } from '../cloud/resources/rollout-members.ts'
import type { RolloutSpec } from '../cloud/resources/rollout-spec.ts'
import { causeSentence } from '../protocol/causes.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { TelemetrySample } from '../protocol/telemetry.ts'
import { fakeNode, RolloutWorld, START_MS } from './fakes/rollout-world.ts'

const MEMORY: Metric = { reading: 'podMemory', max: '100Mi', forSeconds: 30 }
const MI = 2 ** 20
const at = (second: number): number => START_MS + second * 1000
const sample = (second: number, memory: number, uids: readonly string[] = ['a']): TelemetrySample => ({
  at: new Date(at(second)).toISOString(),
  spanSeconds: 10,
  device: { memory: 600, memoryTotal: 1000, temperatureC: 71 },
  pods: Object.fromEntries(uids.map((uid) => [uid, { memory: memory * MI, cpuMilli: 40 }])),
})
const pod = (change: Partial<PodFacts> = {}): PodFacts => ({
  uid: 'a', hash: 'new', applied: null, ready: true, readySinceMs: 0, createdMs: 0, startedMs: [at(-60)], deleting: false, why: '', ...change,
}) // prettier-ignore
const facts = (pods: NodeFacts['pods'] = [pod()], silentSinceMs: number | null = null): NodeFacts => ({ silentSinceMs, pods })
const value = (metric: Metric, samples: readonly TelemetrySample[], now: number, here = facts(), since = 0): number | null =>
  readingOf(fullMetric(metric), here, samples, { sinceMs: at(since), nowMs: at(now) })
const EVERY = [10, 20, 30, 40].map((second) => sample(second, second))

describe('a reading of a device', () => {
  test('is the mean over its span, in the order of its clock', () => {
    expect(value(MEMORY, EVERY, 45)).toBe(30 * MI)
    expect(value({ reading: 'podCpu', max: 1, forSeconds: 20 }, EVERY, 45)).toBe(40)
    expect(value({ reading: 'deviceMemoryPercent', max: 90, forSeconds: 20 }, EVERY, 45)).toBe(60)
    expect(value({ reading: 'deviceTemperatureC', max: 90, forSeconds: 20 }, EVERY, 45)).toBe(71)
  })

  test.each([
    ['nothing came', [], 45, facts(), 0],
    ['the newest is old', EVERY, 40 + LIMITS.rolloutReadingStaleMs.value / 1000 + 1, facts(), 0],
    ['its clock is ahead', EVERY, 40 - LIMITS.rolloutReadingAheadMs.value / 1000 - 1, facts(), 0],
    ['the span reaches back before it was done', EVERY, 45, facts(), 15],
    ['most of the span is missing', [sample(10, 1), sample(40, 1)], 45, facts(), 0],
    ['the pod is not there', EVERY, 45, facts(['missing']), 0],
    ['the pod goes', EVERY, 45, facts([pod({ deleting: true })]), 0],
    ['one of two pods was not read', EVERY, 45, facts([pod(), pod({ uid: 'b' })]), 0],
  ])('is not known when %s', (_why, samples, now, here, since) => {
    expect(value(MEMORY, samples, now, here, since)).toBeNull()
  })

  test('adds up the pods of the release; parts that run elsewhere are not missed', () => {
    const both = EVERY.map((one, index) => sample(10 * (index + 1), 5, ['a', 'b']) satisfies typeof one)
    expect(value(MEMORY, both, 45, facts([pod(), 'elsewhere', pod({ uid: 'b' })]))).toBe(10 * MI)
  })

  test('restarts: containers that began anew or do not run, known once the device was heard for the span', () => {
    const restarts: Metric = { reading: 'podRestarts', max: 0, forSeconds: 30 }
    expect(value(restarts, [], 29)).toBeNull()
    expect(value(restarts, [], 30)).toBe(0)
    expect(value(restarts, [], 30, facts([pod()], at(20)))).toBeNull()
    expect(value(restarts, [], 30, facts([pod({ startedMs: [at(-5), at(12), null] })]))).toBe(2)
  })
})

const member = (index: number, since = 0): RolloutMember => ({ node: `gw-${index}`, wave: 1, verdict: 'done', template: 'next', since: at(since) })
const measured = (metric: Metric, values: readonly (number | null)[], now = 60, listens = -900): readonly [string, string] => {
  const result = measure(fullMetric(metric), {
    wave: 1, members: values.map((_, index) => member(index)), resumedMs: 0, listensMs: at(listens), nowMs: at(now),
    valueOf: (node) => values[Number(node.slice(3))] ?? null,
  }) // prettier-ignore
  return [result.kind, causeSentence(result.cause)]
}

describe('the verdict on a metric', () => {
  const some = (within: number, outside: number, unknown: number): readonly (number | null)[] => [
    ...Array.from({ length: within }, () => 50 * MI),
    ...Array.from({ length: outside }, () => 200 * MI),
    ...Array.from({ length: unknown }, () => null),
  ]
  // name, metric, [within, outside, not known], seconds after it was done, verdict, what it says
  test.each<[string, Partial<Metric>, readonly [number, number, number], number, string, string]>([
    ['enough are within', { percent: 80 }, [8, 1, 1], 60, 'passed', 'is shown by 8 of 10 devices (wanted 80 %; over all 66.7Mi).'],
    ['the rest may still come', { percent: 90 }, [8, 0, 2], 60, 'waits', '90 % are wanted; 0 are outside, of 2 it is not known yet.'],
    ['too many are outside', { percent: 90 }, [5, 2, 3], 60, 'missed', 'over all it is 92.9Mi, 2 of 10 devices are outside.'],
    ['silence lasts too long', { deadlineSeconds: 600 }, [8, 0, 2], 600, 'missed', 'not known of 2 of 10 devices 600 s after the last'],
    ['nobody is done', {}, [0, 0, 0], 60, 'passed', '0 of 0 devices'],
    ['a mean', { aggregate: 'Mean', percent: 50 }, [1, 2, 3], 60, 'missed', 'Mean of podMemory at most 100Mi is not met: over all it is 150Mi'],
    ['a mean of too few', { aggregate: 'Mean', percent: 60 }, [1, 2, 3], 60, 'waits', 'of 3 it is not known yet'],
    ['a percentile', { aggregate: 'P95' }, [19, 1, 0], 60, 'passed', 'over all 50Mi'],
    ['a percentile that is too high', { aggregate: 'P95' }, [18, 2, 0], 60, 'missed', 'over all it is 200Mi'],
    ['a lower bound', { min: '60Mi', max: '300Mi' }, [9, 1, 0], 60, 'missed', 'podMemory at least 60Mi and at most 300Mi is not met'],
  ])('%s', (_name, metric, counts, now, kind, says) => {
    const [is, sentence] = measured({ ...MEMORY, ...metric }, some(...counts), now)
    expect(is).toBe(kind)
    expect(sentence).toContain(says)
  })

  test('a cloud that has just begun to listen blames nobody for its own silence', () => {
    const metric = { ...MEMORY, deadlineSeconds: 600 }
    expect(measured(metric, some(8, 0, 2), 700, 690)[0]).toBe('waits')
    expect(measured(metric, some(8, 0, 2), 690 + 30 + LIMITS.rolloutReadingStaleMs.value / 1000, 690)[0]).toBe('missed')
  })

  test('of a large wave always the same devices are measured', () => {
    const all = Array.from({ length: 3 * LIMITS.rolloutMeasured.value }, (_, index) => member(index))
    const chosen = measuredMembers(all, 1).map(({ node }) => node)
    expect(chosen).toHaveLength(LIMITS.rolloutMeasured.value)
    expect(new Set(measuredMembers(all.toReversed(), 1).map(({ node }) => node))).toEqual(new Set(chosen))
    expect(measuredMembers(all, 2)).toEqual([])
  })
})

/** Devices that use so many Mi on the new revision; null = they tell nothing. */
function worldOf(uses: readonly (number | null)[], spec: Partial<RolloutSpec> = {}): RolloutWorld {
  const gate = { soakSeconds: 10, healthyPercent: 100, metrics: [{ ...MEMORY, percent: 100, deadlineSeconds: 120 }] }
  const world = new RolloutWorld(
    { waves: [{ count: 1 }, {}], gate, ...spec },
    uses.map((_, index) => fakeNode(`gw-${index}`)),
  )
  return world
}
function tell(world: RolloutWorld, uses: readonly (number | null)[]): void {
  const second = Math.round((world.nowMs - START_MS) / 1000)
  uses.forEach((memory, index) => {
    if (memory === null) return
    const name = `gw-${index}`
    world.samples.set(name, [...(world.samples.get(name) ?? []), sample(second, memory, [`pod-${name}`])].slice(-LIMITS.telemetryKept.value))
  })
}
/** Ten seconds at a time, with a reading after each. */
function run(world: RolloutWorld, rounds: number, uses: readonly (number | null)[]): void {
  for (let round = 0; round < rounds; round += 1) {
    world.run(1, 10_000)
    tell(world, uses)
  }
  world.run(1, 0)
}
const actions = (world: RolloutWorld): readonly string[] => (world.status.decisions ?? []).map(({ action }) => action)

describe('a rollout whose gate measures', () => {
  test('goes on when the canary was within its bound for long enough, asks only while it waits, and keeps what it saw', () => {
    const world = worldOf([50, 50, 50])
    run(world, 3, [50, 50, 50])
    expect(world.status).toMatchObject({ releasedWave: 1, waves: [{ state: 'Running', waitsFor: { code: 'rollout.gate.measuring' } }, {}] })
    expect(world.step().asks).toEqual(['gw-0'])
    run(world, 4, [50, 50, 50])
    expect(world.status).toMatchObject({
      releasedWave: 2,
      waves: [{ state: 'Passed', gate: { metrics: [{ state: 'Passed', within: 1, value: '50Mi' }] } }, {}],
    })
    run(world, 10, [50, 50, 50])
    expect(world.status).toMatchObject({ phase: 'Completed', waves: [{}, { gate: { metrics: [{ state: 'Passed', base: 2, within: 2 }] } }] })
    expect([actions(world), world.step().asks]).toEqual([['released', 'gate-passed', 'released', 'completed'], []])
  })

  test('stops when the canary is outside; resuming measures anew; promoting goes on without', () => {
    const world = worldOf([150, 50])
    run(world, 8, [150, 50])
    expect(world.status).toMatchObject({ phase: 'Paused', pausedBy: 'rule', releasedWave: 1, cause: { code: 'rollout.gate.outside' } })
    expect(world.status.waves?.[0]).toMatchObject({ state: 'Running', gate: { metrics: [{ state: 'Missed', outside: 1, value: '150Mi' }] } })
    world.edit({ acknowledgedPauses: 1 })
    run(world, 2, [150, 50])
    expect(world.status).toMatchObject({ phase: 'Running', releasedWave: 1 })
    run(world, 4, [150, 50])
    expect(world.status).toMatchObject({ phase: 'Paused', pauses: 2 })
    world.edit({ acknowledgedPauses: 2 })
    run(world, 20, [70, 50])
    expect(world.status).toMatchObject({ phase: 'Completed', counts: { done: 2 } })
    const other = worldOf([150, 150])
    run(other, 8, [150, 150])
    other.edit({ acknowledgedPauses: 1, promotedWave: 3 })
    run(other, 8, [150, 150])
    expect(other.status).toMatchObject({ phase: 'Completed', counts: { done: 2 } })
  })

  test('waits for a canary that tells nothing, until its deadline gives a verdict; waits for approval without asking', () => {
    const world = worldOf([null, 50])
    run(world, 12, [null, 50])
    expect(world.status).toMatchObject({ phase: 'Running', releasedWave: 1 })
    run(world, 6, [null, 50])
    expect(world.status).toMatchObject({ phase: 'Paused', releasedWave: 1, cause: { code: 'rollout.gate.unknown' } })
    const approved = worldOf([50, 50], { waves: [{ count: 1 }, { approval: true }] })
    run(approved, 8, [50, 50])
    run(approved, 30, [null, null])
    expect(approved.status).toMatchObject({ phase: 'WaitingApproval', waves: [{ state: 'Passed' }, {}] })
    expect(approved.step().asks).toEqual([])
  })

  test('however often the cloud dies and forgets its readings, no wave follows a canary that is outside, and one within is let through', () => {
    const deed = fc.oneof(
      { weight: 5, arbitrary: fc.constant('pass' as const) },
      { weight: 1, arbitrary: fc.constant('restart' as const) },
      { weight: 1, arbitrary: fc.integer({ min: 0, max: 3 }) },
    )
    fc.assert(
      fc.property(fc.array(deed, { maxLength: 40 }), fc.boolean(), (deeds, good) => {
        const uses = [good ? 50 : 150, 50, 50]
        const world = worldOf(uses)
        for (const one of deeds) {
          if (typeof one === 'number') world.commit(world.step(), one)
          else if (one === 'pass') run(world, 1, uses)
          else {
            world.samples.clear()
            world.listensMs = world.nowMs
          }
          // the second wave is out only when the first was measured
          if ((world.status.releasedWave ?? 0) > 1) expect(good).toBe(true)
        }
        // left alone, it ends as it must, however late: the deadline is not that of a cloud which could not hear
        run(world, 40, uses)
        expect([world.status.phase, world.status.cause?.code]).toEqual(good ? ['Completed', undefined] : ['Paused', 'rollout.gate.outside'])
      }),
      { numRuns: 60 },
    )
  })
})
