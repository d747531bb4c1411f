import { describe, expect, it } from 'vitest'
import { cause } from '../protocol/causes.ts'
import { LIMITS } from '../protocol/limits.ts'
import { Agent, U1, kinds, saved } from './agent-harness.ts'
import { desiredOf, found, pod } from './agent-world.ts'

describe('waves', () => {
  const step = { kind: 'ensure-image', key: 'u1/app/a1000000', image: 'registry.local/app:1', policy: 'IfNotPresent' } as const
  const pullFailed = { ok: false, cause: cause('image.pull.failed', { image: 'registry.local/app:1', why: 'refused' }) } as const

  it('run one at a time and are followed by a look', () => {
    const agent = new Agent(saved([U1]))
    agent.observe()
    expect(kinds(agent.send({ kind: 'engine-event' }))).toEqual(['observe'])
    expect(kinds(agent.observe())).not.toContain('run-wave')
    expect(kinds(agent.send({ kind: 'wave-done', wave: 1 }))).toEqual(['observe'])
    agent.observe(found({ pod: 'u1' }))
    expect(agent.state.wave).toBeNull()
    agent.after(LIMITS.reportMinIntervalMs.value).send({ kind: 'tick' })
    expect(agent.state.report.last?.converged).toBe(true)
  })

  it('never start from an observation that began before the last one ended', () => {
    const agent = new Agent(saved([U1]))
    agent.observe()
    agent.send({ kind: 'engine-event' })
    agent.send({ kind: 'wave-done', wave: 1 })
    expect(kinds(agent.observe())).toEqual(['observe'])
    expect(agent.state.waveCount).toBe(1)
    agent.observe(found({ pod: 'u1' }))
    expect(agent.state.waveCount).toBe(1)
  })

  it('are aborted when a newer desired state makes them obsolete, and the abort is not held against the image', () => {
    const agent = new Agent(saved([U1]))
    agent.observe()
    agent.send({ kind: 'target', desired: desiredOf([pod({ uid: 'u1', hash: 'b2' })], 2) })
    expect(kinds(agent.send({ kind: 'saved', epoch: 1, generation: 2 }))).toContain('abort-wave')
    agent.send({ kind: 'step-done', wave: 1, step, outcome: pullFailed })
    expect(agent.state.ledger).toEqual({})
    agent.send({ kind: 'wave-done', wave: 1 })
    agent.observe()
    expect(agent.state.imageWaves[0]?.lanes[0]?.key).toBe('u1/app/b2000000')
  })

  it('go on when a newer desired state only adds', () => {
    const agent = new Agent(saved([U1]))
    agent.observe()
    agent.send({ kind: 'target', desired: desiredOf([U1, pod({ uid: 'u2' })], 2) })
    expect(kinds(agent.send({ kind: 'saved', epoch: 1, generation: 2 }))).not.toContain('abort-wave')
  })

  it('that removes what a newer desired state wants again is aborted', () => {
    const agent = new Agent(saved([]))
    agent.observe(found({ pod: 'u1' }))
    agent.send({ kind: 'target', desired: desiredOf([U1], 2) })
    expect(kinds(agent.send({ kind: 'saved', epoch: 1, generation: 2 }))).toContain('abort-wave')
  })

  it('that pull an image do not hold up a restart or a removal, and nothing is worked on twice', () => {
    const agent = new Agent(saved([U1, pod({ uid: 'u2' })]))
    agent.observe(found({ pod: 'u2' }), found({ pod: 'u9' }))
    expect(agent.state.imageWaves[0]?.lanes.map((lane) => lane.key)).toEqual(['u1/app/a1000000'])
    expect(agent.state.wave?.lanes.map((lane) => lane.key)).toEqual(['u9/app/a1000000'])
    agent.send({ kind: 'wave-done', wave: agent.state.wave?.id ?? 0 })
    agent.observe(found({ pod: 'u2', state: 'exited', exitCode: 1 }))
    expect(agent.state.wave?.lanes.map((lane) => lane.key)).toEqual(['u2/app/a1000000'])
    expect(agent.state.imageWaves).toHaveLength(1)
  })

  it('of two revisions of one container never run side by side', () => {
    const agent = new Agent(saved([U1]))
    agent.observe()
    agent.send({ kind: 'target', desired: desiredOf([pod({ uid: 'u1', hash: 'b2' })], 2) })
    agent.send({ kind: 'saved', epoch: 1, generation: 2 })
    agent.send({ kind: 'engine-event' })
    agent.observe()
    expect(agent.state.imageWaves.map((wave) => wave.lanes[0]?.key)).toEqual(['u1/app/a1000000'])
  })

  it('of images are bounded in number', () => {
    const agent = new Agent(saved([]))
    agent.observe()
    for (let generation = 2; generation < 20; generation += 1) {
      const pods = Array.from({ length: generation }, (_, index) => pod({ uid: `u${index}` }))
      agent.send({ kind: 'target', desired: desiredOf(pods, generation) })
      agent.send({ kind: 'saved', epoch: 1, generation })
    }
    expect(agent.state.imageWaves).toHaveLength(LIMITS.imageWaves.value)
  })

  it('late news of another wave is ignored', () => {
    const agent = new Agent(saved([U1]))
    agent.observe()
    expect(agent.send({ kind: 'wave-done', wave: 7 })).toEqual([])
    agent.send({ kind: 'step-done', wave: 7, step, outcome: pullFailed })
    expect(agent.state.ledger).toEqual({})
    expect(agent.state.imageWaves[0]?.id).toBe(1)
  })

  it('a step that fails is tried again later, and the wait is asked for', () => {
    const agent = new Agent(saved([U1]))
    const waits: number[] = []
    for (let round = 1; round <= 12; round += 1) {
      agent.observe()
      agent.send({ kind: 'step-done', wave: round, step, outcome: pullFailed })
      agent.send({ kind: 'wave-done', wave: round })
      agent.observe()
      expect(agent.state.wave).toBeNull()
      expect(agent.state.plan.waitsFor[0]?.code).toBe('image.pull.failed')
      const at = agent.state.plan.nextAtMonoMs ?? 0
      expect(agent.wakeAt()).toBeLessThanOrEqual(at)
      waits.push(at - agent.nowMs)
      agent.nowMs = at
      agent.send({ kind: 'tick' })
    }
    expect(waits[0]).toBeLessThanOrEqual(LIMITS.retryFirstMs.value)
    // full jitter: only the ceiling doubles
    expect(waits.every((wait, index) => wait <= LIMITS.retryFirstMs.value * 2 ** index)).toBe(true)
    expect(Math.max(...waits)).toBeLessThanOrEqual(LIMITS.pullRetryMaxMs.value)
    expect(agent.state.report.last?.pods[0]?.containers[0]?.reason).toMatch(/ErrImagePull|ImagePullBackOff/)
  })
})

