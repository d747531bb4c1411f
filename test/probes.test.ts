/** The probe state machine against the kubelet's rules, one row a rule, and what must hold in every order of answers. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../protocol/limits.ts'
import type { ContainerSpec } from '../protocol/pod.ts'
import type { Probe } from '../protocol/probe.ts'
import { actionOf } from '../edge-agent/core/probe-action.ts'
import { answered, askDue, firstMet, inFlightCount, nextProbeAt } from '../edge-agent/core/probes.ts'
import type { Met } from '../edge-agent/core/probes.ts'
import type { ContainerProbes, ProbeAsk, ProbeKind, Probes } from '../edge-agent/core/probe-model.ts'

const TCP = { tcpSocket: { port: 80 } }
type Parts = Partial<Pick<ContainerSpec, 'livenessProbe' | 'readinessProbe' | 'startupProbe' | 'lifecycle'>>

/** One container and a clock: `ask` says what is due now, `say` answers it. */
class Run {
  nowMs = 1_000
  probes: Probes

  constructor(parts: Parts, met: Met = { kind: 'fresh' }) {
    const container: ContainerSpec = { name: 'app', image: 'a:1', ...parts }
    this.probes = { k: firstMet({ run: 'id@t', target: 'id', host: '10.0.0.1', container }, met, this.nowMs) }
  }

  get one(): ContainerProbes {
    const { k } = this.probes
    if (k === undefined) throw new Error('no container')
    return k
  }

  ask(afterMs = 0): readonly ProbeKind[] {
    this.nowMs += afterMs
    const { probes, asks } = askDue(this.probes, this.nowMs, 16)
    this.probes = probes
    return asks.map((ask: ProbeAsk) => ask.probe)
  }

  say(probe: ProbeKind, verdict: 'success' | 'failure' | 'unknown', message = 'no'): this {
    this.probes = { k: answered(this.one, probe, { verdict, message }, this.nowMs) }
    return this
  }

  /** asks `probe` now or after its period and answers, as often as there are verdicts */
  answers(probe: ProbeKind, periodMs: number, ...verdicts: readonly ('success' | 'failure' | 'unknown')[]): this {
    for (const verdict of verdicts) {
      for (let waited = 0; !this.ask(waited === 0 ? 0 : periodMs).includes(probe); waited += 1)
        if (waited > 2) throw new Error(`${probe} is not asked`)
      this.say(probe, verdict)
    }
    return this
  }
}

const every = (periodSeconds: number, more: Probe = {}): Probe => ({ ...TCP, periodSeconds, ...more })

describe('probes: readiness', () => {
  it('is not ready before the first success', () => {
    const run = new Run({ readinessProbe: every(1) })
    expect(run.one).toMatchObject({ started: true, ready: false })
    expect(run.answers('readiness', 1_000, 'success').one.ready).toBe(true)
  })
  it.each<readonly [string, Probe, readonly ('success' | 'failure' | 'unknown')[], boolean]>([
    ['two of three failures keep it ready', every(1), ['success', 'failure', 'failure'], true],
    ['the third failure takes it away', every(1), ['success', 'failure', 'failure', 'failure'], false],
    ['a success between starts the count again', every(1), ['success', 'failure', 'failure', 'success', 'failure', 'failure'], true],
    ['an unknown answer counts neither way', every(1), ['success', 'failure', 'failure', 'unknown'], true],
    ['an unknown answer does not start the count again', every(1), ['success', 'failure', 'failure', 'unknown', 'failure'], false],
    ['one success is not enough when two are asked for', every(1, { successThreshold: 2 }), ['success'], false],
    ['two successes are', every(1, { successThreshold: 2 }), ['success', 'success'], true],
    ['one success is enough to come back', every(1, { failureThreshold: 1 }), ['success', 'failure', 'success'], true],
  ])('%s', (_name, readinessProbe, verdicts, ready) => {
    const run = new Run({ readinessProbe }).answers('readiness', 1_000, ...verdicts)
    expect(run.one.ready).toBe(ready)
    expect(run.one.unhealthy).toBeNull()
  })
  it('waits for its initial delay', () => {
    const run = new Run({ readinessProbe: every(1, { initialDelaySeconds: 5 }) })
    expect(run.ask(4_999)).toEqual([])
    expect(run.ask(1)).toEqual(['readiness'])
  })
  it('says why, and anew only at the 2nd, 4th, 8th… failure of a row', () => {
    const run = new Run({ readinessProbe: every(1) })
    const told = Array.from({ length: 9 }, (_, index) => {
      run.ask(1_000)
      return run.say('readiness', 'failure', `failure ${index + 1}`).one.failing.readiness?.facts['why']
    })
    expect(told.map((text) => text?.slice(-1)).join('')).toBe('122444488')
    run.ask(1_000)
    expect(run.say('readiness', 'success').one.failing).toEqual({})
  })
})

