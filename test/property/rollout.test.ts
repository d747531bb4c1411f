/** Rollouts under random fleets, operators and silences, with the cloud killed between any two of its writes. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { Tallies } from '../../cloud/core/rollout/counts.ts'
import { evaluateGate, silenceOf } from '../../cloud/core/rollout/gate.ts'
import { gateOf } from '../../cloud/resources/rollout-spec.ts'
import type { RolloutSpec } from '../../cloud/resources/rollout-spec.ts'
import type { Step } from '../../cloud/core/rollout/step.ts'
import { timeOf } from '../../cloud/core/rollout/step-input.ts'
import { fakeNode, RolloutWorld, START_MS } from '../fakes/rollout-world.ts'

type Deed =
  | { readonly kind: 'pass'; readonly ms: number }
  | { readonly kind: 'crash'; readonly writes: number }
  | { readonly kind: 'silent' | 'heard' | 'exclude'; readonly node: number }
  | { readonly kind: 'operator'; readonly edit: (world: RolloutWorld) => Partial<RolloutSpec> }

const node = fc.record({ bad: fc.boolean(), slowMs: fc.integer({ min: 0, max: 90_000 }), silent: fc.boolean() })
const deed: fc.Arbitrary<Deed> = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: 100, max: 40_000 }).map((ms): Deed => ({ kind: 'pass', ms })) },
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 4 }).map((writes): Deed => ({ kind: 'crash', writes })) },
  { weight: 2, arbitrary: fc.tuple(fc.constantFrom('silent' as const, 'heard' as const), fc.nat(9)).map(([kind, at]): Deed => ({ kind, node: at })) },
  { weight: 1, arbitrary: fc.nat(9).map((at): Deed => ({ kind: 'exclude', node: at })) },
  {
    weight: 2,
    arbitrary: fc
      .constantFrom<(world: RolloutWorld) => Partial<RolloutSpec>>(
        ({ spec }) => ({ paused: spec.paused !== true }),
        ({ status }) => ({ acknowledgedPauses: status.pauses ?? 0, paused: false }),
        ({ spec }) => ({ retries: (spec.retries ?? 0) + 1 }),
        ({ spec }) => ({ approvedWave: Math.min(3, (spec.approvedWave ?? 0) + 1) }),
        ({ status }) => ({ rolledBackWaves: (status.releasedWave ?? 0) > 1 ? [2] : [] }),
      )
      .map((edit): Deed => ({ kind: 'operator', edit })),
  },
)
const setting = fc.record({
  maxParallel: fc.integer({ min: 1, max: 6 }),
  approval: fc.boolean(),
  healthyPercent: fc.constantFrom(0, 50, 100),
  maxFailures: fc.option(fc.integer({ min: 0, max: 3 })),
  silence: fc.constantFrom('Ignore' as const, 'Count' as const, 'Fail' as const),
})

function worldOf(
  nodes: readonly { bad: boolean; slowMs: number; silent: boolean }[],
  facts: typeof setting extends fc.Arbitrary<infer S> ? S : never,
): RolloutWorld {
  return new RolloutWorld(
    {
      waves: [{ count: 1 }, { percent: 40, approval: facts.approval }, {}],
      gate: {
        healthyPercent: facts.healthyPercent,
        soakSeconds: 10,
        minMembers: 2,
        ...(facts.maxFailures === null ? {} : { maxFailures: facts.maxFailures }),
      },
      silence: { policy: facts.silence, afterSeconds: 20 },
      deadlineSeconds: 60,
      maxParallel: facts.maxParallel,
    },
    nodes.map(({ bad, slowMs, silent }, index) => fakeNode(`gw-${index}`, { bad, slowMs, silentSinceMs: silent ? START_MS - 60_000 : null })),
  )
}

function act(world: RolloutWorld, one: Deed): void {
  const step = world.step()
  expectSound(world, step)
  if (one.kind === 'crash') world.commit(step, one.writes)
  else world.commit(step)
  if (one.kind === 'pass') world.pass(one.ms)
  if (one.kind === 'operator') world.edit(one.edit(world))
  if (one.kind === 'exclude') world.edit({ exclude: [...(world.spec.exclude ?? []), { names: [`gw-${one.node}`] }] })
  if (one.kind === 'silent' || one.kind === 'heard') {
    const found = world.nodes.get(`gw-${one.node}`)
    if (found !== undefined) found.silentSinceMs = one.kind === 'silent' ? (found.silentSinceMs ?? world.nowMs) : null
  }
  expectStored(world)
}

/** What is stored now, whatever was cut off: nobody asks for the new template before his wave was released. */
function expectStored(world: RolloutWorld): void {
  const released = world.status.releasedWave ?? 0
  for (const member of world.members) if (member.template === 'next') expect(member.wave).toBeLessThanOrEqual(released)
}

