import { describe, expect, it } from 'vitest'
import { cause } from '../protocol/causes.ts'
import { LIMITS } from '../protocol/limits.ts'
import { parse } from '../protocol/shape.ts'
import { STATUS_REPORT } from '../protocol/status-report.ts'
import type { StatusReport } from '../protocol/status-report.ts'
import { isWorthSending } from '../edge-agent/core/report-news.ts'
import { Agent, U1, kinds, saved } from './agent-harness.ts'
import type { Step } from '../edge-agent/core/model.ts'
import { desiredOf, found, pod, smallDevice } from './agent-world.ts'

/** It has reported, and was quiet, when a document with one more pod came and was saved. */
function changed(): Agent {
  const agent = new Agent(saved([U1]))
  agent.observe(found({ pod: 'u1' }))
  agent.after(5_000).send({ kind: 'target', desired: desiredOf([U1, pod({ uid: 'u2' })], 2) })
  agent.send({ kind: 'saved', epoch: 1, generation: 2 })
  if (agent.state.observing) agent.observe(found({ pod: 'u1' }))
  return agent
}

function waveOf(agent: Agent): { readonly wave: number; readonly step: Step } {
  const found = agent.effects.findLast((effect) => effect.kind === 'run-wave')
  const step = found?.lanes[0]?.steps[0]
  if (found === undefined || step === undefined) throw new Error('no wave was begun')
  return { wave: found.wave, step }
}

describe('reports', () => {
  it('the first change after quiet goes out at once, the next ones not before the interval', () => {
    const agent = new Agent(saved([U1]))
    expect(kinds(agent.observe())).toContain('publish-status')
    agent.after(100).send({ kind: 'wave-done', wave: 1 })
    expect(kinds(agent.observe(found({ pod: 'u1' })))).not.toContain('publish-status')
    expect(agent.wakeAt()).toBe(1_000 + LIMITS.reportMinIntervalMs.value)
    agent.nowMs = agent.wakeAt() ?? 0
    expect(kinds(agent.send({ kind: 'tick' }))).toContain('publish-status')
    expect(agent.state.report.last).toMatchObject({ converged: true, seq: 2 })
  })

  it('of a document that is carried out at once tell its end alone', () => {
    const agent = changed()
    agent.after(300)
    const { wave, step } = waveOf(agent)
    agent.send({ kind: 'step-done', wave, step, outcome: { ok: true } })
    agent.send({ kind: 'wave-done', wave })
    const before = agent.effects.filter(({ kind }) => kind === 'publish-status').length
    expect(before).toBe(1)
    expect(kinds(agent.observe(found({ pod: 'u1' }), found({ pod: 'u2' })))).toContain('publish-status')
    expect(agent.state.report.last).toMatchObject({ converged: true, desired: { generation: 2 } })
  })

  it('of a document that takes its time tell how far it is', () => {
    const agent = changed()
    expect(agent.wakeAt()).toBe(agent.nowMs + LIMITS.reportHoldMs.value)
    agent.nowMs = agent.wakeAt() ?? 0
    expect(kinds(agent.send({ kind: 'tick' }))).toContain('publish-status')
    expect(agent.state.report.last).toMatchObject({ converged: false, desired: { generation: 2 } })
  })

  it('say nothing new while nothing is new, and are refreshed', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1' }))
    let published = 0
    for (let ms = 0; ms < LIMITS.reportRefreshMs.value; ms += 30_000) {
      agent.after(30_000)
      published += kinds(agent.send({ kind: 'tick' })).filter((kind) => kind === 'publish-status').length
      if (agent.state.observing) published += kinds(agent.observe(found({ pod: 'u1' }))).filter((kind) => kind === 'publish-status').length
    }
    expect(published).toBe(1)
  })

  it('are parts of the protocol, list every owned pod, and flag those that go', () => {
    const agent = new Agent(saved([U1]))
    agent.send({ kind: 'inventory', inventory: smallDevice(), hostIp: '10.0.0.1' })
    agent.observe(found({ pod: 'u1' }), found({ pod: 'u9' }))
    const report = agent.state.report.last
    expect(parse(STATUS_REPORT, report, 'refuse')).toMatchObject({ ok: true })
    expect(report?.pods).toMatchObject([
      { uid: 'u1', ready: true, phase: 'Running' },
      { uid: 'u9', removing: true },
    ])
  })

  it('fit the broker even when every pod fails with a long story', () => {
    const pods = Array.from({ length: LIMITS.podsPerDevice.value }, (_, index) =>
      pod({ uid: `u${index}`, image: `registry.local/${'i'.repeat(490)}` }),
    )
    const agent = new Agent(saved(pods))
    agent.observe()
    const why = cause('image.pull.failed', { image: 'i'.repeat(500), why: 'x'.repeat(1_000) })
    const { id, lanes } = agent.state.imageWaves[0] ?? { id: 0, lanes: [] }
    for (const lane of lanes)
      for (const step of lane.steps.slice(0, 1)) agent.send({ kind: 'step-done', wave: id, step, outcome: { ok: false, cause: why } })
    agent.after(2_000).send({ kind: 'tick' })
    const report = agent.state.report.last
    expect(JSON.stringify(report).length).toBeLessThan(LIMITS.statusReportBytes.value)
    expect(report?.pods.map((one) => one.cause?.code)).toEqual(pods.map(() => 'image.pull.failed'))
    expect(parse(STATUS_REPORT, report, 'refuse')).toMatchObject({ ok: true })
  })

  it('show the old revision while the new one is not there', () => {
    const agent = new Agent(saved([pod({ uid: 'u1', hash: 'b2' })]))
    agent.observe(found({ pod: 'u1', hash: 'a1' }))
    expect(agent.state.report.last?.pods[0]?.specHash.slice(0, 2)).toBe('a1')
    expect(agent.state.report.last?.converged).toBe(false)
  })

  it('call nothing ready while the engine does not answer', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1' }))
    agent.after(5_000).send({ kind: 'observe-failed', cause: cause('engine.timeout', { seconds: 15, call: 'list' }) })
    expect(agent.state.report.last).toMatchObject({ converged: false, engine: { reachable: false } })
    expect(agent.state.report.last?.pods).toMatchObject([{ ready: false, cause: { code: 'engine.timeout' } }])
  })

  it('go out whole with the inventory when the link comes up', () => {
    const agent = new Agent(saved([U1]))
    agent.send({ kind: 'inventory', inventory: smallDevice(), hostIp: null })
    agent.observe(found({ pod: 'u1' }))
    expect(kinds(agent.after(5_000).send({ kind: 'link', link: { kind: 'up', sinceWallMs: 0 } }))).toEqual(['publish-inventory', 'publish-status'])
  })
})

