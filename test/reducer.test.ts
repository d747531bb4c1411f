import { describe, expect, it } from 'vitest'
import { cause } from '../protocol/causes.ts'
import { LIMITS } from '../protocol/limits.ts'
import { Agent, U1, kinds, saved } from './agent-harness.ts'
import { desiredOf, found } from './agent-world.ts'

describe('boot', () => {
  it('looks at the engine as soon as the state file was read', () => {
    expect(kinds(new Agent().send({ kind: 'loaded', loaded: { kind: 'none' } }))).toEqual(['observe'])
  })

  it('runs the saved desired state without having heard from the cloud', () => {
    const agent = new Agent(saved([U1]))
    expect(kinds(agent.observe())).toEqual(['run-wave', 'publish-status'])
  })

  it('retries an engine that does not answer, with growing waits, and acts when it is back', () => {
    const agent = new Agent(saved([U1]))
    const waits: number[] = []
    for (let attempt = 0; attempt < 7; attempt += 1) {
      agent.send({ kind: 'observe-failed', cause: cause('engine.unreachable', { why: 'ENOENT' }) })
      const at = agent.state.timing.observeRetryAtMonoMs ?? 0
      waits.push(at - agent.nowMs)
      expect(agent.state.plan.waitsFor[0]?.code).toBe('engine.unreachable')
      agent.nowMs = at
      expect(kinds(agent.send({ kind: 'tick' }))).toContain('observe')
    }
    expect(waits).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000])
    expect(kinds(agent.observe())).toContain('run-wave')
    expect(agent.state.engine).toMatchObject({ reachable: true, cause: null })
  })

  it('looks at once when the engine says that it is back', () => {
    const agent = new Agent(saved([U1]))
    agent.send({ kind: 'observe-failed', cause: cause('engine.unreachable', { why: 'ENOENT' }) })
    expect(kinds(agent.send({ kind: 'engine-event' }))).toEqual(['observe'])
  })

  it('restarts nothing that runs', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1' }))
    expect(agent.state.plan.verdicts.map((one) => one.kind)).toEqual(['adopt'])
    expect(agent.state.wave).toBeNull()
    expect(agent.state.report.last?.converged).toBe(true)
  })

  it('keeps everything when the state file is unreadable, until a target at or above the floor comes', () => {
    const agent = new Agent({ kind: 'unknown', floor: { epoch: 1, generation: 5 }, why: 'checksum' })
    agent.observe(found({ pod: 'u1' }), found({ pod: 'u2' }))
    expect(agent.state.wave).toBeNull()
    expect(agent.saves()).toEqual([])
    expect(agent.send({ kind: 'target', desired: desiredOf([U1], 4) })).toEqual([])
    expect(agent.state.refusals[0]?.code).toBe('desired.refused.stale')
    agent.send({ kind: 'target', desired: desiredOf([U1], 5) })
    expect(agent.state.knowledge).toBe('unknown')
    agent.send({ kind: 'saved', epoch: 1, generation: 5 })
    expect(agent.state.knowledge).toBe('known')
    expect(agent.state.wave?.lanes.map((lane) => lane.key)).toEqual(['u2/app/a1000000'])
  })

  it('takes a target that came before the state file was read', () => {
    const agent = new Agent()
    expect(agent.send({ kind: 'target', desired: desiredOf([U1], 2) })).toEqual([])
    expect(kinds(agent.send({ kind: 'loaded', loaded: saved([]) }))).toEqual(['want-images', 'observe', 'save'])
  })
})

