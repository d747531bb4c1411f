/** Containers without CPUs of their own stay off those that a pod has for itself, at every moment and without a restart. */
import { describe, expect, it } from 'vitest'
import { initialState } from '../edge-agent/core/initial-state.ts'
import type { DesiredPod, ObservedContainer } from '../edge-agent/core/model.ts'
import type { SavedState } from '../edge-agent/core/saved-model.ts'
import type { Log } from '../edge-agent/ports.ts'
import { startLoop } from '../edge-agent/runtime/loop.ts'
import type { Loop } from '../edge-agent/runtime/loop.ts'
import { createWatchdog } from '../edge-agent/runtime/watchdog.ts'
import { cause } from '../protocol/causes.ts'
import { parseIdList } from '../protocol/id-list.ts'
import { LIMITS } from '../protocol/limits.ts'
import { DEVICE, desiredOf, pod, smallDevice } from './agent-world.ts'
import { FakeClock } from './fakes/clock.ts'
import { FakeEngine } from './fakes/engine.ts'
import { FakeProber } from './fakes/prober.ts'

const IMAGE = 'registry.local/app:1'
const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} }
const FOUR = smallDevice({ threads: 4, onlineCpus: '0-3', numaNodes: [{ id: 0, cpus: '0-3' }] })

interface World {
  readonly clock: FakeClock
  readonly engine: FakeEngine
  readonly loop: Loop
  /** what the engine showed of shared CPUs at any of its changes */
  readonly faults: string[]
  readonly saved: SavedState[]
}

function watchSharing(engine: FakeEngine, faults: string[]): void {
  engine.watch(() => {
    const running = engine.all().filter((one) => one.state === 'running')
    for (const owner of running) {
      const own = new Set(parseIdList(owner.ownCpus ?? ''))
      const on = running.filter(
        ({ podUid, cpus = '' }) => podUid !== owner.podUid && own.size > 0 && (cpus === '' || parseIdList(cpus)?.some((cpu) => own.has(cpu))),
      )
      for (const other of on) faults.push(`${other.podName} on ${owner.podName}'s ${owner.ownCpus}`)
    }
  })
}

async function world(
  before?: { readonly engine: FakeEngine; readonly clock: FakeClock; readonly saved: SavedState },
  images: readonly string[] = [IMAGE],
): Promise<World> {
  const clock = before?.clock ?? new FakeClock()
  const engine = before?.engine ?? new FakeEngine({ clock, device: DEVICE, images, registry: ['slow:1'] })
  const saved: SavedState[] = []
  const faults: string[] = []
  watchSharing(engine, faults)
  const loop = startLoop({
    initial: initialState({ device: DEVICE, sid: 'sid', agentVersion: '0' }, clock.now()),
    ports: {
      engine,
      clock,
      log: quiet,
      store: { load: () => Promise.resolve({ kind: 'none' }), save: (state) => Promise.resolve(void saved.push(state)) },
      link: { publishStatus: () => {}, publishInventory: () => {} },
      prober: new FakeProber(),
      watchdog: createWatchdog(clock, () => {}),
    },
    onBroken: (event, error) => {
      throw new Error(event.kind, { cause: error })
    },
  })
  engine.watch(() => loop.dispatch({ kind: 'engine-event' }))
  loop.dispatch({ kind: 'loaded', loaded: before === undefined ? { kind: 'none' } : { kind: 'state', state: before.saved, fellBack: false } })
  loop.dispatch({ kind: 'inventory', inventory: FOUR, hostIp: null })
  await clock.advance(0)
  return { clock, engine, loop, faults, saved }
}

let generation = 0
const want = async ({ loop, clock }: World, pods: readonly DesiredPod[], ms = 2_000): Promise<void> => {
  generation += 1
  loop.dispatch({ kind: 'target', desired: desiredOf(pods, generation) })
  await clock.advance(ms)
}
/** The next start is answered, and does its work, only when told to. */
function slowStart({ engine, clock }: World): () => Promise<void> {
  let open = (): void => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const start = engine.start.bind(engine)
  engine.start = async (...args) => {
    engine.start = start
    await opened
    return start(...args)
  }
  return async () => {
    open()
    await clock.advance(0)
  }
}
const cpusOf = (engine: FakeEngine): Readonly<Record<string, string>> =>
  Object.fromEntries(
    engine
      .all()
      .filter(({ state }) => state === 'running')
      .map((one) => [one.podName, one.cpus ?? '?']),
  )
