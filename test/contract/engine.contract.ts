/** What every container engine behind the `Engine` port must do. The fake passes the same as the real one, or it lies to the simulation. */
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { ContainerPlan, ObservedContainer } from '../../edge-agent/core/model.ts'
import type { Engine } from '../../edge-agent/ports.ts'

export interface EngineUnderTest {
  readonly engine: Engine
  /** an image that is on the device; its command is `sleep` unless a plan says otherwise */
  readonly image: string
  /** ends a running container from outside, as a crash does */
  crash(name: string): Promise<void>
  /** lets a wake-up arrive */
  soon(): Promise<void>
  close(): Promise<void>
}

const DEVICE = 'gw-contract'

export function contractPlan(name: string, image: string, more: Partial<ContainerPlan['container']> = {}): ContainerPlan {
  return {
    identity: {
      podUid: `uid-${name}`,
      specHash: 'a'.repeat(64),
      namespace: 'default',
      podName: name,
      containerName: 'main',
      name: `skerry-default-${name}-main`,
    },
    device: DEVICE,
    container: { name: 'main', image, command: ['sleep', '86400'], ...more },
    pod: { hostNetwork: false, hostname: null, pidsLimit: 64, graceSeconds: 0, labels: {} },
    placement: null,
  }
}

const signal = (): AbortSignal => new AbortController().signal

