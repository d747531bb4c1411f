/** What probes make of a device: restarts, reports, and what survives the agent. */
import { describe, expect, it } from 'vitest'
import type { DesiredPod, ObservedContainer } from '../edge-agent/core/model.ts'
import type { Effect } from '../edge-agent/core/state.ts'
import type { ProbeAsk } from '../edge-agent/core/probe-model.ts'
import { buildReport } from '../edge-agent/core/report.ts'
import { Agent, saved } from './agent-harness.ts'
import { found, pod } from './agent-world.ts'

const LIVE = { tcpSocket: { port: 80 }, periodSeconds: 1, failureThreshold: 1 }

function probed(container: Partial<DesiredPod['spec']['containers'][number]>, spec: Partial<DesiredPod['spec']> = {}): DesiredPod {
  const plain = pod({ uid: 'u1' })
  return { ...plain, spec: { ...plain.spec, ...spec, containers: plain.spec.containers.map((one) => ({ ...one, ...container })) } }
}

const asks = (effects: readonly Effect[]): readonly ProbeAsk[] => effects.flatMap((effect) => (effect.kind === 'probe' ? [effect.ask] : []))
const steps = (effects: readonly Effect[]): readonly object[] =>
  effects.flatMap((effect) => (effect.kind === 'run-wave' ? effect.lanes.flatMap((lane) => lane.steps) : []))
const reportOf = (agent: Agent) => buildReport(agent.state, agent.now()).pods[0]

/** An agent that has seen the container start. */
function running(
  desired: DesiredPod,
  container: ObservedContainer = found({ pod: 'u1' }),
): { readonly agent: Agent; readonly effects: readonly Effect[] } {
  const agent = new Agent(saved([desired]))
  agent.observe({ ...container, state: 'created', startedAt: null })
  const [wave] = agent.effects.flatMap((effect) => (effect.kind === 'run-wave' ? [effect.wave] : []))
  agent.send({ kind: 'wave-done', wave: wave ?? 0 })
  return { agent, effects: agent.observe(container) }
}

function answer(agent: Agent, ask: ProbeAsk | undefined, verdict: 'success' | 'failure'): readonly Effect[] {
  if (ask === undefined) throw new Error('nothing was asked')
  return agent.send({ kind: 'probe-result', key: ask.key, run: ask.run, probe: ask.probe, answer: { verdict, message: 'connection refused' } })
}

describe('a liveness failure', () => {
  it('stops the container with the probe’s own grace, counts the exit as Unhealthy, and starts it again', () => {
    const { agent, effects } = running(probed({ livenessProbe: { ...LIVE, terminationGracePeriodSeconds: 3 } }))
    const [ask] = asks(effects)
    expect(ask).toMatchObject({ probe: 'liveness', timeoutMs: 1_000, action: { kind: 'tcp', host: '172.17.0.2', port: 80 } })
    const stopping = answer(agent, ask, 'failure')
    expect(steps(stopping)).toMatchObject([{ kind: 'stop', target: 'id-u1-a1', graceSeconds: 3 }])
    agent.send({ kind: 'wave-done', wave: agent.state.wave?.id ?? 0 })
    const starting = agent.observe(found({ pod: 'u1', state: 'exited', exitCode: 143 }))
    expect(steps(starting)).toMatchObject([{ kind: 'start' }])
    const [entry] = Object.values(agent.state.ledger)
    expect(entry).toMatchObject({
      restarts: 1,
      crashes: 1,
      lastCause: { code: 'container.unhealthy', facts: { probe: 'liveness', why: 'connection refused' } },
    })
  })

  it('waits as after a crash when it comes again', () => {
    const { agent, effects } = running(probed({ livenessProbe: LIVE }))
    answer(agent, asks(effects)[0], 'failure')
    agent.send({ kind: 'wave-done', wave: agent.state.wave?.id ?? 0 })
    agent.observe(found({ pod: 'u1', state: 'exited', exitCode: 143 }))
    agent.send({ kind: 'wave-done', wave: agent.state.wave?.id ?? 0 })
    const again = agent.observe(found({ pod: 'u1', startedAt: '2026-01-01T02:00:00Z' }))
    answer(agent, asks(again)[0], 'failure')
    agent.send({ kind: 'wave-done', wave: agent.state.wave?.id ?? 0 })
    const ended = found({ pod: 'u1', state: 'exited', exitCode: 143, startedAt: '2026-01-01T02:00:00Z', finishedAt: '2026-01-01T03:00:00Z' })
    expect(steps(agent.observe(ended))).toEqual([])
    expect(reportOf(agent)).toMatchObject({
      cause: { code: 'container.unhealthy' },
      containers: [{ state: 'waiting', reason: 'CrashLoopBackOff', message: expect.stringContaining('liveness probe'), ready: false }],
    })
  })

  it('of a run that is over changes nothing', () => {
    const { agent, effects } = running(probed({ livenessProbe: LIVE }))
    const [late] = asks(effects)
    agent.observe(found({ pod: 'u1', startedAt: '2026-01-01T02:00:00Z' }))
    expect(steps(answer(agent, late, 'failure'))).toEqual([])
    expect(Object.values(agent.state.probes)[0]?.unhealthy).toBeNull()
  })
})

