import { describe, expect, it } from 'vitest'
import { initialState } from '../edge-agent/core/initial-state.ts'
import type { Now } from '../edge-agent/core/model.ts'
import type { OverrideRequest, SavedState } from '../edge-agent/core/saved-model.ts'
import type { AgentEvent, AgentState, Effect } from '../edge-agent/core/state.ts'
import { overrideRefusal } from '../edge-agent/core/overrides.ts'
import { reduce } from '../edge-agent/core/reducer.ts'
import { fromStored, toStored } from '../edge-agent/store/saved-state.ts'
import { LIMITS } from '../protocol/limits.ts'
import { parse } from '../protocol/shape.ts'
import { STATUS_REPORT } from '../protocol/status-report.ts'
import { DEVICE, desiredOf, found, pod } from './agent-world.ts'

const MINUTE = 60_000
const WEB = pod({ uid: 'web' })
const JOB = pod({ uid: 'job', restartPolicy: 'Never' })

const request = (more: Partial<OverrideRequest> = {}): OverrideRequest => ({
  id: 'o1',
  kind: 'hold',
  podUid: 'web',
  owner: 'anna',
  reason: 'belt change',
  forMs: 30 * MINUTE,
  ...more,
})

/** A device that was told what to run, driven by hand. */
class Device {
  state: AgentState = initialState({ device: DEVICE, sid: 's', agentVersion: '0' }, { monoMs: 0, wallMs: 0 })
  now: Now = { monoMs: 1_000, wallMs: 1_000 }
  saved: SavedState | null = null
  steps: readonly string[] = []

  constructor(state: SavedState = { desired: desiredOf([WEB, JOB]), floor: null, ledger: {} }) {
    this.send({ kind: 'loaded', loaded: { kind: 'state', state, fellBack: false } })
  }

  send(event: AgentEvent): void {
    const turn = reduce(this.state, event, this.now)
    this.state = turn.state
    for (const effect of turn.effects) this.take(effect)
  }

  /** what the engine shows; steps that follow are done as far as they go */
  sees(...containers: readonly ReturnType<typeof found>[]): readonly string[] {
    this.steps = []
    if (!this.state.observing) this.send({ kind: 'engine-event' })
    this.send({ kind: 'observed', containers })
    return this.steps
  }

  pass(ms: number): void {
    this.now = { monoMs: this.now.monoMs + ms, wallMs: this.now.wallMs + ms }
    this.send({ kind: 'tick' })
  }

  private take(effect: Effect): void {
    if (effect.kind === 'save') {
      this.saved = effect.state
      this.send({ kind: 'saved', epoch: effect.version?.epoch ?? 0, generation: effect.version?.generation ?? 0 })
    }
    if (effect.kind !== 'run-wave') return
    this.steps = [...this.steps, ...effect.lanes.flatMap((lane) => lane.steps.map((step) => `${step.kind} ${lane.key.split('/')[0]}`))]
    this.send({ kind: 'wave-done', wave: effect.wave })
  }
}

const verdictOf = (device: Device, uid: string) => device.state.plan.verdicts.find((one) => one.identity.podUid === uid)

describe('a hold', () => {
  it('stops what runs, keeps it stopped, and ends by itself', () => {
    const device = new Device()
    device.sees(found({ pod: 'web' }), found({ pod: 'job' }))
    device.send({ kind: 'override', request: request() })
    expect(device.sees(found({ pod: 'web' }), found({ pod: 'job' }))).toEqual(['stop web'])
    expect(device.sees(found({ pod: 'web', state: 'exited', exitCode: 143 }), found({ pod: 'job' }))).toEqual([])
    expect(verdictOf(device, 'web')).toMatchObject({ kind: 'blocked', cause: { code: 'override.local.hold', facts: { owner: 'anna' } } })
    device.pass(31 * MINUTE)
    expect(device.state.overrides).toEqual([])
    expect(device.steps).toContain('start web')
  })

  it('keeps nothing that is no longer wanted', () => {
    const device = new Device()
    device.sees(found({ pod: 'web' }), found({ pod: 'job' }))
    device.send({ kind: 'override', request: request() })
    device.send({ kind: 'target', desired: desiredOf([JOB], 2) })
    expect(device.sees(found({ pod: 'web' }), found({ pod: 'job' }))).toEqual(['stop web', 'remove web'])
  })

  it('survives a restart of the agent with the time that was left, whatever the wall clock says', () => {
    const before = new Device()
    before.sees(found({ pod: 'web' }), found({ pod: 'job' }))
    before.send({ kind: 'override', request: request() })
    before.pass(20 * MINUTE)
    const stored: unknown = JSON.parse(JSON.stringify(toStored(before.saved ?? { desired: null, floor: null, ledger: {} })))
    const read = fromStored(stored)
    if (!read.ok) throw new Error(read.why)
    const after = new Device(read.value)
    after.now = { monoMs: after.now.monoMs, wallMs: 4e12 }
    expect(after.state.overrides[0]?.untilMonoMs).toBeLessThanOrEqual(1_000 + 20 * MINUTE)
    after.pass(9 * MINUTE)
    expect(after.state.overrides).toHaveLength(1)
    after.pass(11 * MINUTE)
    expect(after.state.overrides).toEqual([])
  })

  it('is reported, once, with owner and reason', () => {
    const device = new Device()
    device.sees(found({ pod: 'web' }), found({ pod: 'job' }))
    device.send({ kind: 'override', request: request() })
    device.pass(2_000)
    const report = device.state.report.last
    expect(parse(STATUS_REPORT, report).ok).toBe(true)
    expect(report?.overrides).toMatchObject([{ kind: 'hold', owner: 'anna', reason: 'belt change', pod: { uid: 'web', name: 'web' } }])
    const { seq } = device.state.report
    device.pass(5_000)
    expect(device.state.report.seq).toBe(seq)
  })
})

