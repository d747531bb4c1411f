/** The whole loop with a real engine and a real registry: what runs stays while images cannot be had, and comes back repaired. */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { ImageRecord } from '../../edge-agent/core/image-record.ts'
import { initialState } from '../../edge-agent/core/initial-state.ts'
import { createDockerEngine } from '../../edge-agent/engine/docker-engine.ts'
import { hostOfImages } from '../../edge-agent/engine/image-host.ts'
import { startLoop } from '../../edge-agent/runtime/loop.ts'
import type { Loop } from '../../edge-agent/runtime/loop.ts'
import { systemClock } from '../../edge-agent/runtime/system-clock.ts'
import { createWatchdog } from '../../edge-agent/runtime/watchdog.ts'
import { openImageRecordFile } from '../../edge-agent/store/image-record-file.ts'
import { openStateStore } from '../../edge-agent/store/state-store.ts'
import { desiredDigest, podSpecHash } from '../../protocol/desired-state.ts'
import type { DesiredPod, PullCredential } from '../../protocol/desired-state.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import { FakeProber } from '../fakes/prober.ts'
import { createPrivateDockerd, whyNoDockerd } from './private-dockerd.ts'
import type { PrivateDockerd } from './private-dockerd.ts'
import { busyboxLayer, randomLayer, startCuttingProxy, startRegistry, whyNoRegistry } from './registry.ts'
import type { CuttingProxy, Registry } from './registry.ts'

const missing = whyNoDockerd() ?? whyNoRegistry()
const HERE = '10.213.7.5'

