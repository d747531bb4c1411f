/** The loop with the real reducer over the fake engine and a hand-turned clock. */
import { describe, expect, it } from 'vitest'
import { initialState } from '../edge-agent/core/initial-state.ts'
import type { DesiredState } from '../edge-agent/core/model.ts'
import type { Loaded, SavedState } from '../edge-agent/core/saved-model.ts'
import type { AgentEvent } from '../edge-agent/core/state.ts'
import type { Log } from '../edge-agent/ports.ts'
import { startLoop } from '../edge-agent/runtime/loop.ts'
import type { Loop } from '../edge-agent/runtime/loop.ts'
import { createWakeUp, repeat } from '../edge-agent/runtime/timers.ts'
import { createWatchdog } from '../edge-agent/runtime/watchdog.ts'
import { cause } from '../protocol/causes.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { StatusReport } from '../protocol/status-report.ts'
import { DEVICE, desiredOf, pod } from './agent-world.ts'
import { FakeClock } from './fakes/clock.ts'
import { FakeEngine } from './fakes/engine.ts'
import { FakeProber } from './fakes/prober.ts'

const IMAGE = 'registry.local/app:1'
const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} }

interface World {
  readonly clock: FakeClock
  readonly engine: FakeEngine
  readonly loop: Loop
  readonly saved: SavedState[]
  readonly reports: StatusReport[]
  readonly stuck: string[]
  readonly store: { save: (state: SavedState) => Promise<void> }
}

/** An agent that has just started. */
async function world(loaded: Loaded = { kind: 'none' }, engineBefore?: FakeEngine, clock = new FakeClock()): Promise<World> {
  const engine = engineBefore ?? new FakeEngine({ clock, device: DEVICE, images: [IMAGE] })
  const saved: SavedState[] = []
  const reports: StatusReport[] = []
  const stuck: string[] = []
  const store = { save: (state: SavedState): Promise<void> => Promise.resolve(void saved.push(state)) }
  const loop = startLoop({
    initial: initialState({ device: DEVICE, sid: 'sid', agentVersion: '0' }, clock.now()),
    ports: {
      engine,
      clock,
      log: quiet,
      store: { load: () => Promise.resolve(loaded), save: (state) => store.save(state) },
      link: { publishStatus: (report) => void reports.push(report), publishInventory: () => {} },
      prober: new FakeProber(),
      watchdog: createWatchdog(clock, (what) => void stuck.push(what)),
    },
    onBroken: (event, error) => {
      throw new Error(event.kind, { cause: error })
    },
  })
  engine.watch(() => loop.dispatch({ kind: 'engine-event' }))
  loop.dispatch({ kind: 'loaded', loaded })
  await clock.advance(0)
  return { clock, engine, loop, saved, reports, stuck, store }
}

const target = (desired: DesiredState): AgentEvent => ({ kind: 'target', desired })
const running = (engine: FakeEngine): readonly string[] =>
  engine
    .all()
    .filter((one) => one.state === 'running')
    .map((one) => one.podName)
    .toSorted()