describe('a restart', () => {
  it('ends each container of the pod once, without a backoff, and is over then', () => {
    const device = new Device()
    device.sees(found({ pod: 'web' }), found({ pod: 'job' }))
    device.send({ kind: 'override', request: request({ kind: 'restart' }) })
    expect(device.sees(found({ pod: 'web' }), found({ pod: 'job' }))).toEqual(['stop web'])
    expect(device.sees(found({ pod: 'web', state: 'exited', exitCode: 143 }), found({ pod: 'job' }))).toEqual(['start web'])
    expect(device.sees(found({ pod: 'web', startedAt: '2026-01-02T00:00:00Z' }), found({ pod: 'job' }))).toEqual([])
    device.pass(1)
    expect(device.state.overrides).toEqual([])
  })

  it('starts a job again that ended for good', () => {
    const device = new Device()
    const ended = found({ pod: 'job', state: 'exited', exitCode: 0 })
    device.sees(found({ pod: 'web' }), ended)
    device.send({ kind: 'override', request: request({ kind: 'restart', podUid: 'job' }) })
    expect(device.sees(found({ pod: 'web' }), ended)).toEqual(['start job'])
  })

  it('is given up when it cannot be done', () => {
    const device = new Device()
    device.sees(found({ pod: 'web' }), found({ pod: 'job' }))
    device.send({ kind: 'override', request: request({ kind: 'restart' }) })
    device.pass(LIMITS.overrideRestartMs.value + 1)
    expect(device.state.overrides).toEqual([])
  })
})

describe('safe mode', () => {
  it('applies no new desired state, goes on with what runs, and catches up when it ends', () => {
    const device = new Device()
    device.sees(found({ pod: 'web' }), found({ pod: 'job' }))
    device.send({ kind: 'override', request: request({ kind: 'safe-mode', podUid: null }) })
    device.send({ kind: 'target', desired: desiredOf([], 7) })
    expect(device.sees(found({ pod: 'web' }), found({ pod: 'job' }))).toEqual([])
    expect(device.state.desired?.generation).toBe(1)
    expect(device.saved?.desired?.generation).toBe(1)
    expect(device.state.report.last?.causes.map((one) => one.code) ?? []).not.toContain('desired.refused.stale')
    device.send({ kind: 'override-end', id: 'o1' })
    expect(device.state.desired?.generation).toBe(7)
    expect(device.sees(found({ pod: 'web' }), found({ pod: 'job' }))).toEqual(expect.arrayContaining(['remove web', 'remove job']))
  })
})

describe('what is refused, with a cause and without any effect', () => {
  it.each([
    [{ owner: ' ' }, 'owner'],
    [{ reason: '' }, 'reason'],
    [{ reason: 'x'.repeat(201) }, 'reason'],
    [{ forMs: 0 }, 'one minute'],
    [{ forMs: Number.NaN }, 'one minute'],
    [{ forMs: LIMITS.overrideMaxMs.value + 1 }, '7 days'],
    [{ podUid: 'nobody' }, 'no such workload'],
    [{ podUid: null }, 'no such workload'],
    [{ kind: 'safe-mode' }, 'whole device'],
  ] as const)('%j', (more, why) => {
    const device = new Device()
    device.sees(found({ pod: 'web' }), found({ pod: 'job' }))
    expect(overrideRefusal(device.state, request(more))?.facts['why']).toContain(why)
    device.send({ kind: 'override', request: request(more) })
    expect(device.state.overrides).toEqual([])
  })

  it('the previous release, when none is kept', () => {
    const device = new Device()
    expect(overrideRefusal(device.state, request({ kind: 'run-previous' }))?.code).toBe('override.local.no-previous')
  })
})

it('an older agent reads the file of a newer one without its overrides, and the other way round', () => {
  const read = fromStored({ v: 1, desired: null, floor: null, ledger: {} })
  expect(read).toEqual({ ok: true, value: { v: 1, desired: null, floor: null, ledger: {} } })
  const bad = fromStored({ v: 1, desired: null, floor: null, ledger: {}, overrides: [{ id: 'x' }] })
  expect(bad.ok).toBe(false)
})