describe.skipIf(missing !== null)(`the agent and its images${missing === null ? '' : `: NOT RUN: ${missing}`}`, () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'skima-'))
  const reports: StatusReport[] = []
  const logged: string[] = []
  let docker: PrivateDockerd
  let registry: Registry
  let proxy: CuttingProxy
  let loop: Loop
  let unwatch: (() => void) | null = null
  let generation = 0

  beforeAll(async () => {
    docker = await createPrivateDockerd({ link: { here: `${HERE}/30`, there: '10.213.7.6/30' }, config: { 'insecure-registries': [`${HERE}/32`] } })
    registry = await startRegistry(path.join(dir, 'registry'), { user: 'device', password: 'first-password' })
    proxy = await startCuttingProxy(HERE, registry.port)
    await registry.push('app', '1', [busyboxLayer(['sleep', 'one'])])
    await registry.push('app', '2', [busyboxLayer(['sleep', 'two'])])
    await start()
  })
  afterAll(async () => {
    unwatch?.()
    await loop?.stop()
    await proxy?.close()
    await registry?.stop()
    await docker?.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  let starts = 0

  async function start(): Promise<void> {
    starts += 1
    const mine = starts
    const file = openImageRecordFile(path.join(dir, 'state'))
    // one that ended with the power writes no more, whatever it still waits for in this process
    const record = { load: file.load, save: (one: ImageRecord) => (mine === starts ? file.save(one) : Promise.resolve()) }
    const write = (msg: string, fields?: object): void => void logged.push(JSON.stringify({ msg, ...fields }))
    const log = { info: write, warn: write, error: write }
    const store = openStateStore(path.join(dir, 'state'), { log })
    const engine = createDockerEngine({
      socketPath: docker.socketPath,
      device: 'gw-images',
      clock: systemClock,
      images: {
        ...hostOfImages,
        record,
        stagingDir: path.join(dir, 'state/images'),
        log,
        onPulls: (pulls) => loop.dispatch({ kind: 'pulls', pulls }),
      },
    })
    loop = startLoop({
      initial: initialState({ device: 'gw-images', sid: 'sid', agentVersion: 'test' }, systemClock.now()),
      ports: {
        engine,
        store,
        log,
        clock: systemClock,
        link: { publishStatus: (report) => void reports.push(report), publishInventory: () => {} },
        prober: new FakeProber(),
        watchdog: createWatchdog(systemClock, () => {}),
      },
      onBroken: (event, error) => {
        throw new Error(`broken by ${event.kind}`, { cause: error })
      },
    })
    loop.dispatch({ kind: 'loaded', loaded: await store.load() })
    unwatch = engine.watch(() => loop.dispatch({ kind: 'engine-event' }))
  }

  const ask = (tag: string, password: string): void => {
    const spec: DesiredPod['spec'] = {
      containers: [{ name: 'main', image: `${HERE}:${proxy.port}/app:${tag}`, command: ['sleep', '86400'] }],
      terminationGracePeriodSeconds: 0,
      imagePullSecrets: [{ name: 'pull' }],
    }
    const pods = [{ uid: 'uid-app', namespace: 'default', name: 'app', specHash: podSpecHash(spec, undefined), spec }]
    const credentials: readonly PullCredential[] = [{ secret: 'default/pull', registry: `${HERE}:${proxy.port}`, username: 'device', password }]
    generation += 1
    const version = { device: 'gw-images', epoch: 1, generation, issuedAt: '2026-01-01T00:00:00Z' }
    loop.dispatch({ kind: 'target', desired: { ...version, digest: desiredDigest(pods, { credentials }), pods, credentials } })
  }
  const running = (tag: string): string | undefined =>
    loop.state().observed?.find((one) => one.image.endsWith(`/app:${tag}`) && one.state === 'running')?.id
  const until = async (holds: () => boolean): Promise<void> => {
    while (!holds()) await sleep(20)
  }
  const failure = (): string | undefined => Object.values(loop.state().ledger).find((entry) => entry.lastCause !== null)?.lastCause?.code

  it('starts what it pulled, under its digest', async () => {
    ask('1', 'first-password')
    await until(() => running('1') !== undefined)
    expect(loop.state().observed?.find((one) => one.image.endsWith('/app:1'))?.imageId).toMatch(/\/app@sha256:[0-9a-f]{64}$/)
  })

  it('keeps the old version running while the registry is down or refuses, and goes on with a new password', async () => {
    const old = running('1')
    proxy.setDown(true)
    ask('2', 'first-password')
    await until(() => failure() === 'image.pull.failed')
    expect(running('1')).toBe(old)
    registry.setPassword('device', 'second-password')
    proxy.setDown(false)
    ask('2', 'wrong-password')
    await until(() => failure() === 'image.pull.denied')
    expect(running('1')).toBe(old)
    await until(() => reports.at(-1)?.pods[0]?.cause?.code === 'image.pull.denied')
    ask('2', 'second-password')
    await until(() => running('2') !== undefined)
    const container = running('2')
    ask('2', 'third-password')
    await until(() => loop.state().desired?.generation === generation && loop.state().timing.fresh)
    expect(running('2')).toBe(container)
    expect(`${logged.join('\n')}${JSON.stringify(reports)}${JSON.stringify(loop.state().plan)}`).not.toMatch(/(first|second|third|wrong)-password/)
  })

  it('repairs a damaged image by itself and reports why', async () => {
    ask('2', 'second-password')
    const container = running('2') ?? ''
    const lower = (await docker.docker('inspect', '-f', '{{.GraphDriver.Data.LowerDir}}', container)).trim().split(':').at(-1) ?? ''
    truncateSync(path.join(lower, 'bin/sleep'), 0)
    await docker.docker('kill', container)
    await until(() => running('2') !== undefined && running('2') !== container)
    // the repair is quicker than reports are: the reason is still told with what runs again
    await until(() => reports.at(-1)?.pods[0]?.ready === true && reports.at(-1)?.pods[0]?.cause?.code === 'image.damaged')
    expect(logged.join('\n')).toContain('a damaged image was removed and is fetched again')
  })

  it('F1: finds what a power cut left of an image, in its parts and as a whole, and fetches that again', async () => {
    const layers = [busyboxLayer(['sleep']), randomLayer('one', 6_000_000), randomLayer('two', 6_000_000)]
    await registry.push('app', '3', layers)
    const cuts = proxy.cuts()
    proxy.cutAfter(9_000_000)
    ask('3', 'second-password')
    await until(() => proxy.cuts() > cuts)
    // which layers the engine has by then depends on how far each download was; something of it is always damaged
    const first = await powerCut('one')
    expect(first.layers + first.parts).toBeGreaterThan(0)
    proxy.cutAfter(null)
    await start()
    await until(() => running('3') !== undefined)
    await expectWhole(layers)
    // and once more, right after it was whole
    await docker.docker('rm', '-f', running('3') ?? '')
    const second = await powerCut('two')
    expect(second.layers).toBe(1)
    await start()
    await until(() => running('3') !== undefined)
    await expectWhole(layers)
    // and when its container is there, and would run with what is left
    const before = running('3')
    const third = await powerCut('one')
    expect(third.layers).toBe(1)
    await start()
    await until(() => running('3') !== undefined)
    expect(running('3')).not.toBe(before)
    await expectWhole(layers)
    expect(logged.filter((line) => line.includes('an image was damaged when the power went')).length).toBeGreaterThanOrEqual(
      first.layers + second.layers + third.layers,
    )
  })

  /** agent and engine end hard; of one layer, where the engine has it, the name is there and the bytes are not; of what was being downloaded half */
  async function powerCut(name: string): Promise<{ readonly layers: number; readonly parts: number }> {
    starts += 1
    unwatch?.()
    await loop.stop()
    await docker.kill()
    const found = execFileSync('find', [path.join(docker.dir, 'data/overlay2'), '-path', `*/diff/${name}`], { encoding: 'utf8' })
    const file = found.split('\n')[0] ?? ''
    if (file !== '') truncateSync(file, 0)
    const parts = execFileSync('find', [path.join(dir, 'state/images'), '-type', 'f', '-size', '+1M'], { encoding: 'utf8' })
      .split('\n')
      .filter((one) => one !== '')
    for (const part of parts) truncateSync(part, Math.floor(statSync(part).size / 2))
    await docker.start()
    return { layers: file === '' ? 0 : 1, parts: parts.length }
  }

  async function expectWhole(layers: readonly Buffer[]): Promise<void> {
    const container = running('3') ?? ''
    for (const [index, name] of ['one', 'two'].entries()) {
      const copied = path.join(dir, `copied-${name}`)
      await docker.docker('cp', `${container}:/${name}`, copied)
      const body = layers[index + 1]?.subarray(512, 512 + 6_000_000)
      expect(body !== undefined && readFileSync(copied).equals(body), name).toBe(true)
    }
  }
})
