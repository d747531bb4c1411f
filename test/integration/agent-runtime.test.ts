/** The agent's loop with the real reducer, the real state file and a real dockerd: what runs is never disturbed without need. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { desiredDigest, podSpecHash } from '../../protocol/desired-state.ts'
import type { DesiredPod, DesiredState } from '../../protocol/desired-state.ts'
import { initialState } from '../../edge-agent/core/initial-state.ts'
import type { ObservedContainer } from '../../edge-agent/core/model.ts'
import type { AgentState } from '../../edge-agent/core/state.ts'
import { createDockerEngine } from '../../edge-agent/engine/docker-engine.ts'
import type { Engine, Log } from '../../edge-agent/ports.ts'
import { startLoop } from '../../edge-agent/runtime/loop.ts'
import type { Loop } from '../../edge-agent/runtime/loop.ts'
import { systemClock } from '../../edge-agent/runtime/system-clock.ts'
import { createWatchdog } from '../../edge-agent/runtime/watchdog.ts'
import { openStateStore } from '../../edge-agent/store/state-store.ts'
import { createPrivateDockerd, whyNoDockerd } from './private-dockerd.ts'
import type { PrivateDockerd } from './private-dockerd.ts'
import { FakeProber } from '../fakes/prober.ts'

const DEVICE = 'gw-real'
const CALL_MS = 2_000
const quiet: Log = { info: () => {}, warn: () => {}, error: () => {} }

interface Agent {
  readonly loop: Loop
  end(): Promise<void>
}

function pod(name: string, env = '1'): DesiredPod {
  const spec: DesiredPod['spec'] = {
    containers: [{ name: 'main', image: 'busybox:1', command: ['sleep', '86400'], env: [{ name: 'V', value: env }] }],
    terminationGracePeriodSeconds: 0,
  }
  return { uid: `uid-${name}`, namespace: 'default', name, labels: {}, specHash: podSpecHash(spec, undefined), spec }
}

function document(generation: number, pods: readonly DesiredPod[]): DesiredState {
  return { device: DEVICE, epoch: 1, generation, issuedAt: '2026-01-01T00:00:00Z', digest: desiredDigest(pods), pods }
}

async function startAgent(engine: Engine, stateDir: string): Promise<Agent> {
  const store = openStateStore(stateDir, { log: quiet })
  const stuck: string[] = []
  const loop = startLoop({
    initial: initialState({ device: DEVICE, sid: `sid-${process.hrtime.bigint()}`, agentVersion: 'test' }, systemClock.now()),
    ports: {
      engine,
      store,
      clock: systemClock,
      log: quiet,
      link: { publishStatus: () => {}, publishInventory: () => {} },
      prober: new FakeProber(),
      watchdog: createWatchdog(systemClock, (what) => void stuck.push(what)),
    },
    onBroken: (event, error) => {
      throw new Error(`broken by ${event.kind}`, { cause: error })
    },
  })
  loop.dispatch({ kind: 'loaded', loaded: await store.load() })
  const unwatch = engine.watch(() => loop.dispatch({ kind: 'engine-event' }))
  return {
    loop,
    end: async () => {
      unwatch()
      await loop.stop()
      expect(stuck).toEqual([])
    },
  }
}

/** Waits for a state of the world; the test's own time limit ends it. */
async function until(loop: Loop, holds: (state: AgentState) => boolean): Promise<AgentState> {
  while (!holds(loop.state())) await sleep(20)
  return loop.state()
}

function isDone({ desired, observed, engine, timing, wave, plan }: AgentState, generation: number): boolean {
  const settled = engine.reachable && timing.fresh && wave === null && plan.waves.length === 0 && plan.waitsFor.length === 0
  const runs = ({ uid, specHash }: DesiredPod): boolean =>
    observed?.some((one) => one.podUid === uid && one.specHash === specHash && one.state === 'running') === true
  return settled && desired?.generation === generation && desired.pods.every(runs)
}