describe('the loop', () => {
  it('brings a document to containers, durable first, and reports them', async () => {
    const { clock, engine, loop, saved, reports } = await world()
    loop.dispatch(target(desiredOf([pod({ uid: 'a' }), pod({ uid: 'b' })])))
    expect(engine.all()).toEqual([])
    await clock.advance(2_000)
    expect(saved[0]?.desired?.generation).toBe(1)
    expect(running(engine)).toEqual(['a', 'b'])
    expect(reports.at(-1)).toMatchObject({
      converged: true,
      pods: [
        { name: 'a', phase: 'Running' },
        { name: 'b', phase: 'Running' },
      ],
    })
    expect(loop.state().engine.info?.version).toBe('fake')
  })

  it('does nothing of a document that could not be saved, and everything once it can', async () => {
    const { clock, engine, loop, store } = await world()
    const save = store.save
    store.save = () => Promise.reject(new Error('ENOSPC: no space left on device'))
    loop.dispatch(target(desiredOf([pod({ uid: 'a' })])))
    await clock.advance(5_000)
    expect(engine.all()).toEqual([])
    expect(loop.state().storage).toMatchObject({ code: 'storage.degraded', facts: { why: 'ENOSPC: no space left on device' } })
    store.save = save
    await clock.advance(LIMITS.storageRetryMaxMs.value)
    expect(running(engine)).toEqual(['a'])
  })

  it('calls a disk degraded that never answers', async () => {
    const { clock, loop, store } = await world()
    store.save = () => new Promise(() => {})
    loop.dispatch(target(desiredOf([pod({ uid: 'a' })])))
    await clock.advance(LIMITS.saveMs.value)
    expect(loop.state().storage?.code).toBe('storage.degraded')
  })

  it('restarts nothing when the agent restarts', async () => {
    const first = await world()
    const desired = desiredOf([pod({ uid: 'a' }), pod({ uid: 'b' })])
    first.loop.dispatch(target(desired))
    await first.clock.advance(2_000)
    await first.loop.stop()
    const before = first.engine.all()
    const state = first.saved.at(-1)
    const second = await world(state === undefined ? { kind: 'none' } : { kind: 'state', state, fellBack: false }, first.engine, first.clock)
    await second.clock.advance(2_000)
    expect(second.engine.all()).toEqual(before)
    expect(second.reports.at(-1)?.converged).toBe(true)
  })

  it('starts a container again that died', async () => {
    const { clock, engine, loop } = await world()
    loop.dispatch(target(desiredOf([pod({ uid: 'a' })])))
    await clock.advance(2_000)
    const [before] = engine.all()
    engine.exit(before?.name ?? '', 1)
    await clock.advance(1_000)
    expect(engine.all()).toMatchObject([{ id: before?.id, state: 'running' }])
    expect(engine.all()[0]?.startedAt).not.toBe(before?.startedAt)
  })

  it('says that the engine is away, and converges when it is back', async () => {
    const { clock, engine, loop } = await world()
    engine.stopDaemon(true)
    loop.dispatch(target(desiredOf([pod({ uid: 'a' })])))
    loop.dispatch({ kind: 'engine-event' })
    await clock.advance(5_000)
    expect(loop.state().engine).toMatchObject({ reachable: false, cause: { code: 'engine.unreachable' } })
    engine.startDaemon()
    await clock.advance(5_000)
    expect(running(engine)).toEqual(['a'])
    expect(loop.state().engine.reachable).toBe(true)
  })

  it('goes on when an adapter throws where it must not', async () => {
    const { clock, engine, loop, stuck } = await world()
    const create = engine.create.bind(engine)
    let throws = 1
    engine.create = (plan) => (throws-- > 0 ? Promise.reject(new Error('a bug')) : create(plan))
    loop.dispatch(target(desiredOf([pod({ uid: 'a' })])))
    await clock.advance(60_000)
    expect(running(engine)).toEqual(['a'])
    expect(stuck).toEqual([])
  })

  it('ends a lane at its first failure and lets the others run', async () => {
    const { clock, engine, loop } = await world()
    loop.dispatch(target(desiredOf([pod({ uid: 'a', image: 'none:1' }), pod({ uid: 'b' })])))
    await clock.advance(500)
    expect(running(engine)).toEqual(['b'])
    expect(engine.all().map((one) => one.podName)).toEqual(['b'])
  })

  it('drops a slow pull for a newer document', async () => {
    const { clock, engine, loop } = await world()
    engine.registry.add('slow:1')
    engine.pullMs = 600_000
    loop.dispatch(target(desiredOf([pod({ uid: 'a', image: 'slow:1' })], 1)))
    await clock.advance(5_000)
    expect(engine.all()).toEqual([])
    loop.dispatch(target(desiredOf([pod({ uid: 'b' })], 2)))
    await clock.advance(5_000)
    expect(running(engine)).toEqual(['b'])
    expect(engine.images.has('slow:1')).toBe(false)
  })

  it('runs at most so many steps at once', async () => {
    const { clock, engine, loop } = await world()
    engine.slowMs = 100
    let busy = 0
    let most = 0
    const start = engine.start.bind(engine)
    engine.start = async (name) => {
      busy += 1
      most = Math.max(most, busy)
      const outcome = await start(name)
      busy -= 1
      return outcome
    }
    loop.dispatch(target(desiredOf(Array.from({ length: 20 }, (_, index) => pod({ uid: `p${index}` })))))
    await clock.advance(20_000)
    expect(running(engine)).toHaveLength(20)
    expect(most).toBe(LIMITS.laneConcurrency.value)
  })

  it('sleeps when there is nothing to do', async () => {
    const { clock, engine, loop } = await world()
    loop.dispatch(target(desiredOf([pod({ uid: 'a' })])))
    await clock.advance(60_000)
    engine.calls.length = 0
    await clock.advance(10 * LIMITS.observeIdleMs.value)
    expect(engine.calls.length).toBeLessThanOrEqual(11)
    expect(clock.waiting).toBeLessThanOrEqual(2)
  })

  it('takes no event after it was stopped', async () => {
    const { clock, engine, loop } = await world()
    await loop.stop()
    loop.dispatch(target(desiredOf([pod({ uid: 'a' })])))
    await clock.advance(60_000)
    expect(engine.all()).toEqual([])
  })
})

describe('timers', () => {
  it('wakes once, at the moment that was asked for last', async () => {
    const clock = new FakeClock()
    const woken: number[] = []
    const start = clock.now().monoMs
    const wake = createWakeUp(clock, () => void woken.push(clock.now().monoMs - start))
    for (const ms of [500, 100, 900]) wake.at(start + ms)
    expect(clock.waiting).toBe(1)
    await clock.advance(1_000)
    expect(woken).toEqual([900])
  })

  it('repeats with jitter, never faster than the table allows', async () => {
    const clock = new FakeClock()
    const moments: number[] = []
    let seed = 0
    const stop = repeat(clock, { next: () => (seed = (seed + 0.37) % 1) }, 1_000, () => void moments.push(clock.now().monoMs))
    await clock.advance(100_000)
    stop()
    await clock.advance(100_000)
    expect(moments).toHaveLength(100_000 / LIMITS.tickMinMs.value)
  })
})

describe('the watchdog', () => {
  it('barks for what never ends, not for what ended or for time in which the process stood still', async () => {
    const clock = new FakeClock()
    const stuck: string[] = []
    const watchdog = createWatchdog(clock, (what) => void stuck.push(what))
    watchdog.watch('ended', 1_000)()
    watchdog.watch('hangs', 1_000)
    await clock.advance(LIMITS.effectOverdueMs.value)
    expect(stuck).toEqual([])
    await clock.advance(1_000)
    expect(stuck).toEqual(['hangs'])
    expect(clock.waiting).toBe(0)
  })

  it('has a bug in an engine adapter end the process, not an absent engine', async () => {
    const { clock, engine, stuck } = await world()
    engine.hungTimeoutMs = LIMITS.engineCallMs.value
    engine.failNext('observe', cause('engine.error', { why: 'x' }))
    await clock.advance(600_000)
    expect(stuck).toEqual([])
    engine.observe = () => new Promise(() => {})
    await clock.advance(600_000)
    expect(stuck).toContain('observe')
  })
})
