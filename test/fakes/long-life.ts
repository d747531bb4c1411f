/** An agent's loop over the fake engine that reconciles again and again, with crashes and new documents in between. */
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { initialState } from '../../edge-agent/core/initial-state.ts'
import { startLoop } from '../../edge-agent/runtime/loop.ts'
import { createWatchdog } from '../../edge-agent/runtime/watchdog.ts'
import { openStateStore } from '../../edge-agent/store/state-store.ts'
import { DEVICE, desiredOf, pod } from '../agent-world.ts'
import { FakeClock } from './clock.ts'
import { FakeDisk } from './disk.ts'
import { FakeEngine } from './engine.ts'
import { FakeProber } from './prober.ts'

const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
const PODS = 10

export interface LongLife {
  /** so many looks at the engine, each followed by a plan; every 50th finds a crash, every 500th follows a new document */
  rounds(count: number): Promise<void>
  observations(): number
  running(): number
  /** bytes on the heap after a collection */
  heap(): number
}

export async function longLife(): Promise<LongLife> {
  const clock = new FakeClock()
  const engine = new FakeEngine({ clock, device: DEVICE, images: ['registry.local/app:1'], callsKept: 10 })
  let observed = 0
  const watched = new Proxy(engine, {
    get: (target, name) => {
      if (name === 'observe') observed += 1
      const member: unknown = Reflect.get(target, name, target)
      return typeof member === 'function' ? (member.bind(target) as unknown) : member
    },
  })
  const store = openStateStore('/state', { disk: new FakeDisk(), log: quiet })
  const loop = startLoop({
    initial: initialState({ device: DEVICE, sid: 'sid', agentVersion: '0' }, clock.now()),
    ports: {
      engine: watched,
      clock,
      log: quiet,
      store,
      link: { publishStatus: () => {}, publishInventory: () => {} },
      prober: new FakeProber(),
      watchdog: createWatchdog(clock, (what) => {
        throw new Error(`stuck: ${what}`)
      }),
    },
    onBroken: (event, error) => {
      throw new Error(event.kind, { cause: error })
    },
  })
  loop.dispatch({ kind: 'loaded', loaded: await store.load() })
  let generation = 0
  let done = 0
  const change = (): void => {
    generation += 1
    const pods = Array.from({ length: PODS }, (_, index) => pod({ uid: index === 0 ? `changing-${generation}` : `pod-${index}` }))
    loop.dispatch({ kind: 'target', desired: { ...desiredOf(pods), generation } })
  }
  return {
    async rounds(count) {
      for (const last = done + count; done < last; done += 1) {
        if (done % 500 === 0) change()
        if (done % 50 === 25) {
          const alive = engine.all().filter(({ state }) => state === 'running')
          const victim = alive[Math.floor(done / 50) % Math.max(1, alive.length)]
          if (victim !== undefined) engine.exit(victim.name, 1)
        }
        loop.dispatch({ kind: 'engine-event' })
        await clock.advance(1_000)
      }
    },
    observations: () => observed,
    running: () => engine.all().filter(({ state }) => state === 'running').length,
    heap: () => {
      collect()
      collect()
      return process.memoryUsage().heapUsed
    },
  }
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void