function identity(containers: readonly ObservedContainer[]): readonly (string | null)[][] {
  return containers.map(({ name, id, startedAt }) => [name, id, startedAt]).toSorted()
}

const missing = whyNoDockerd()
if (missing !== null)
  describe.skip(`agent over a real engine not run: ${missing}`, () => {
    it('needs dockerd', () => {})
  })
else {
  describe('the agent over a real engine', () => {
    let dockerd: PrivateDockerd
    let engine: Engine
    let stateDir: string
    let agent: Agent
    const inEngine = async (): Promise<readonly (readonly (string | null)[])[]> => identity(await engine.observe())

    beforeAll(async () => {
      dockerd = await createPrivateDockerd()
      await dockerd.importBusybox('busybox:1')
    })
    afterAll(() => dockerd?.destroy())
    beforeEach(async () => {
      engine = createDockerEngine({ socketPath: dockerd.socketPath, device: DEVICE, clock: systemClock, callMs: CALL_MS })
      stateDir = mkdtempSync(join(tmpdir(), 'skerry-agent-'))
      agent = await startAgent(engine, stateDir)
      agent.loop.dispatch({ kind: 'target', desired: document(1, [pod('a'), pod('b'), pod('c')]) })
      await until(agent.loop, (state) => isDone(state, 1))
    })
    afterEach(async () => {
      await agent.end()
      for (const { id } of await engine.observe()) await dockerd.docker('rm', '-f', id)
      rmSync(stateDir, { recursive: true, force: true })
    })

    it('restarts nothing when it is started again, and replaces only what changed', async () => {
      const before = await inEngine()
      expect(before).toHaveLength(3)
      await agent.end()
      agent = await startAgent(engine, stateDir)
      const state = await until(agent.loop, (next) => isDone(next, 1))
      expect(state.plan.verdicts.filter(({ kind }) => kind !== 'adopt' && kind !== 'keep')).toEqual([])
      expect(await inEngine()).toEqual(before)

      agent.loop.dispatch({ kind: 'target', desired: document(2, [pod('a'), pod('b', '2')]) })
      await until(agent.loop, (next) => isDone(next, 2) && next.observed?.length === 2)
      const after = await inEngine()
      expect(after).toHaveLength(2)
      expect(after.filter((row) => before.some((old) => old[1] === row[1]))).toEqual(before.filter(([name]) => name?.includes('-a-')))
    })

    it('starts again what died, in the same container', async () => {
      const [victim] = await engine.observe()
      const others = identity((await engine.observe()).slice(1))
      const pid = (await dockerd.docker('inspect', '-f', '{{.State.Pid}}', victim?.id ?? '')).trim()
      execFileSync('kill', ['-9', pid])
      const isAgain = (one: ObservedContainer): boolean => one.id === victim?.id && one.state === 'running' && one.startedAt !== victim.startedAt
      await until(agent.loop, (state) => state.observed?.some(isAgain) === true)
      const now = await engine.observe()
      expect(now).toHaveLength(3)
      expect(identity(now.filter((one) => one.id !== victim?.id))).toEqual(others)
    })

    it('converges after dockerd was killed and started again', async () => {
      await dockerd.kill()
      await until(agent.loop, (state) => !state.engine.reachable)
      await dockerd.start()
      await until(agent.loop, (state) => isDone(state, 1))
      expect((await engine.observe()).map((one) => one.state)).toEqual(['running', 'running', 'running'])
    })

    it('says that a stopped dockerd does not answer, and goes on when it does', async () => {
      const before = await inEngine()
      dockerd.pause()
      try {
        agent.loop.dispatch({ kind: 'engine-event' })
        const state = await until(agent.loop, (next) => !next.engine.reachable)
        expect(state.engine.cause?.code).toBe('engine.timeout')
      } finally {
        dockerd.resume()
      }
      await until(agent.loop, (state) => isDone(state, 1))
      expect(await inEngine()).toEqual(before)
    })
  })
}
