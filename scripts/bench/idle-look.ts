/** The whole of a round in which nothing is to be done with 50 pods: ask the engine, match, plan, be done. Beside the list call alone. */
import { initialState } from '../../edge-agent/core/initial-state.ts'
import { createDockerEngine } from '../../edge-agent/engine/docker-engine.ts'
import { startLoop } from '../../edge-agent/runtime/loop.ts'
import type { Loop } from '../../edge-agent/runtime/loop.ts'
import { systemClock } from '../../edge-agent/runtime/system-clock.ts'
import { createWatchdog } from '../../edge-agent/runtime/watchdog.ts'
import { desiredDigest, podSpecHash } from '../../protocol/desired-state.ts'
import type { DesiredPod } from '../../protocol/desired-state.ts'
import { FakeProber } from '../../test/fakes/prober.ts'
import { engineRequest } from '../quickstart/engine-request.ts'
import type { Gateway } from '../testbed/gateway.ts'
import { showMs, spread } from './statistics.ts'

const PODS = 50
const ROUNDS = 50
const DEVICE = 'bench-idle'

/** Only this looks at the engine meanwhile. */
export async function idleLook(gateway: Gateway): Promise<void> {
  await gateway.agent.stop()
  const engine = createDockerEngine({ socketPath: gateway.engine.socketPath, device: DEVICE, clock: systemClock })
  const quiet = { info: () => undefined, warn: () => undefined, error: () => undefined }
  const loop = startLoop({
    initial: initialState({ device: DEVICE, sid: 'bench', agentVersion: '0' }, systemClock.now()),
    ports: {
      engine,
      clock: systemClock,
      log: quiet,
      store: { load: () => Promise.resolve({ kind: 'none' }), save: () => Promise.resolve() },
      link: { publishStatus: () => {}, publishInventory: () => {} },
      prober: new FakeProber(),
      watchdog: createWatchdog(systemClock, () => {}),
    },
    onBroken: (event, error) => {
      throw new Error(event.kind, { cause: error })
    },
  })
  const unwatch = engine.watch(() => loop.dispatch({ kind: 'engine-event' }))
  loop.dispatch({ kind: 'loaded', loaded: { kind: 'none' } })
  const version = { device: DEVICE, epoch: 1, generation: 1, issuedAt: '2026-01-01T00:00:00Z' }
  const pods = Array.from({ length: PODS }, (_, index) => pod(index))
  loop.dispatch({ kind: 'target', desired: { ...version, digest: desiredDigest(pods), pods } })
  while ((loop.state().observed ?? []).filter(({ state }) => state === 'running').length < PODS || loop.state().wave !== null) await pause(50)
  await pause(3_000)
  const [looks, lists]: [number[], number[]] = [[], []]
  for (let round = 0; round < ROUNDS; round += 1) {
    looks.push(await look(loop))
    await pause(50)
    lists.push(await list(gateway))
    await pause(50)
  }
  process.stdout.write(
    `idle: a look at ${PODS} pods with nothing to do: ${showMs(spread(looks))} (aim 50), the list call alone ${showMs(spread(lists))}\n`,
  )
  unwatch()
  await loop.stop()
}

async function look(loop: Loop): Promise<number> {
  const last = loop.state().timing.observedAtMonoMs
  const begin = performance.now()
  loop.dispatch({ kind: 'engine-event' })
  while (loop.state().timing.observedAtMonoMs === last) await new Promise((resolve) => setImmediate(resolve))
  return performance.now() - begin
}

async function list(gateway: Gateway): Promise<number> {
  const filters = encodeURIComponent(JSON.stringify({ label: [`dev.skerry.device=${DEVICE}`] }))
  const begin = performance.now()
  await engineRequest(gateway.engine.socketPath, 'GET', `/containers/json?all=true&filters=${filters}`)
  return performance.now() - begin
}

function pod(index: number): DesiredPod {
  const spec: DesiredPod['spec'] = {
    containers: [{ name: 'main', image: 'busybox:1', command: ['sleep', '86400'] }],
    terminationGracePeriodSeconds: 0,
  }
  return { uid: `uid-${index}`, namespace: 'default', name: `idle-${index}`, labels: {}, specHash: podSpecHash(spec, undefined), spec }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
