/** CPUs of one's own on a real engine: what the kernel lets the others run on, while an owner comes and goes. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { availableParallelism, tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { desiredDigest, podSpecHash } from '../../protocol/desired-state.ts'
import type { DesiredPod, Placement } from '../../protocol/desired-state.ts'
import { initialState } from '../../edge-agent/core/initial-state.ts'
import { createDockerEngine } from '../../edge-agent/engine/docker-engine.ts'
import { startLoop } from '../../edge-agent/runtime/loop.ts'
import type { Loop } from '../../edge-agent/runtime/loop.ts'
import { systemClock } from '../../edge-agent/runtime/system-clock.ts'
import { createWatchdog } from '../../edge-agent/runtime/watchdog.ts'
import { openStateStore } from '../../edge-agent/store/state-store.ts'
import { smallDevice } from '../agent-world.ts'
import { FakeProber } from '../fakes/prober.ts'
import { createPrivateDockerd, whyNoDockerd } from './private-dockerd.ts'
import type { PrivateDockerd } from './private-dockerd.ts'

const DEVICE = 'gw-cpus'
const QUIET = { info: () => {}, warn: () => {}, error: () => {} }
const missing = whyNoDockerd() ?? (availableParallelism() < 2 ? 'one CPU only' : null)

function pod(name: string, placement?: Placement): DesiredPod {
  const command = ['/bin/busybox', 'sleep', '86400']
  const spec = { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image: 'busybox:1', command }] }
  return {
    uid: `uid-${name}`,
    namespace: 'plant',
    name,
    specHash: podSpecHash(spec, placement),
    spec,
    ...(placement === undefined ? {} : { placement }),
  }
}

describe.skipIf(missing !== null)(`shared CPUs on a real engine${missing === null ? '' : ` not run: ${missing}`}`, () => {
  let dockerd: PrivateDockerd
  let dir: string
  let loop: Loop
  let end: () => Promise<void>
  let generation = 0

  const startAgent = async (sid: string): Promise<void> => {
    const engine = createDockerEngine({ socketPath: dockerd.socketPath, device: DEVICE, clock: systemClock })
    const store = openStateStore(path.join(dir, 'state'), { log: QUIET })
    loop = startLoop({
      initial: initialState({ device: DEVICE, sid, agentVersion: 'test' }, systemClock.now()),
      ports: {
        engine,
        store,
        log: QUIET,
        clock: systemClock,
        link: { publishStatus: () => {}, publishInventory: () => {} },
        prober: new FakeProber(),
        watchdog: createWatchdog(systemClock, () => undefined),
      },
      onBroken: (event, error) => {
        throw new Error(`broken by ${event.kind}`, { cause: error })
      },
    })
    const unwatch = engine.watch(() => loop.dispatch({ kind: 'engine-event' }))
    loop.dispatch({ kind: 'loaded', loaded: await store.load() })
    loop.dispatch({ kind: 'inventory', inventory: smallDevice(), hostIp: null })
    end = async () => {
      unwatch()
      await loop.stop()
    }
  }
  const settled = async (): Promise<void> => {
    for (;;) {
      const { desired, timing, wave, imageWaves, plan } = loop.state()
      const quiet = timing.fresh && wave === null && imageWaves.length === 0 && plan.waves.length === 0 && plan.waitsFor.length === 0
      if (desired?.generation === generation && quiet) return
      await sleep(20)
    }
  }
  const run = async (...pods: readonly DesiredPod[]): Promise<void> => {
    generation += 1
    const desired = { device: DEVICE, epoch: 1, generation, issuedAt: '2026-01-01T00:00:00Z', digest: desiredDigest(pods), pods }
    loop.dispatch({ kind: 'target', desired })
    await settled()
  }
  const inspect = async (name: string, what: string): Promise<string> => {
    const id = (await dockerd.docker('ps', '-aq', '--filter', `label=dev.skerry.pod=${name}`)).trim()
    return (await dockerd.docker('inspect', '-f', what, id)).trim()
  }
  /** what the kernel says of the container's first process, whatever the version of control groups */
  const allowed = async (name: string): Promise<string> =>
    /^Cpus_allowed_list:\s*(\S+)$/m.exec(readFileSync(`/proc/${await inspect(name, '{{.State.Pid}}')}/status`, 'utf8'))?.[1] ?? 'unknown'
  const runOf = (name: string): Promise<string> => inspect(name, '{{.Id}} {{.State.StartedAt}} {{.State.Pid}}')

  beforeAll(async () => {
    dir = mkdtempSync(path.join(tmpdir(), 'skerry-cpus-'))
    dockerd = await createPrivateDockerd()
    await dockerd.importBusybox('busybox:1')
    await startAgent('sid-1')
  })
  afterAll(async () => {
    await end?.()
    await dockerd?.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  it('narrows what runs while an owner comes, keeps newcomers away, and gives the CPU back, with no restart', async () => {
    await run(pod('first'))
    const first = await runOf('first')
    const before = await allowed('first')
    expect(before).toMatch(/^0-\d+$/)

    await run(pod('first'), pod('owner', { cpus: '1' }))
    expect([await allowed('first'), await allowed('owner')]).toEqual(['0', '1'])
    await run(pod('first'), pod('owner', { cpus: '1' }), pod('second'))
    expect(await allowed('second')).toBe('0')

    await end()
    const owner = await runOf('owner')
    await dockerd.docker('update', '--cpuset-cpus', '0-1', await inspect('second', '{{.Id}}'))
    await startAgent('sid-2')
    await settled()
    expect([await allowed('first'), await allowed('second'), await allowed('owner')], 'after a restart of the agent').toEqual(['0', '0', '1'])
    expect(await runOf('owner')).toBe(owner)

    await run(pod('first'), pod('second'))
    expect([await allowed('first'), await allowed('second')]).toEqual(['0-1', '0-1'])
    expect(await runOf('first'), 'it never ended').toBe(first)
  })
})