describe('probes: liveness', () => {
  it('asks for a restart at the third failure in a row, and for nothing after that', () => {
    const run = new Run({ livenessProbe: every(1), readinessProbe: every(1) })
    run.answers('liveness', 1_000, 'failure', 'failure')
    expect(run.one.unhealthy).toBeNull()
    run.answers('liveness', 1_000, 'failure')
    expect(run.one.unhealthy).toMatchObject({ code: 'container.unhealthy', facts: { probe: 'liveness', why: 'no' } })
    expect(run.one.ready).toBe(false)
    run.say('readiness', 'success')
    expect(run.ask(60_000)).toEqual([])
    expect(nextProbeAt(run.probes)).toBeNull()
  })
  it('fails at once when its port has no name', () => {
    const run = new Run({ livenessProbe: every(1, { tcpSocket: { port: 'web' }, failureThreshold: 1 }) })
    expect(run.ask()).toEqual([])
    expect(run.one.unhealthy?.facts['why']).toBe('the container has no port named "web"')
  })
})

describe('probes: startup', () => {
  const parts: Parts = { startupProbe: every(1, { failureThreshold: 5 }), livenessProbe: every(1, { failureThreshold: 1 }), readinessProbe: every(1) }
  it('holds back the two others until it passed', () => {
    const run = new Run(parts)
    expect(run.one).toMatchObject({ started: false, ready: false })
    for (let index = 0; index < 4; index += 1) {
      expect(run.ask(1_000)).toEqual(['startup'])
      run.say('startup', 'failure')
    }
    run.answers('startup', 1_000, 'success')
    expect(run.one).toMatchObject({ started: true, ready: false, unhealthy: null })
    expect(run.ask()).toEqual(['liveness', 'readiness'])
    run.say('liveness', 'success')
    expect(run.ask(1_000)).toEqual(['liveness'])
  })
  it('restarts when it has failed as often as it may', () => {
    const run = new Run(parts).answers('startup', 1_000, 'failure', 'failure', 'failure', 'failure', 'failure')
    expect(run.one.unhealthy?.facts).toMatchObject({ probe: 'startup' })
  })
  it('makes a container without a readiness probe ready', () => {
    const run = new Run({ startupProbe: every(1) })
    expect(run.one.ready).toBe(false)
    expect(run.answers('startup', 1_000, 'success').one.ready).toBe(true)
  })
})

describe('probes: hooks', () => {
  const lifecycle = { postStart: { exec: { command: ['sh'] } } }
  it('runs postStart once, before all probes', () => {
    const run = new Run({ lifecycle, livenessProbe: every(1) })
    expect(run.ask()).toEqual(['post-start'])
    expect(run.ask(60_000)).toEqual([])
    expect(run.one).toMatchObject({ started: false, ready: false })
    run.say('post-start', 'success')
    expect(run.one).toMatchObject({ started: true, ready: true })
    expect(run.ask()).toEqual(['liveness'])
  })
  it('restarts when it fails, or when the engine cannot run it', () => {
    for (const verdict of ['failure', 'unknown'] as const) {
      const run = new Run({ lifecycle })
      run.ask()
      expect(run.say('post-start', verdict).one.unhealthy).toMatchObject({ code: 'container.hook.failed', facts: { hook: 'postStart' } })
    }
  })
})

describe('probes: after a restart of the agent', () => {
  const parts: Parts = {
    lifecycle: { postStart: { exec: { command: ['sh'] } } },
    startupProbe: every(1),
    livenessProbe: every(1),
    readinessProbe: every(30),
  }
  it('keeps what was ready, runs no hook again, and does not wait for the period', () => {
    const run = new Run(parts, { kind: 'adopted', key: 'k', started: true, ready: true })
    expect(run.one).toMatchObject({ started: true, ready: true })
    const asked = Array.from({ length: 10 }, () => run.ask(1_000)).flat()
    expect(new Set(asked)).toEqual(new Set(['liveness', 'readiness']))
    run.say('readiness', 'failure')
    expect(run.one.ready).toBe(true)
  })
  it('goes on starting what had not started', () => {
    const run = new Run(parts, { kind: 'adopted', key: 'k', started: false, ready: false })
    expect(run.one).toMatchObject({ started: false, ready: false })
    expect(run.ask(1_000)).toEqual(['startup'])
  })
  it('spreads the first questions of many containers', () => {
    const at = Array.from({ length: 50 }, (_, index) =>
      nextProbeAt(new Run({ livenessProbe: every(10) }, { kind: 'adopted', key: `k${index}`, started: true, ready: true }).probes),
    )
    expect(new Set(at).size).toBeGreaterThan(40)
    expect(Math.max(...at.map(Number))).toBeLessThanOrEqual(1_000 + LIMITS.probeJitterMs.value)
  })
})