/** The container exits right after each start; returns the waits before the starts */
function crash(agent: Agent, times: number): readonly number[] {
  const waits: number[] = []
  for (let round = 1; round <= times; round += 1) {
    agent.send({ kind: 'engine-event' })
    agent.observe(found({ pod: 'u1', state: 'exited', exitCode: 1, finishedAt: `exit-${agent.nowMs}` }))
    const began = agent.nowMs
    if (agent.state.wave === null) {
      agent.nowMs = agent.state.plan.nextAtMonoMs ?? 0
      agent.send({ kind: 'tick' })
      agent.observe(found({ pod: 'u1', state: 'exited', exitCode: 1, finishedAt: `exit-${began}` }))
    }
    const { wave } = agent.state
    expect(wave?.lanes[0]?.steps.map((one) => one.kind)).toEqual(['start'])
    waits.push(agent.nowMs - began)
    for (const one of wave?.lanes[0]?.steps ?? []) agent.send({ kind: 'step-done', wave: wave?.id ?? 0, step: one, outcome: { ok: true } })
    agent.after(100).send({ kind: 'wave-done', wave: wave?.id ?? 0 })
    agent.observe(found({ pod: 'u1' }))
    agent.after(1_000)
  }
  return waits
}

describe('a container that ends', () => {
  it('is started at once, then after 10 s, doubling to five minutes', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1' }))
    expect(crash(agent, 8)).toEqual([0, 10_000, 20_000, 40_000, 80_000, 160_000, 300_000, 300_000])
  })

  it('starts over after ten healthy minutes, and its restart count does not', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1' }))
    crash(agent, 4)
    agent.after(LIMITS.restartBackoffResetMs.value)
    expect(crash(agent, 2)).toEqual([0, 10_000])
    agent.send({ kind: 'tick' })
    expect(agent.state.report.last?.pods[0]?.containers[0]?.restartCount).toBe(6)
  })

  it('keeps its backoff across an agent restart, and the same exit is not counted twice', () => {
    const before = new Agent(saved([U1]))
    before.observe(found({ pod: 'u1' }))
    crash(before, 3)
    before.after(60_000).send({ kind: 'tick' })
    before.observe(found({ pod: 'u1', state: 'exited', exitCode: 1, finishedAt: 'last' }))
    expect(before.state.plan.nextAtMonoMs).toBe(before.nowMs + 40_000)
    before.send({ kind: 'saved', epoch: 1, generation: 1 })
    before.after(LIMITS.ledgerSaveMinMs.value).send({ kind: 'tick' })
    const file = before.saves().at(-1)?.state
    expect(file?.ledger['u1/app/a1000000']).toMatchObject({ failures: 4, restarts: 4, countedExit: 'last' })

    const after = new Agent({ kind: 'state', fellBack: false, state: file ?? { desired: null, floor: null, ledger: {} } })
    after.observe(found({ pod: 'u1', state: 'exited', exitCode: 1, finishedAt: 'last' }))
    expect(after.state.wave).toBeNull()
    expect(after.state.ledger['u1/app/a1000000']).toMatchObject({ crashes: 4, restarts: 4 })
    expect(after.state.plan.nextAtMonoMs).toBeGreaterThan(after.nowMs)
    expect(after.state.report.last?.pods[0]?.containers[0]?.reason).toBe('CrashLoopBackOff')
  })

  it('together with all others, because the engine restarted, is started at once and counted once', () => {
    const pods = Array.from({ length: 20 }, (_, index) => pod({ uid: `u${index}` }))
    const agent = new Agent(saved(pods))
    agent.observe(...pods.map((one) => found({ pod: one.uid })))
    agent.after(60_000).send({ kind: 'observe-failed', cause: cause('engine.unreachable', { why: 'ECONNREFUSED' }) })
    agent.send({ kind: 'engine-event' })
    const exited = pods.map((one) => found({ pod: one.uid, state: 'exited', exitCode: 137, finishedAt: 'reboot' }))
    agent.observe(...exited)
    expect(agent.state.wave?.lanes).toHaveLength(20)
    agent.send({ kind: 'wave-done', wave: agent.state.wave?.id ?? 0 })
    agent.observe(...exited)
    expect(Object.values(agent.state.ledger).map((entry) => entry.restarts)).toEqual(pods.map(() => 1))
  })

  it('of a finished pod stays and is reported as what it is', () => {
    const agent = new Agent(saved([pod({ uid: 'u1', restartPolicy: 'Never' }), pod({ uid: 'u2', restartPolicy: 'OnFailure' })]))
    agent.observe(found({ pod: 'u1', state: 'exited', exitCode: 3 }), found({ pod: 'u2', state: 'exited', exitCode: 0 }))
    expect(agent.state.report.last).toMatchObject({ converged: true, pods: [{ phase: 'Failed' }, { phase: 'Succeeded' }] })
  })

  it('does not wear the flash: ledger writes are spaced', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1' }))
    for (let index = 0; index < 100; index += 1) {
      agent.after(100).send({ kind: 'engine-event' })
      agent.observe(found({ pod: 'u1', state: 'exited', exitCode: 1, finishedAt: `e${index}` }))
      agent.send({ kind: 'saved', epoch: 1, generation: 1 })
    }
    expect(agent.saves()).toHaveLength(1)
    agent.after(LIMITS.ledgerSaveMinMs.value).send({ kind: 'tick' })
    expect(agent.saves()[1]?.state.ledger['u1/app/a1000000']?.restarts).toBe(100)
  })
})
