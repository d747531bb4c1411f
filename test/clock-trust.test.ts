import fc from 'fast-check'
import { mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../protocol/limits.ts'
import { clockCause, freshClock, OLDEST_MS, trustedWallMs } from '../edge-agent/core/clock-trust.ts'
import type { ClockFacts } from '../edge-agent/core/clock-trust.ts'
import { initialState } from '../edge-agent/core/initial-state.ts'
import type { Loaded } from '../edge-agent/core/saved-model.ts'
import type { AgentEvent, AgentState, Effect } from '../edge-agent/core/state.ts'
import { reduce } from '../edge-agent/core/reducer.ts'
import { readClockFacts } from '../edge-agent/inventory/clock-facts.ts'
import { saved, U1 } from './agent-harness.ts'
import { DEVICE } from './agent-world.ts'

const HOUR = 3_600_000
const YEAR = 365.25 * 24 * HOUR
const BUILT = Date.parse('2026-06-01T00:00:00Z')
const START = Date.parse('2026-07-01T12:00:00Z')
const SYNC = '/run/systemd/timesync/synchronized'
const NOTHING: ClockFacts = { uptimeMs: null, traces: {}, hardwareMs: null }

/** An agent on a host whose wall clock can be set; `true` time is what a time server would say. */
class Host {
  monoMs = 500
  wallOffset: number
  bootedMonoMs = -20_000
  synced: number | null = null
  state: AgentState
  logs: string[] = []
  saves: Extract<Effect, { kind: 'save' }>[] = []

  constructor(wallMs = START, loaded: Loaded = saved([U1])) {
    this.wallOffset = wallMs - this.monoMs
    this.state = { ...initialState({ device: DEVICE, sid: 's', agentVersion: '1' }, this.now()), clock: freshClock(BUILT) }
    this.send({ kind: 'loaded', loaded })
  }

  now() {
    return { monoMs: this.monoMs, wallMs: Math.round(this.monoMs + this.wallOffset) }
  }

  send(event: AgentEvent): void {
    const { state, effects } = reduce(this.state, event, this.now())
    this.state = state
    for (const effect of effects) {
      if (effect.kind === 'log') this.logs.push(effect.msg)
      if (effect.kind === 'save') this.saves.push(effect)
    }
  }

  pass(ms: number): this {
    this.monoMs += ms
    this.send({ kind: 'tick' })
    return this
  }

  step(ms: number): this {
    this.wallOffset += ms
    return this.pass(1_000)
  }

  /** a time server answered: the service touches its file, and the host is looked at */
  answer(): this {
    this.synced = this.now().wallMs
    return this.look()
  }

  look(): this {
    const traces: Record<string, number> = this.synced === null ? {} : { [SYNC]: this.synced }
    this.send({ kind: 'clock', facts: { uptimeMs: this.monoMs - this.bootedMonoMs, traces, hardwareMs: null } })
    return this
  }

  why(): string | null {
    return clockCause(this.state.clock, this.now())?.code ?? null
  }
}

describe('the clock is believed', () => {
  it('only with a proof of this boot', () => {
    const host = new Host()
    expect(host.why()).toBe('clock.unproven')
    host.send({ kind: 'clock', facts: NOTHING })
    expect(host.why()).toBe('clock.unproven')
    host.send({ kind: 'clock', facts: { uptimeMs: 20_000, traces: { [SYNC]: START - 3 * HOUR }, hardwareMs: null } })
    expect(host.why(), 'a trace from before the boot').toBe('clock.unproven')
    host.answer()
    expect(host.why()).toBeNull()
    expect(trustedWallMs(host.state.clock, host.now())).toBe(host.now().wallMs)
    host.pass(30 * 24 * HOUR)
    expect(host.why(), 'a month without a server').toBeNull()
  })

  it('by the battery-backed clock when that agrees and is not before the floor', () => {
    const host = new Host()
    host.send({ kind: 'clock', facts: { ...NOTHING, hardwareMs: START + 500 } })
    expect(host.why()).toBeNull()
    const dead = new Host(0)
    dead.send({ kind: 'clock', facts: { ...NOTHING, hardwareMs: 0 } })
    expect(dead.why()).toBe('clock.behind')
    const elsewhere = new Host()
    elsewhere.send({ kind: 'clock', facts: { ...NOTHING, hardwareMs: START - 2 * HOUR } })
    expect(elsewhere.why()).toBe('clock.unproven')
  })

  it('by the cloud, which also finds it wrong', () => {
    const host = new Host()
    host.send({ kind: 'cloud-time', atWallMs: START + 2_000 })
    expect(host.why()).toBeNull()
    for (let again = 0; again < 3; again += 1) host.send({ kind: 'cloud-time', atWallMs: START - 2 * HOUR })
    expect(host.why()).toBe('clock.wrong')
    expect(
      host.logs.filter((msg) => msg === 'the clock differs from that of the cloud'),
      'told once',
    ).toHaveLength(1)
    host.answer()
    expect(host.why()).toBeNull()
    host.send({ kind: 'cloud-time', atWallMs: START - 2 * HOUR })
    expect(host.why(), 'a time server is believed before the cloud').toBeNull()
  })

  it('not before the floor, whatever says so', () => {
    const host = new Host(Date.parse('1970-01-01T00:05:00Z')).answer()
    expect(host.why()).toBe('clock.behind')
    const saves = saved([U1], { clock: { wallMs: START + 24 * HOUR } })
    const later = new Host(START, saves)
    later.send({ kind: 'clock', facts: { ...NOTHING, hardwareMs: START } })
    expect(later.why()).toBe('clock.behind')
  })

  it('again when a wrong clock had poisoned the floor and a real source speaks', () => {
    const host = new Host(START, saved([U1], { clock: { wallMs: START + 10 * YEAR } }))
    expect(host.why()).toBe('clock.behind')
    host.answer()
    expect(host.why()).toBeNull()
    expect(host.saves.at(-1)?.state.clock?.wallMs).toBe(host.now().wallMs)
  })
})

describe('a step of the clock', () => {
  it('is told, and what was proven before says nothing about the new time', () => {
    const host = new Host().answer()
    for (const by of [HOUR, -2 * HOUR, 10 * YEAR]) {
      host.step(by)
      host.pass(30_000).look()
      expect(host.why(), `${by}`).toBe('clock.jumped')
      host.pass(3 * HOUR).look()
      expect(host.why(), `${by}, and later`).toBe('clock.jumped')
      host.answer()
      expect(host.why()).toBeNull()
    }
    expect(host.logs.filter((line) => line === 'the wall clock jumped')).toHaveLength(3)
    expect(host.logs.filter((line) => line === 'the clock is confirmed')).toHaveLength(4)
  })

  it('by the time service itself is confirmed by it', () => {
    const host = new Host(Date.parse('2026-06-02T00:00:00Z')).look()
    expect(host.why()).toBe('clock.unproven')
    host.step(29 * 24 * HOUR).answer()
    expect(host.why()).toBeNull()
  })

  it('back to where it was proven is believed at once', () => {
    const host = new Host().answer()
    host.step(10 * YEAR)
    expect(host.why()).toBe('clock.jumped')
    host.step(-10 * YEAR)
    expect(host.why()).toBeNull()
  })

  it('again and again is one fault, told once, that ends with the quiet', () => {
    const host = new Host().answer()
    for (let n = 0; n < 100; n += 1) host.step(n % 2 === 0 ? HOUR : -HOUR)
    expect(host.why()).toBe('clock.unsteady')
    expect(host.logs.filter((line) => line.startsWith('the wall clock'))).toEqual([
      'the wall clock jumped',
      'the wall clock jumped',
      'the wall clock keeps jumping',
    ])
    host.pass(LIMITS.clockUnsteadyMs.value)
    expect(host.why()).toBeNull()
  })

  it('is no step when a service bends the clock', () => {
    const host = new Host().answer()
    for (let n = 0; n < 500; n += 1) {
      host.wallOffset += 400
      host.pass(30_000)
    }
    expect(host.why()).toBeNull()
    expect(host.logs.filter((line) => line.startsWith('the wall clock'))).toEqual([])
  })
})

it('the time is written down four times a day, and never one that is not believed', () => {
  const host = new Host()
  host.pass(HOUR)
  expect(host.saves).toEqual([])
  host.answer()
  for (let hour = 0; hour < 48; hour += 0.5) {
    const { floor } = host.state
    if (host.state.timing.saveInFlight) host.send({ kind: 'saved', epoch: floor?.epoch ?? 0, generation: floor?.generation ?? 0 })
    host.pass(HOUR / 2)
  }
  expect(host.saves.length).toBeGreaterThan(6)
  expect(host.saves.length).toBeLessThan(10)
  const last = host.state.clock.savedWallMs
  host.step(10 * YEAR).pass(48 * HOUR)
  host.send({ kind: 'saved', epoch: 1, generation: 1 })
  host.pass(48 * HOUR)
  expect(host.state.clock.savedWallMs).toBe(last)
  expect(host.state.clock.floorMs).toBeLessThan(START)
})

it('is never believed away from a time that somebody proved, whatever happens', () => {
  const move = fc.oneof(
    fc.record({ kind: fc.constant('step' as const), ms: fc.integer({ min: -20 * YEAR, max: 20 * YEAR }) }),
    fc.record({ kind: fc.constant('pass' as const), ms: fc.integer({ min: 0, max: 3 * HOUR }) }),
    fc.record({ kind: fc.constant('look' as const), ms: fc.constant(0) }),
    fc.record({ kind: fc.constant('repair' as const), ms: fc.constant(0) }),
  )
  fc.assert(
    fc.property(fc.array(move, { maxLength: 30 }), (moves) => {
      const host = new Host()
      // what a time server would say: the offset that the clock began with
      const right = host.wallOffset
      for (const { kind, ms } of moves) {
        if (kind === 'step') host.step(ms)
        if (kind === 'pass') host.pass(ms)
        if (kind === 'look') host.look()
        if (kind === 'repair') {
          host.wallOffset = right
          host.pass(1_000).answer()
        }
        const off = Math.abs(host.wallOffset - right)
        if (trustedWallMs(host.state.clock, host.now()) !== null) expect(off).toBeLessThanOrEqual(LIMITS.clockToleranceMs.value)
      }
      expect(host.state.clock.builtMs).toBeGreaterThanOrEqual(OLDEST_MS)
    }),
    { numRuns: 300 },
  )
})

it('the traces are read from files', async () => {
  const root = await mkdtemp(path.join(tmpdir(), 'skerry-clock-'))
  try {
    expect(await readClockFacts(root)).toEqual(NOTHING)
    for (const dir of ['run/systemd/timesync', 'proc', 'sys/class/rtc/rtc0']) await mkdir(path.join(root, dir), { recursive: true })
    await writeFile(path.join(root, SYNC), '')
    await utimes(path.join(root, SYNC), START / 1000, START / 1000)
    await writeFile(path.join(root, 'proc/uptime'), '1234.50 4000.00\n')
    await writeFile(path.join(root, 'sys/class/rtc/rtc0/hctosys'), '1\n')
    await writeFile(path.join(root, 'sys/class/rtc/rtc0/since_epoch'), `${START / 1000}\n`)
    expect(await readClockFacts(root)).toEqual({ uptimeMs: 1_234_500, traces: { [SYNC]: START }, hardwareMs: START })
    await writeFile(path.join(root, 'sys/class/rtc/rtc0/hctosys'), '0\n')
    expect((await readClockFacts(root)).hardwareMs).toBeNull()
  } finally {
    await rm(root, { recursive: true })
  }
})