export function engineContract(title: string, open: (device: string) => Promise<EngineUnderTest>): void {
  describe(`engine contract: ${title}`, () => {
    let under: EngineUnderTest
    const one = async (name: string): Promise<ObservedContainer | undefined> => (await under.engine.observe()).find((found) => found.podName === name)

    beforeAll(async () => {
      under = await open(DEVICE)
    })
    afterAll(() => under.close())
    beforeEach(async () => {
      for (const found of await under.engine.observe()) {
        await under.engine.stop(found.id, 0)
        await under.engine.remove(found.id)
      }
    })

    it('creates once, by name and labels', async () => {
      expect(await under.engine.create(contractPlan('a', under.image))).toEqual({ ok: true })
      expect(await under.engine.create(contractPlan('a', under.image))).toEqual({ ok: true })
      const seen = await under.engine.observe()
      expect(seen).toHaveLength(1)
      expect(seen[0]).toMatchObject({
        name: 'skerry-default-a-main',
        podUid: 'uid-a',
        specHash: 'a'.repeat(64),
        namespace: 'default',
        podName: 'a',
        containerName: 'main',
        image: under.image,
        state: 'created',
        startedAt: null,
        finishedAt: null,
        exitCode: null,
        graceSeconds: 0,
      })
    })

    it('refuses a name that another pod holds', async () => {
      const plan = contractPlan('a', under.image)
      await under.engine.create(plan)
      const other = { ...plan, identity: { ...plan.identity, podUid: 'uid-other' } }
      expect(await under.engine.create(other)).toMatchObject({ ok: false, cause: { code: 'container.create.failed' } })
    })

    it('starts, by name or id; starting what runs changes nothing', async () => {
      await under.engine.create(contractPlan('a', under.image))
      expect(await under.engine.start('skerry-default-a-main')).toEqual({ ok: true })
      const first = await one('a')
      expect(first).toMatchObject({ state: 'running', exitCode: null, finishedAt: null })
      expect(first?.startedAt).not.toBeNull()
      expect(first?.ip).toMatch(/^\d+\.\d+\.\d+\.\d+$/)
      expect(await under.engine.start(first?.id ?? '')).toEqual({ ok: true })
      expect(await one('a')).toEqual(first)
    })

    it('stops and removes; doing it twice is success; a running one is not removed', async () => {
      await under.engine.create(contractPlan('a', under.image))
      await under.engine.start('skerry-default-a-main')
      expect(await under.engine.remove('skerry-default-a-main')).toMatchObject({ ok: false, cause: { code: 'container.remove.failed' } })
      expect(await under.engine.stop('skerry-default-a-main', 0)).toEqual({ ok: true })
      const stopped = await one('a')
      expect(stopped).toMatchObject({ state: 'exited', ip: null })
      expect(stopped?.exitCode).not.toBe(0)
      expect(stopped?.finishedAt).not.toBeNull()
      expect(await under.engine.stop('skerry-default-a-main', 0)).toEqual({ ok: true })
      expect(await under.engine.remove(stopped?.id ?? '')).toEqual({ ok: true })
      expect(await under.engine.remove('skerry-default-a-main')).toEqual({ ok: true })
      expect(await under.engine.stop('skerry-default-a-main', 0)).toEqual({ ok: true })
      expect(await under.engine.observe()).toEqual([])
    })

    it('tells each run apart: a restart has new times', async () => {
      await under.engine.create(contractPlan('a', under.image))
      await under.engine.start('skerry-default-a-main')
      const first = await one('a')
      await under.crash('skerry-default-a-main')
      const ended = await one('a')
      expect(ended).toMatchObject({ state: 'exited', id: first?.id, exitCode: 137, startedAt: first?.startedAt })
      await under.engine.start('skerry-default-a-main')
      await under.crash('skerry-default-a-main')
      const again = await one('a')
      expect(again?.startedAt).not.toBe(ended?.startedAt)
      expect(again?.finishedAt).not.toBe(ended?.finishedAt)
    })

    it('moves a container to other CPUs, running or not, without a new run; CPUs of its own are told apart', async () => {
      const own = { ...contractPlan('a', under.image), placement: { cpus: '0' } }
      expect(await under.engine.create(own)).toEqual({ ok: true })
      expect(await one('a')).toMatchObject({ cpus: '0', ownCpus: '0' })
      await under.engine.create(contractPlan('b', under.image))
      expect(await one('b')).toMatchObject({ cpus: '' })
      expect((await one('b'))?.ownCpus).toBeUndefined()
      expect(await under.engine.setCpus('skerry-default-b-main', '0')).toEqual({ ok: true })
      expect(await one('b')).toMatchObject({ state: 'created', cpus: '0' })
      await under.engine.start('skerry-default-b-main')
      const before = await one('b')
      expect(before).toMatchObject({ state: 'running', cpus: '0' })
      expect(await under.engine.setCpus(before?.id ?? '', '0-1')).toEqual({ ok: true })
      expect(await one('b')).toEqual({ ...before, cpus: '0-1' })
      expect(await under.engine.setCpus('skerry-default-absent-main', '0')).toEqual({ ok: true })
    })

    it('answers a start of nothing with a cause', async () => {
      expect(await under.engine.start('skerry-nothing')).toMatchObject({ ok: false, cause: { code: 'container.start.failed' } })
    })

    it('says which host port is taken', async () => {
      for (const name of ['a', 'b']) await under.engine.create(contractPlan(name, under.image, { ports: [{ containerPort: 80, hostPort: 18_080 }] }))
      expect(await under.engine.start('skerry-default-a-main')).toEqual({ ok: true })
      expect(await under.engine.start('skerry-default-b-main')).toEqual({
        ok: false,
        cause: { code: 'container.start.port-taken', facts: { port: '18080' } },
      })
    })

    it('knows which images it has', async () => {
      expect(await under.engine.ensureImage(under.image, 'Never', signal())).toEqual({ ok: true })
      expect(await under.engine.ensureImage(under.image, 'IfNotPresent', signal())).toEqual({ ok: true })
      const absent = { ok: false, cause: { code: 'image.absent', facts: { image: 'absent:1' } } }
      expect(await under.engine.ensureImage('absent:1', 'Never', signal())).toEqual(absent)
      expect(await under.engine.create(contractPlan('a', 'absent:1'))).toMatchObject({ ok: false, cause: { code: 'container.create.failed' } })
    })

    it('starts what it has when Always cannot reach a registry', async () => {
      expect(await under.engine.ensureImage(under.image, 'Always', signal())).toEqual({ ok: true })
    })

    it('runs a program in a running container, and says how it ended', async () => {
      await under.engine.create(contractPlan('a', under.image))
      expect(await under.engine.exec('skerry-default-a-main', ['true'], 60_000)).toMatchObject({
        ok: false,
        cause: { code: 'container.exec.failed' },
      })
      await under.engine.start('skerry-default-a-main')
      expect(await under.engine.exec('skerry-default-a-main', ['true'], 60_000)).toMatchObject({ ok: true, exitCode: 0, timedOut: false })
      expect(await under.engine.exec('skerry-default-a-main', ['false'], 60_000)).toMatchObject({ ok: true, exitCode: 1, timedOut: false })
      expect(await under.engine.exec('skerry-nothing', ['true'], 60_000)).toMatchObject({ ok: false, cause: { code: 'container.exec.failed' } })
    })

    it('wakes on changes until it is told to stop', async () => {
      let wakes = 0
      const stop = under.engine.watch(() => {
        wakes += 1
      })
      await under.soon()
      const connected = wakes
      await under.engine.create(contractPlan('a', under.image))
      await under.engine.start('skerry-default-a-main')
      await under.soon()
      expect(wakes).toBeGreaterThan(connected)
      const crashed = wakes
      await under.crash('skerry-default-a-main')
      await under.soon()
      expect(wakes).toBeGreaterThan(crashed)
      stop()
      const stopped = wakes
      await under.engine.start('skerry-default-a-main')
      await under.soon()
      expect(wakes).toBe(stopped)
    })
  })
}