describe('a new desired state', () => {
  it('is durable before it is acted on', () => {
    const agent = new Agent({ kind: 'none' })
    agent.observe()
    const effects = agent.send({ kind: 'target', desired: desiredOf([U1], 3) })
    expect(kinds(effects)).toEqual(['save'])
    expect(agent.saves()[0]).toMatchObject({
      version: { epoch: 1, generation: 3 },
      state: { desired: { generation: 3 }, floor: { epoch: 1, generation: 3 } },
    })
    agent.send({ kind: 'engine-event' })
    agent.observe()
    expect(agent.state.wave).toBeNull()
    expect(agent.state.report.last?.desired).toBeUndefined()
    expect(kinds(agent.send({ kind: 'saved', epoch: 1, generation: 3 }))).toContain('run-wave')
  })

  it('that is empty, valid and signed does remove', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1', id: 'c1' }))
    agent.send({ kind: 'target', desired: desiredOf([], 2) })
    agent.send({ kind: 'saved', epoch: 1, generation: 2 })
    expect(agent.state.wave?.lanes[0]?.steps.map((step) => step.kind)).toEqual(['stop', 'remove'])
  })

  it('that is older is refused, says why once, and changes nothing', () => {
    const agent = new Agent(saved([U1], { floor: { epoch: 2, generation: 1 } }))
    agent.observe(found({ pod: 'u1' }))
    for (let round = 0; round < 3; round += 1)
      expect(kinds(agent.after(5_000).send({ kind: 'target', desired: desiredOf([], 9) }))).not.toContain('save')
    expect(agent.state.refusals.map((one) => one.code)).toEqual(['desired.refused.stale'])
    expect(agent.state.report.last?.causes.map((one) => one.code)).toContain('desired.refused.stale')
  })

  it('of the same number but other content is a conflict: the first is kept', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1' }))
    const other = { ...desiredOf([]), digest: 'f'.repeat(64) }
    expect(kinds(agent.send({ kind: 'target', desired: other }))).not.toContain('save')
    expect(agent.state.refusals[0]?.code).toBe('desired.refused.conflict')
    expect(agent.state.desired?.pods).toHaveLength(1)
  })

  it('that is the same again only makes the report go out again', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1' }))
    expect(kinds(agent.after(5_000).send({ kind: 'target', desired: desiredOf([U1]) }))).toEqual(['publish-status'])
  })

  it('for another device is refused', () => {
    const agent = new Agent(saved([U1]))
    agent.send({ kind: 'target', desired: { ...desiredOf([], 2), device: 'gw-2' } })
    expect(agent.state.refusals[0]?.code).toBe('desired.refused.wrong-device')
    expect(agent.saves()).toEqual([])
  })

  it("keeps at most the table's number of refusals", () => {
    const agent = new Agent(saved([U1]))
    for (let index = 0; index < 50; index += 1)
      agent.send({ kind: 'target-refused', cause: cause('desired.refused.unreadable', { why: `${index}` }) })
    expect(agent.state.refusals).toHaveLength(LIMITS.refusalsKept.value)
    expect(agent.state.refusals[0]?.facts['why']).toBe('49')
  })

  it('the newest of those that come while one is being saved wins', () => {
    const agent = new Agent({ kind: 'none' })
    agent.observe()
    for (const generation of [1, 2, 3]) agent.send({ kind: 'target', desired: desiredOf([U1], generation) })
    expect(agent.saves().map((save) => save.version?.generation)).toEqual([1])
    agent.send({ kind: 'saved', epoch: 1, generation: 1 })
    expect(agent.saves().map((save) => save.version?.generation)).toEqual([1, 3])
    expect(agent.state.nextToSave).toBeNull()
  })
})

describe('a disk that refuses', () => {
  it('keeps the old desired state running, says so, and tries again with growing waits', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1' }))
    agent.send({ kind: 'target', desired: desiredOf([], 2) })
    const waits: number[] = []
    for (let attempt = 0; attempt < 7; attempt += 1) {
      agent.send({ kind: 'save-failed', cause: cause('storage.degraded', { why: 'ENOSPC' }) })
      waits.push((agent.wakeAt() ?? 0) - agent.nowMs)
      expect(agent.state).toMatchObject({ desired: { generation: 1 }, wave: null, storage: { code: 'storage.degraded' } })
      agent.nowMs = agent.state.timing.saveRetryAtMonoMs ?? 0
      expect(kinds(agent.send({ kind: 'tick' }))).toContain('save')
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(LIMITS.storageRetryMaxMs.value)
    agent.send({ kind: 'saved', epoch: 1, generation: 2 })
    expect(agent.state).toMatchObject({ desired: { generation: 2 }, storage: null })
  })

  it('tries the newest target, not the one that failed', () => {
    const agent = new Agent({ kind: 'none' })
    agent.observe()
    agent.send({ kind: 'target', desired: desiredOf([U1], 1) })
    agent.send({ kind: 'target', desired: desiredOf([U1], 2) })
    agent.send({ kind: 'save-failed', cause: cause('storage.degraded', { why: 'ENOSPC' }) })
    agent.after(60_000).send({ kind: 'tick' })
    expect(agent.saves().map((save) => save.version?.generation)).toEqual([1, 2])
  })
})