/** What the step decides: counts add up, and a wave follows only an open gate or an order. */
function expectSound(world: RolloutWorld, step: Step): void {
  const counts = Object.entries(step.status.counts ?? {})
  const sum = counts.filter(([verdict]) => verdict !== 'members').reduce((total, [, count]) => total + (count ?? 0), 0)
  expect([sum, step.members.length]).toEqual([step.status.counts?.members, world.members.length])
  const tallies = new Tallies(timeOf(step.status.toleratedUntil))
  // the members as they were judged, before the places were given away
  for (const member of step.members) tallies.add(member)
  for (let wave = (world.status.releasedWave ?? 0) + 1; wave <= (step.status.releasedWave ?? 0); wave += 1) {
    expect(world.spec.paused).not.toBe(true)
    if (wave === 1) continue
    expect(evaluateGate(wave - 1, tallies.wave(wave - 1), gateOf(world.spec, world.spec.waves?.[wave - 2]), silenceOf(world.spec)).kind).toBe(
      'passed',
    )
    if (world.spec.waves?.[wave - 1]?.approval === true) expect(world.spec.approvedWave ?? 0).toBeGreaterThanOrEqual(wave)
  }
}

const onNext = (world: RolloutWorld): number => world.members.filter(({ template }) => template === 'next').length
const fleets = fc.array(node, { minLength: 1, maxLength: 10 })
const deeds = fc.array(deed, { maxLength: 40 })

test('no device gets the new template before its wave, no wave goes before its gate, and the counts add up', () => {
  fc.assert(
    fc.property(fleets, setting, deeds, (nodes, facts, list) => {
      const world = worldOf(nodes, facts)
      for (const one of list) act(world, one)
    }),
    { numRuns: 100 },
  )
})

test('abort ends with nobody half-way, from any state and across crashes', () => {
  fc.assert(
    fc.property(fleets, setting, deeds, fc.constantFrom('Stay' as const, 'Return' as const), (nodes, facts, list, abort) => {
      const world = worldOf(nodes, facts)
      for (const one of list) act(world, one)
      if (world.status.adopted === true) return
      world.edit({ abort })
      for (let writes = 0; writes < 4; writes += 1) world.commit(world.step(), writes)
      for (const found of world.nodes.values()) found.silentSinceMs = null
      world.run(30, 5_000)
      expect(world.status.phase).toBe('Aborted')
      for (const member of world.members) {
        const here = world.nodes.get(member.node)
        const stays = abort === 'Stay' && member.verdict === 'done'
        expect([member.node, member.template === 'next', here?.runs.startsWith('new')]).toEqual([member.node, stays, stays])
      }
    }),
    { numRuns: 40 },
  )
})

test('a cloud that dies after any number of writes ends where one that never died ends', () => {
  fc.assert(
    fc.property(fleets, setting, fc.array(fc.integer({ min: 0, max: 4 }), { minLength: 40, maxLength: 40 }), (nodes, facts, deaths) => {
      const still = nodes.map((one) => ({ ...one, slowMs: one.slowMs % 20_000 }))
      const [steady, dying] = [worldOf(still, facts), worldOf(still, facts)]
      for (const writes of deaths) {
        steady.run(1, 5_000)
        // dies, is started again in the same moment, and at last gets its writes done
        dying.commit(dying.step(), writes)
        dying.commit(dying.step(), writes)
        dying.run(1, 5_000)
      }
      expect([dying.status.phase, dying.status.releasedWave, dying.own]).toEqual([steady.status.phase, steady.status.releasedWave, steady.own])
      // a rule that stops it may come between two writes of one step: then fewer have started, never more
      if (steady.status.phase === 'Paused') {
        expect(onNext(dying)).toBeLessThanOrEqual(onNext(steady))
        return
      }
      expect(dying.verdicts()).toEqual(steady.verdicts())
      expect(dying.status.decisions?.map(({ action, wave }) => [action, wave])).toEqual(
        steady.status.decisions?.map(({ action, wave }) => [action, wave]),
      )
    }),
    { numRuns: 20 },
  )
})
