/** Images on a real engine from a real registry over a bad line: cut pulls, damaged layers, moved tags, passwords that change. */
import { mkdtempSync, readFileSync, rmSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { DiskSpace } from '../../edge-agent/core/image-space.ts'
import type { ContainerPlan, ImagesWanted, Outcome, PullProgress } from '../../edge-agent/core/model.ts'
import { createDockerEngine } from '../../edge-agent/engine/docker-engine.ts'
import { hostOfImages } from '../../edge-agent/engine/image-host.ts'
import type { Engine } from '../../edge-agent/ports.ts'
import { systemClock } from '../../edge-agent/runtime/system-clock.ts'
import { openImageRecordFile } from '../../edge-agent/store/image-record-file.ts'
import { contractPlan } from '../contract/engine.contract.ts'
import { createPrivateDockerd, whyNoDockerd } from './private-dockerd.ts'
import type { PrivateDockerd } from './private-dockerd.ts'
import { busyboxLayer, randomLayer, startCuttingProxy, startRegistry, whyNoRegistry } from './registry.ts'
import type { CuttingProxy, Registry } from './registry.ts'

const missing = whyNoDockerd() ?? whyNoRegistry()
const HERE = '10.213.7.1'
const MB = 1_000_000

describe.skipIf(missing !== null)(`images${missing === null ? '' : `: NOT RUN: ${missing}`}`, () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'skimg-'))
  let docker: PrivateDockerd
  let registry: Registry
  let proxy: CuttingProxy
  const lines: string[] = []
  const log = (msg: string, fields?: object): void => void lines.push(JSON.stringify({ msg, ...fields }))

  beforeAll(async () => {
    docker = await createPrivateDockerd({ link: { here: `${HERE}/30`, there: '10.213.7.2/30' }, config: { 'insecure-registries': [`${HERE}/32`] } })
    registry = await startRegistry(path.join(dir, 'registry'), { user: 'device', password: 'first-password' })
    proxy = await startCuttingProxy(HERE, registry.port, 16 * MB)
  })
  afterAll(async () => {
    await proxy?.close()
    await registry?.stop()
    await docker?.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  /** An agent that has just been started on the state folder `state`. */
  const agent = (state: string, more: { space?: DiskSpace; stallMs?: number; onPull?: (pull: PullProgress) => void } = {}): Engine =>
    createDockerEngine({
      socketPath: docker.socketPath,
      device: 'gw-images',
      clock: systemClock,
      stallMs: more.stallMs ?? 5_000,
      images: {
        ...hostOfImages,
        ...(more.space === undefined ? {} : { space: () => Promise.resolve(more.space ?? null) }),
        record: openImageRecordFile(path.join(dir, state)),
        stagingDir: path.join(dir, state, 'images'),
        log: { info: log, warn: log, error: log },
        onPulls: (pulls) => Object.values(pulls).forEach((pull) => more.onPull?.(pull)),
      },
    })
  const name = (repository: string, tag = '1'): string => `${HERE}:${proxy.port}/${repository}:${tag}`
  const wanted = (password: string, prefetch: readonly string[] = []): ImagesWanted => ({
    credentials: [{ secret: 'default/pull', registry: `${HERE}:${proxy.port}`, username: 'device', password }],
    prefetch,
    images: [],
  })
  const use = (release: string): { release: string; secrets: readonly string[] } => ({ release, secrets: ['default/pull'] })
  const ensure = (engine: Engine, image: string, release: string, policy: 'Always' | 'IfNotPresent' = 'IfNotPresent'): Promise<Outcome> =>
    engine.ensureImage(image, policy, new AbortController().signal, use(release))
  const imageId = async (image: string): Promise<string> => (await docker.docker('image', 'inspect', '-f', '{{.Id}}', image)).trim()
  const plan = (pod: string, image: string, release: string): ContainerPlan => ({ ...contractPlan(pod, image), device: 'gw-images', release })

  it('finishes a pull that is cut ten times, over reboots, without fetching anything twice', async () => {
    const layers = [busyboxLayer(['sleep', 'sh']), ...Array.from({ length: 6 }, (_, index) => randomLayer(`data-${index}`, 2 * MB))]
    const size = layers.reduce((sum, layer) => sum + layer.length, 0)
    const digest = await registry.push('cut', '1', layers)
    const seen: PullProgress[] = []
    const before = proxy.served()
    const failures: Outcome[] = []
    for (let cut = 0; cut < 10; cut += 1) {
      const rebooted = agent('cut', { onPull: (pull) => seen.push(pull) })
      rebooted.wantImages?.(wanted('first-password'))
      proxy.cutAfter(size / 12)
      failures.push(await ensure(rebooted, name('cut'), 'r1'))
    }
    proxy.cutAfter(null)
    expect(
      failures.map((one) => (one.ok ? 'ok' : one.cause.code)),
      JSON.stringify(failures),
    ).toEqual(Array.from({ length: 10 }, () => 'image.pull.failed'))
    const engine = agent('cut', { onPull: (pull) => seen.push(pull) })
    engine.wantImages?.(wanted('first-password'))
    expect(await ensure(engine, name('cut'), 'r1')).toEqual({ ok: true })
    expect(proxy.cuts()).toBe(10)
    expect(proxy.served() - before).toBeLessThan(size * 1.1)
    expect(seen.at(-1)).toMatchObject({ attempt: 11, layersTotal: 7 })
    const bytes = seen.filter((one) => one.layersTotal > 0).map((one) => one.bytesDone)
    expect(bytes.every((one, index) => index === 0 || one >= (bytes[index - 1] ?? 0) - 100_000)).toBe(true)
    expect(await engine.create(plan('cut', name('cut'), 'r1'))).toEqual({ ok: true })
    expect(await engine.start('skerry-default-cut-main')).toEqual({ ok: true })
    const [container] = await engine.observe()
    expect(container).toMatchObject({ state: 'running', image: name('cut'), imageId: `${HERE}:${proxy.port}/cut@${digest}` })
    expect(await docker.docker('images', '-q', 'skerry-partial')).toBe('')
  })

  it('holds a pull to its limit, takes its own waiting for no broken line, and goes on at full speed when the limit is lifted', async () => {
    await registry.push('limited', '1', [randomLayer('limited', 8 * MB)])
    const seen: PullProgress[] = []
    // at this rate one request is worth longer than the silence that a connection may have
    const engine = agent('limited', { stallMs: 5_000, onPull: (pull) => seen.push(pull) })
    engine.wantImages?.({ ...wanted('first-password'), limits: { [name('limited')]: 8 * 1024 } })
    const before = proxy.served()
    const pull = ensure(engine, name('limited'), 'r1')
    const done = (): number => seen.at(-1)?.bytesDone ?? 0
    while (done() < 72 * 1024 && (await Promise.race([pull, sleep(50)])) === undefined);
    expect(seen.at(-1), lines.join('\n')).toMatchObject({ attempt: 1, active: true, limit: 8 * 1024, layersDone: 0 })
    // no more has come than was taken, and one request's worth: the buffers of the kernel would hold all of it
    expect(proxy.served() - before).toBeLessThan(0.5 * MB)
    engine.wantImages?.(wanted('first-password'))
    expect(await pull).toEqual({ ok: true })
    expect(seen.at(-1)).toMatchObject({ attempt: 1 })
    expect(proxy.served() - before).toBeLessThan(8.5 * MB)
  })

  it('keeps a release on its digest when the tag moves, and gives a new release the new one', async () => {
    const engine = agent('cut')
    engine.wantImages?.(wanted('first-password'))
    const old = await imageId(name('cut'))
    await registry.push('cut', '1', [busyboxLayer(['sleep', 'sh', 'moved'])])
    expect(await ensure(engine, name('cut'), 'r1', 'Always')).toEqual({ ok: true })
    expect(await imageId(name('cut'))).toBe(old)
    expect(await ensure(engine, name('cut'), 'r2', 'Always')).toEqual({ ok: true })
    expect(await imageId(name('cut')), lines.join('\n')).not.toBe(old)
    // the first release is made again from what it had, with the registry away
    proxy.setDown(true)
    try {
      expect(await ensure(engine, name('cut'), 'r1', 'Always')).toEqual({ ok: true })
      await engine.create(plan('again', name('cut'), 'r1'))
      const made = (await docker.docker('inspect', '-f', '{{.Image}}', 'skerry-default-again-main')).trim()
      expect(made).toBe(old)
      // a moving tag with the registry away: what is there is used
      expect(await ensure(engine, name('cut'), 'r3', 'Always')).toEqual({ ok: true })
    } finally {
      proxy.setDown(false)
    }
  })

  it('finds a damaged layer when a start fails, and repairs it', async () => {
    await registry.push('damaged', '1', [busyboxLayer(['sleep', 'marker']), randomLayer('data', MB)])
    const engine = agent('damaged')
    engine.wantImages?.(wanted('first-password'))
    expect(await ensure(engine, name('damaged'), 'r1')).toEqual({ ok: true })
    const lower = (await docker.docker('image', 'inspect', '-f', '{{.GraphDriver.Data.LowerDir}}', name('damaged'))).trim()
    truncateSync(path.join(lower, 'bin/sleep'), 0)
    await engine.create(plan('damaged', name('damaged'), 'r1'))
    // runc starts it, and only then sees that the file is no program
    expect(await engine.start('skerry-default-damaged-main')).toEqual({ ok: true })
    while ((await engine.observe()).find((one) => one.podName === 'damaged')?.state !== 'exited') await sleep(20)
    const failed = await engine.start('skerry-default-damaged-main')
    expect(failed).toMatchObject({ ok: false, cause: { code: 'image.damaged', facts: { image: name('damaged') } } })
    // what the plan does with it: away with the container, the image again, a new container
    await engine.remove('skerry-default-damaged-main')
    expect(await ensure(engine, name('damaged'), 'r1')).toEqual({ ok: true })
    await engine.create(plan('damaged', name('damaged'), 'r1'))
    expect(await engine.start('skerry-default-damaged-main')).toEqual({ ok: true })
  })

  it('takes a new password without touching what runs, and never writes one down', async () => {
    await registry.push('secret', '1', [busyboxLayer(['sleep', 'secret'])])
    const engine = agent('secret')
    engine.wantImages?.(wanted('first-password'))
    const running = (await engine.observe()).filter((one) => one.state === 'running').map((one) => one.id)
    registry.setPassword('device', 'second-password')
    expect(await ensure(engine, name('secret'), 'r1')).toMatchObject({ ok: false, cause: { code: 'image.pull.denied' } })
    engine.wantImages?.(wanted('second-password'))
    expect(await ensure(engine, name('secret'), 'r1')).toEqual({ ok: true })
    expect((await engine.observe()).filter((one) => one.state === 'running').map((one) => one.id)).toEqual(running)
    const written = `${lines.join('\n')}${readFileSync(path.join(dir, 'secret/images.json'), 'utf8')}`
    expect(written).not.toMatch(/first-password|second-password/)
  })

  it('says with sizes that an image does not fit, before it is fetched', async () => {
    await registry.push('large', '1', [randomLayer('large', 3 * MB)])
    const engine = agent('large', { space: { free: 600 * MB, total: 100_000 * MB } })
    engine.wantImages?.(wanted('second-password'))
    const before = proxy.served()
    const outcome = await ensure(engine, name('large'), 'r1')
    expect(outcome).toMatchObject({ ok: true })
    const full = agent('large', { space: { free: 540 * MB, total: 100_000 * MB } })
    full.wantImages?.(wanted('second-password'))
    await registry.push('larger', '1', [randomLayer('larger', 3 * MB)])
    const served = proxy.served()
    expect(served - before).toBeGreaterThan(3 * MB)
    expect(await ensure(full, name('larger'), 'r1')).toMatchObject({
      ok: false,
      cause: { code: 'image.pull.disk-full', facts: { why: 'it needs about 14 MB, 540 MB are free and 537 MB of them are kept as a reserve' } },
    })
    expect(proxy.served() - served).toBeLessThan(100_000)
  })

  it('fetches ahead of need, and starts later without the registry', async () => {
    await registry.push('ahead', '2', [busyboxLayer(['sleep', 'ahead'])])
    const engine = agent('ahead')
    engine.wantImages?.(wanted('second-password', [name('ahead', '2')]))
    while ((await imageId(name('ahead', '2')).catch(() => '')) === '') await sleep(50)
    proxy.setDown(true)
    try {
      expect(await ensure(engine, name('ahead', '2'), 'r1')).toEqual({ ok: true })
    } finally {
      proxy.setDown(false)
    }
  })
})