describe('probes: how often', () => {
  it('asks no more than there is room for, the longest waiting first', () => {
    const container: ContainerSpec = { name: 'app', image: 'a:1', livenessProbe: every(1) }
    const made = (key: string, at: number) => [key, firstMet({ run: key, target: key, host: '10.0.0.1', container }, { kind: 'fresh' }, at)] as const
    const probes = Object.fromEntries([made('late', 900), made('early', 100), made('middle', 500)])
    const first = askDue(probes, 1_000, 2)
    expect(first.asks.map(({ key }) => key)).toEqual(['early', 'middle'])
    expect(inFlightCount(first.probes)).toBe(2)
    expect(askDue(first.probes, 1_000, 0).asks).toEqual([])
  })

  it('never faster than asked, never twice at once, and a restart only after the threshold, whatever is answered', () => {
    const verdict = fc.constantFrom<'success' | 'failure' | 'unknown'>('success', 'failure', 'unknown')
    const probe = fc.record({ periodSeconds: fc.integer({ min: 1, max: 5 }), failureThreshold: fc.integer({ min: 1, max: 4 }) })
    const step = fc.record({ waitMs: fc.integer({ min: 0, max: 4_000 }), verdict, answer: fc.boolean() })
    fc.assert(
      fc.property(probe, fc.option(probe, { nil: undefined }), fc.array(step, { maxLength: 60 }), (live, start, steps) => {
        const startupProbe = start === undefined ? {} : { startupProbe: { ...TCP, ...start } }
        const run = new Run({ livenessProbe: { ...TCP, ...live }, ...startupProbe })
        const inFlight = new Set<ProbeKind>()
        const lastAt = new Map<ProbeKind, number>()
        let failures = 0
        for (const { waitMs, verdict: said, answer } of steps) {
          for (const kind of run.ask(waitMs)) {
            expect(inFlight.has(kind)).toBe(false)
            inFlight.add(kind)
            const period = (kind === 'startup' ? (start?.periodSeconds ?? 0) : live.periodSeconds) * 1000
            expect(run.nowMs - (lastAt.get(kind) ?? -Infinity)).toBeGreaterThanOrEqual(period)
            lastAt.set(kind, run.nowMs)
            if (kind === 'liveness') expect(run.one.started).toBe(true)
          }
          const [kind] = inFlight
          if (!answer || kind === undefined) continue
          inFlight.delete(kind)
          failures = said === 'failure' ? failures + 1 : said === 'success' ? 0 : failures
          run.say(kind, said)
          if (run.one.unhealthy === null) continue
          expect(failures).toBeGreaterThanOrEqual(kind === 'startup' ? (start?.failureThreshold ?? 0) : live.failureThreshold)
          return
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('probe actions', () => {
  it.each([
    ['http', { httpGet: { port: 'web', path: 'x' } }, { kind: 'http', host: '10.0.0.1', port: 8080, path: '/x', https: false, headers: [] }],
    [
      'https elsewhere',
      { httpGet: { port: 1, scheme: 'HTTPS', host: 'h' } },
      { kind: 'http', host: 'h', port: 1, path: '/', https: true, headers: [] },
    ],
    ['tcp', TCP, { kind: 'tcp', host: '10.0.0.1', port: 80 }],
    ['grpc', { grpc: { port: 9 } }, { kind: 'grpc', host: '10.0.0.1', port: 9, service: '' }],
    ['exec', { exec: { command: ['a', 'b'] } }, { kind: 'exec', target: 'id', argv: ['a', 'b'] }],
    ['sleep', { sleep: { seconds: 2 } }, { kind: 'sleep', ms: 2_000 }],
  ] as const)('%s', (_name, handler, action) => {
    expect(actionOf(handler, [{ name: 'web', containerPort: 8080 }], 'id', '10.0.0.1')).toEqual(action)
  })
  it('cannot ask what has no address', () => {
    expect(actionOf(TCP, [], 'id', null)).toBe('the container has no address')
  })
})
