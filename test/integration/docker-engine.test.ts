/** The engine adapter against a real dockerd, and what happens when that dockerd is stopped, killed and started again. */
import { execFileSync } from 'node:child_process'
import { EventEmitter, once } from 'node:events'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createDockerEngine } from '../../edge-agent/engine/docker-engine.ts'
import type { Engine } from '../../edge-agent/ports.ts'
import { systemClock } from '../../edge-agent/runtime/system-clock.ts'
import { contractPlan, engineContract } from '../contract/engine.contract.ts'
import { createPrivateDockerd, whyNoDockerd } from './private-dockerd.ts'
import type { PrivateDockerd } from './private-dockerd.ts'

const missing = whyNoDockerd()
if (missing !== null)
  describe.skip(`real engine not run: ${missing}`, () => {
    it('needs dockerd', () => {})
  })
else {
  let shared: Promise<PrivateDockerd> | null = null
  const dockerd = async (): Promise<PrivateDockerd> => {
    shared ??= createPrivateDockerd().then(async (made) => {
      await made.importBusybox('busybox:1')
      return made
    })
    return shared
  }
  afterAll(async () => (await shared)?.destroy())

  engineContract('dockerd', async (device) => {
    const { socketPath, docker } = await dockerd()
    return {
      engine: createDockerEngine({ socketPath, device, clock: systemClock }),
      image: 'busybox:1',
      crash: async (name) => {
        const pid = (await docker('inspect', '-f', '{{.State.Pid}}', name)).trim()
        execFileSync('kill', ['-9', pid])
        while ((await docker('inspect', '-f', '{{.State.Running}}', name)).trim() === 'true') await sleep(10)
      },
      soon: () => sleep(1_000),
      close: async () => {},
    }
  })

  describe('a dockerd in trouble', () => {
    let own: PrivateDockerd
    let engine: Engine
    /** gives up soon: for a dockerd that is known not to answer */
    let hasty: Engine
    beforeAll(async () => {
      own = await dockerd()
      engine = createDockerEngine({ socketPath: own.socketPath, device: 'gw-trouble', clock: systemClock })
      hasty = createDockerEngine({ socketPath: own.socketPath, device: 'gw-trouble', clock: systemClock, callMs: 1_000, stallMs: 1_000 })
    })

    it('says that it does not answer when it is stopped, and goes on after', async () => {
      await engine.create({ ...contractPlan('t', 'busybox:1'), device: 'gw-trouble' })
      own.pause()
      try {
        await expect(hasty.observe()).rejects.toMatchObject({ reason: { code: 'engine.timeout', facts: { seconds: '1', call: 'list' } } })
        expect(await hasty.start('skerry-default-t-main')).toMatchObject({ ok: false, cause: { code: 'engine.timeout' } })
        const timeout = { ok: false, cause: { code: 'engine.timeout' } }
        expect(await hasty.ensureImage('busybox:1', 'IfNotPresent', new AbortController().signal)).toMatchObject(timeout)
      } finally {
        own.resume()
      }
      expect(await engine.observe()).toHaveLength(1)
    })

    it('reports a pull that cannot reach its registry, and ends a pull on abort', async () => {
      const failed = { ok: false, cause: { code: 'image.pull.failed' } }
      expect(await engine.ensureImage('registry.invalid/x:1', 'IfNotPresent', new AbortController().signal)).toMatchObject(failed)
      expect(await engine.ensureImage('registry.invalid/x:1', 'IfNotPresent', AbortSignal.abort())).toMatchObject({ ok: false })
    })

    it('wakes when it is back after a kill', async () => {
      const woken = new EventEmitter()
      const stop = engine.watch(() => void woken.emit('wake'))
      await once(woken, 'wake')
      await own.kill()
      await expect(engine.observe()).rejects.toMatchObject({ reason: { code: 'engine.unreachable' } })
      const again = once(woken, 'wake')
      await own.start()
      await again
      stop()
      expect(await engine.observe()).toHaveLength(1)
      expect((await engine.info()).apiVersion).toMatch(/^\d\.\d+$/)
    })

    it('reads the log of a container', async () => {
      await engine.create({ ...contractPlan('l', 'busybox:1', { command: ['sh', '-c', 'echo one; echo two; echo three'] }), device: 'gw-trouble' })
      await engine.start('skerry-default-l-main')
      while ((await engine.observe()).find((found) => found.podName === 'l')?.state !== 'exited') await sleep(20)
      expect(await engine.logs('skerry-default-l-main', 2)).toBe('two\nthree\n')
    })
  })
}