describe('the link', () => {
  it('keeps what the last try said while it tries again, and forgets it when it is up', () => {
    const agent = new Agent(saved([U1]))
    const after = { sinceWallMs: 7, why: 'refused' }
    agent.send({ kind: 'link', link: { kind: 'connecting' } })
    expect(agent.state.link).toEqual({ kind: 'connecting' })
    agent.send({ kind: 'link', link: { kind: 'down', ...after, nextTryInMs: 1_000 } })
    for (let again = 0; again < 2; again += 1) {
      agent.send({ kind: 'link', link: { kind: 'connecting' } })
      expect(agent.state.link).toEqual({ kind: 'connecting', after })
    }
    agent.send({ kind: 'link', link: { kind: 'up', sinceWallMs: 9 } })
    agent.send({ kind: 'link', link: { kind: 'connecting' } })
    expect(agent.state.link).toEqual({ kind: 'connecting' })
  })
})

describe('news', () => {
  const report: StatusReport = {
    device: 'gw-1',
    sid: 's',
    seq: 1,
    at: 'then',
    agentVersion: '1',
    converged: true,
    engine: { reachable: true },
    causes: [],
    pods: [{ uid: 'u', namespace: 'd', name: 'n', specHash: 'h', phase: 'Running', ready: true, containers: [] }],
  }
  const [one] = report.pods
  const why = cause('engine.timeout', { seconds: 15, call: 'list' })
  const pull = { attempt: 1, layersDone: 1, layersTotal: 4, bytesDone: 10, bytesTotal: 1_000 }
  const pulling = (change: Partial<typeof pull>): StatusReport => ({
    ...report,
    pods:
      one === undefined
        ? []
        : [{ ...one, containers: [{ name: 'c', image: 'i', state: 'waiting', restartCount: 0, ready: false, pull: { ...pull, ...change } }] }],
  })

  it.each<readonly [string, StatusReport, StatusReport, boolean]>([
    ['the same with another number, time and plan', report, { ...report, seq: 2, at: 'now', plan: ['x'] }, false],
    ['nothing instead of a field that is absent', report, { ...report, hostIP: undefined } as unknown as StatusReport, false],
    ['an address', report, { ...report, hostIP: '10.0.0.1' }, true],
    ['an address that is gone', { ...report, hostIP: '10.0.0.1' }, report, true],
    ['a cause', report, { ...report, causes: [why] }, true],
    ['a wait that shrank', { ...report, causes: [{ ...why, retryInMs: 9 }] }, { ...report, causes: [{ ...why, retryInMs: 3 }] }, false],
    ['a pod less', report, { ...report, pods: [] }, true],
    ['a pod that is not ready', report, { ...report, pods: one === undefined ? [] : [{ ...one, ready: false }] }, true],
    ['a few bytes of a pull', pulling({}), pulling({ bytesDone: 20 }), false],
    ['a tenth of a pull', pulling({}), pulling({ bytesDone: 210 }), true],
    ['a pull that is over', pulling({}), report, true],
  ])('%s', (_what, before, after, isNews) => {
    expect([isWorthSending(before, after), isWorthSending(null, after)]).toEqual([isNews, true])
  })
})

describe('idle', () => {
  it('is woken for the next look only, and never more often than every ten seconds', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1' }))
    const wakes: number[] = []
    while (agent.nowMs < 3_600_000) {
      const at = agent.wakeAt() ?? Number.POSITIVE_INFINITY
      expect(at).toBeGreaterThan(agent.nowMs)
      wakes.push(at - agent.nowMs)
      agent.nowMs = at
      agent.send({ kind: 'tick' })
      if (agent.state.observing) agent.observe(found({ pod: 'u1' }))
    }
    expect(wakes.filter((wait) => wait < 10_000)).toEqual([])
  })

  it('blocked by hardware is planned again when the inventory changes', () => {
    const agent = new Agent(saved([pod({ uid: 'u1', placement: { cpus: '2' } })]))
    agent.send({ kind: 'inventory', inventory: smallDevice(), hostIp: null })
    agent.observe()
    expect(agent.state.plan.waitsFor[0]?.code).toBe('placement.cpu.absent')
    expect(kinds(agent.send({ kind: 'inventory', inventory: smallDevice({ onlineCpus: '0-3' }), hostIp: null }))).toContain('run-wave')
  })
})