describe('readiness', () => {
  it('is what the report says, with why not', () => {
    const { agent, effects } = running(probed({ readinessProbe: LIVE }))
    expect(reportOf(agent)).toMatchObject({ ready: false, phase: 'Running', containers: [{ state: 'running', ready: false, started: true }] })
    answer(agent, asks(effects)[0], 'failure')
    expect(reportOf(agent)?.cause).toMatchObject({ code: 'container.unhealthy', facts: { probe: 'readiness' } })
    const [again] = asks(agent.after(1_000).send({ kind: 'tick' }))
    answer(agent, again, 'success')
    const after = reportOf(agent)
    expect(after).toMatchObject({ ready: true, containers: [{ ready: true }] })
    expect(after?.cause).toBeUndefined()
  })

  it('asks to be woken when the next question is due, and asks nothing before', () => {
    const { agent, effects } = running(probed({ readinessProbe: { ...LIVE, periodSeconds: 7 } }))
    answer(agent, asks(effects)[0], 'success')
    expect(asks(agent.after(6_999).send({ kind: 'tick' }))).toEqual([])
    expect(asks(agent.after(1).send({ kind: 'tick' }))).toHaveLength(1)
  })

  it('survives the agent: what was ready is ready, what was not is asked first', () => {
    const desired = probed({ readinessProbe: LIVE })
    const { agent, effects } = running(desired)
    answer(agent, asks(effects)[0], 'success')
    agent.after(60_000).send({ kind: 'tick' })
    const kept = agent.saves().at(-1)?.state.ledger ?? {}
    const next = new Agent(saved([desired], { ledger: kept }))
    next.observe(found({ pod: 'u1' }))
    expect(reportOf(next)).toMatchObject({ ready: true })
    const other = new Agent(saved([desired], { ledger: kept }))
    other.observe(found({ pod: 'u1', startedAt: '2026-01-01T05:00:00Z' }))
    expect(reportOf(other)).toMatchObject({ ready: false })
  })
})

describe('hooks', () => {
  it('preStop travels with the stop of a pod that is no longer desired', () => {
    const container = { ...found({ pod: 'u1', grace: 9 }), preStop: { httpGet: { port: 8080, path: '/bye' } } }
    const { agent } = running(pod({ uid: 'u1' }), container)
    agent.send({ kind: 'target', desired: { ...saved([]), device: 'gw-1', epoch: 1, generation: 2, issuedAt: '', digest: 'e', pods: [] } })
    const effects = agent.send({ kind: 'saved', epoch: 1, generation: 2 })
    expect(steps(effects)).toMatchObject([
      { kind: 'stop', graceSeconds: 9, preStop: { kind: 'http', host: '172.17.0.2', port: 8080, path: '/bye' } },
      { kind: 'remove' },
    ])
  })

  it('postStart is not run again for what an earlier agent started', () => {
    const desired = probed({ lifecycle: { postStart: { exec: { command: ['true'] } } } })
    expect(asks(running(desired).effects).map(({ probe }) => probe)).toEqual(['post-start'])
    const adopting = new Agent(saved([desired]))
    expect(asks(adopting.observe(found({ pod: 'u1' })))).toEqual([])
    expect(reportOf(adopting)).toMatchObject({ ready: true })
  })
})