const runsOf = (engine: FakeEngine): readonly (readonly [string, string | null])[] => engine.all().map((one) => [one.id, one.startedAt])
const shared = (uid: string): DesiredPod => pod({ uid, image: IMAGE })
const owner = (uid: string, cpus: string): DesiredPod => pod({ uid, image: IMAGE, placement: { cpus } })

describe('the shared CPU pool', () => {
  it('shrinks before the owner starts, and grows back when it is gone; what shares runs on throughout', async () => {
    const w = await world()
    await want(w, [shared('a'), shared('b')])
    expect(cpusOf(w.engine)).toEqual({ a: '', b: '' })
    const runs = runsOf(w.engine)
    await want(w, [shared('a'), shared('b'), owner('x', '1-2')])
    expect(cpusOf(w.engine)).toEqual({ a: '0,3', b: '0,3', x: '1-2' })
    const order = w.engine.calls.filter((call) => /^(setCpus|start)/.test(call)).slice(2)
    expect(order.map((call) => call.split(' ')[0])).toEqual(['setCpus', 'setCpus', 'start'])
    await want(w, [shared('a'), shared('b')])
    expect(cpusOf(w.engine)).toEqual({ a: '0-3', b: '0-3' })
    expect(runsOf(w.engine)).toEqual(runs)
    expect(w.faults).toEqual([])
  })

  it('keeps newcomers, restarts and sandboxes off the owner', async () => {
    const w = await world()
    await want(w, [owner('x', '0')])
    await want(w, [owner('x', '0'), shared('a'), pod({ uid: 'duo', image: IMAGE, containers: ['one', 'two'] })], 10_000)
    expect(
      w.engine
        .all()
        .filter(({ podUid }) => podUid !== 'x')
        .map(({ cpus }) => cpus),
    ).toEqual(['1-3', '1-3', '1-3', '1-3'])
    w.engine.exit(w.engine.all().find(({ podName }) => podName === 'a')?.name ?? '', 1)
    await w.clock.advance(2_000)
    expect(cpusOf(w.engine)).toMatchObject({ a: '1-3', x: '0' })
    expect(w.faults).toEqual([])
  })

  it('gives a container whose image took long the pool of the moment of its start', async () => {
    const w = await world()
    w.engine.pullMs = 60_000
    await want(w, [pod({ uid: 'late', image: 'slow:1' })], 5_000)
    await want(w, [pod({ uid: 'late', image: 'slow:1' }), owner('x', '2')], 5_000)
    expect(cpusOf(w.engine)).toEqual({ x: '2' })
    await w.clock.advance(60_000)
    expect(cpusOf(w.engine)).toEqual({ x: '2', late: '0-1,3' })
    expect(w.faults).toEqual([])
  })

  it('makes an owner wait while another cannot be moved, says for whom, and tries again', async () => {
    const w = await world()
    await want(w, [shared('a')])
    w.engine.failNext('setCpus', cause('container.cpus.failed', { cpus: '1-3', why: 'simulated' }))
    await want(w, [shared('a'), owner('x', '0')], 100)
    expect(cpusOf(w.engine)).toEqual({ a: '' })
    expect(
      w.loop
        .state()
        .plan.waitsFor.map(({ code }) => code)
        .toSorted(),
    ).toEqual(['container.cpus.failed', 'placement.cpu.not-yet-free'])
    await w.clock.advance(LIMITS.restartBackoffMaxMs.value)
    expect(cpusOf(w.engine)).toEqual({ a: '1-3', x: '0' })
    expect(w.faults).toEqual([])
  })

  it('does not ask without end an engine that takes the call and does nothing', async () => {
    const w = await world()
    await want(w, [shared('a')])
    const deaf = w.engine.setCpus.bind(w.engine)
    let asked = 0
    w.engine.setCpus = () => {
      asked += 1
      return Promise.resolve({ ok: true })
    }
    await want(w, [shared('a'), owner('x', '0')], 10 * LIMITS.observeIdleMs.value)
    expect(asked).toBeLessThanOrEqual(12)
    expect(cpusOf(w.engine)).toEqual({ a: '' })
    w.engine.setCpus = deaf
    await w.clock.advance(2 * LIMITS.observeIdleMs.value)
    expect(cpusOf(w.engine)).toEqual({ a: '1-3', x: '0' })
  })

  it('adopts after a restart of the agent, narrowed or not, and restarts nothing', async () => {
    const first = await world()
    await want(first, [shared('a'), owner('x', '3')])
    await first.loop.stop()
    const runs = runsOf(first.engine)
    // somebody moved it by hand meanwhile
    await first.engine.setCpus(first.engine.all().find(({ podName }) => podName === 'a')?.name ?? '', '0-3')
    const saved = first.saved.at(-1)
    if (saved === undefined) throw new Error('nothing was saved')
    const second = await world({ engine: first.engine, clock: first.clock, saved })
    await second.clock.advance(2_000)
    expect(cpusOf(second.engine)).toEqual({ a: '0-2', x: '3' })
    expect(runsOf(second.engine)).toEqual(runs)
  })

  it('frees the CPUs of a pod that has ended, though it is still listed', async () => {
    const w = await world()
    w.engine.programs.set(IMAGE, { exitsAfterMs: 5_000, exitCode: 0 })
    await want(w, [pod({ uid: 'job', image: IMAGE, restartPolicy: 'Never', placement: { cpus: '0-1' } })], 2_000)
    w.engine.programs.clear()
    await want(w, [pod({ uid: 'job', image: IMAGE, restartPolicy: 'Never', placement: { cpus: '0-1' } }), shared('a')], 1_000)
    expect(cpusOf(w.engine)).toEqual({ job: '0-1', a: '2-3' })
    await w.clock.advance(10_000)
    expect(cpusOf(w.engine)).toEqual({ a: '0-3' })
    expect(w.faults).toEqual([])
  })

  it('keeps the CPUs of an owner that is no longer wanted while its start may be on the way', async () => {
    const w = await world()
    await want(w, [shared('a'), owner('x', '1')])
    w.engine.pullMs = 3_000
    await want(w, [shared('a'), owner('x', '1'), pod({ uid: 'late', image: 'slow:1' })], 1_000)
    const go = slowStart(w)
    w.engine.exit(w.engine.all().find(({ podName }) => podName === 'x')?.name ?? '', 1)
    await w.clock.advance(500)
    // `late` starts while the start of `x`, which nobody wants any more, is still on its way
    await want(w, [shared('a'), pod({ uid: 'late', image: 'slow:1' })], 3_000)
    expect(cpusOf(w.engine)).toEqual({ a: '0,2-3', late: '0,2-3' })
    await go()
    await w.clock.advance(15_000)
    expect(w.faults).toEqual([])
    expect(cpusOf(w.engine)).toEqual({ a: '0-3', late: '0-3' })
  })

  it('refuses an owner that would leave no CPU for the others', async () => {
    const w = await world()
    await want(w, [shared('a'), owner('x', '0-3')])
    expect(cpusOf(w.engine)).toEqual({ a: '' })
    expect(w.loop.state().plan.waitsFor.map(({ code }) => code)).toEqual(['placement.cpu.none-left'])
  })

  it('leaves the cpusets alone where the engine does not tell them', async () => {
    const w = await world()
    const observe = w.engine.observe.bind(w.engine)
    w.engine.observe = async () => (await observe()).map(({ cpus: _, ...one }): ObservedContainer => one)
    await want(w, [shared('a')])
    await want(w, [shared('a'), owner('x', '0')])
    expect(w.engine.calls.filter((call) => call.startsWith('setCpus'))).toEqual([])
    expect(cpusOf(w.engine)).toMatchObject({ x: '0' })
  })
})
