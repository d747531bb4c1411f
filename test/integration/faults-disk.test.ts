/**
 * Disks that are full, too small or read-only, under a real agent and cloud: the engine's folder is an ext4 of 1 GiB and the
 * agent's one of 200 MiB. In every phase what runs goes on, page and cloud say why, and it recovers when there is room again.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { cloudAddressOf } from '../../scripts/testbed/gateway.ts'
import type { Gateway } from '../../scripts/testbed/gateway.ts'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { buildOnce } from './build-once.ts'
import { identities, nodeCondition, pageOf, running, watchPage, whyNoPage } from './gateway-eyes.ts'
import { daemonSet, writeManifest } from './manifests.ts'
import { mountDisk, whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'
import { busyboxLayer, randomLayer, startCuttingProxy, startRegistry, whyNoRegistry } from './registry.ts'
import type { CuttingProxy, Registry } from './registry.ts'

const why = whyNoDockerd() ?? whyNoKubectl() ?? whyNoPage() ?? whyNoRegistry()
if (why !== null) console.warn(`faults of disks: not run: ${why}`)

const NUMBER = 36
const HERE = cloudAddressOf(NUMBER)
const MB = 1_000_000

/** what fallocate needs for its own book-keeping, at most */
const BOOKS = 4 * MB

/** A file that takes all but so many bytes of the file system. */
class Ballast {
  readonly #file: string
  constructor(folder: string) {
    this.#file = path.join(folder, 'ballast')
  }
  leave(bytes: number): void {
    this.drop()
    // what was removed just now is free only with the next commit of the journal
    execFileSync('sync', ['-f', path.dirname(this.#file)])
    const { bavail, bsize } = statfsSync(path.dirname(this.#file))
    const taken = bavail * bsize - bytes - BOOKS
    if (taken > 0) execFileSync('fallocate', ['-l', String(taken), this.#file])
  }
  drop(): void {
    rmSync(this.#file, { force: true })
  }
}

/** Takes every block that the agent could have, and what is given back meanwhile. */
class Flood {
  readonly #file: string
  #child: ChildProcess | null = null
  constructor(folder: string) {
    this.#file = path.join(folder, 'flood')
  }
  async begin(): Promise<void> {
    // in large pieces, and what is too little for one in small ones
    const small = `dd if=/dev/zero of=${this.#file} bs=1k count=20000 oflag=append,sync conv=notrunc`
    this.#child = spawn('sh', ['-c', `while true; do cat /dev/zero >> ${this.#file}; ${small}; sleep 0.1; done`], { stdio: 'ignore', detached: true })
    const probe = path.join(path.dirname(this.#file), 'probe')
    await eventually('not a block is left', async () => {
      try {
        writeFileSync(probe, Buffer.alloc(4096), { flush: true })
        return 'it takes another file'
      } catch (error) {
        return String(error).includes('ENOSPC') ? null : String(error)
      } finally {
        rmSync(probe, { force: true })
      }
    })
  }
  end(): void {
    // with whatever it runs at the moment: a writer of a removed file would still take all there is
    if (this.#child?.pid !== undefined && this.#child.exitCode === null) process.kill(-this.#child.pid, 'SIGKILL')
    this.#child = null
    rmSync(this.#file, { force: true })
  }
}

/** null = done, else why not. */
function remount(folder: string, how: 'ro' | 'rw'): string | null {
  const { status, stderr } = spawnSync('mount', ['-o', `remount,${how}`, folder], { encoding: 'utf8' })
  return status === 0 ? null : stderr
}

describe.skipIf(why !== null)('a disk', () => {
  const dir = mkdtempSync(path.join(tmpdir(), 'skdisk-'))
  let bed: Testbed
  let gateway: Gateway
  let registry: Registry
  let proxy: CuttingProxy
  let engineDisk: Ballast
  let flood: Flood
  beforeAll(async () => {
    await buildOnce()
    const engine = { diskBytes: 1 << 30, config: { 'insecure-registries': [`${HERE}/32`] } }
    bed = await createTestbed({ gateways: 1, images: ['busybox:1'], first: NUMBER, engine })
    const [first] = bed.gateways
    if (first === undefined) throw new Error('no gateway')
    gateway = first
    registry = await startRegistry(path.join(dir, 'registry'))
    proxy = await startCuttingProxy(HERE, registry.port, 8 * MB)
    await registry.push('fat', '1', [busyboxLayer(['sleep']), randomLayer('fat', 60 * MB)])
    for (const tag of ['2', '3']) await registry.push('small', tag, [busyboxLayer(['sleep', `tag-${tag}`])])
    await registry.push('greedy', '1', [busyboxLayer(['sh', 'dd', 'sleep'])])
    await gateway.agent.stop()
    await mountDisk(path.join(dir, 'state.img'), gateway.stateDir, 200 << 20)
    gateway.agent.start()
    flood = new Flood(gateway.stateDir)
    engineDisk = new Ballast(path.join(gateway.engine.dir, 'data'))
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, daemonSet('web', 'busybox:1')))
    await eventually('it runs', () => running(gateway, 1))
  })
  afterAll(async () => {
    flood?.end()
    await gateway?.agent.stop()
    execFileSync('sh', ['-c', `umount -l ${gateway.stateDir} 2>/dev/null || true`])
    await proxy?.close()
    await registry?.stop()
    await bed?.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  const web = async (): Promise<readonly string[]> => identities((await gateway.containers()).filter(({ name }) => name.includes('-web-')))
  const says = (what: string, look: () => Promise<string | null>): Promise<void> => eventually(what, look, 150_000)
  const fatSays = (codes: readonly string[], words: RegExp): Promise<void> =>
    says(`page and cloud say ${codes.join(' or ')}`, async () => {
      const fat = (await pageOf(gateway)).workloads.find(({ name }) => name.startsWith('fat'))
      const pods = await bed.cloud.kubectl(
        'get',
        'pods',
        '-l',
        'app=fat',
        '-o',
        'jsonpath={.items[*].status.containerStatuses[*].state.waiting.message}',
      )
      return codes.includes(fat?.cause?.code ?? '') && words.test(fat?.cause?.says ?? '') && words.test(pods)
        ? null
        : `${JSON.stringify(fat)} ${pods}`
    })

  it('without room for an image says so with sizes, before anything is fetched', async () => {
    const before = await web()
    engineDisk.leave(200 * MB)
    const served = proxy.served()
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, daemonSet('fat', `${HERE}:${proxy.port}/fat:1`)))
    await fatSays(['image.pull.disk-full'], /needs about \d+ MB, \d+ MB are free/)
    expect(proxy.served() - served).toBeLessThan(MB)
    expect(await web()).toEqual(before)
  })

  it('that fills up while an image is fetched and unpacked costs that pull, and the next one goes on', async () => {
    const before = await web()
    engineDisk.drop()
    const served = proxy.served()
    await says('the pull is under way', async () => (proxy.served() - served > 10 * MB ? null : String(proxy.served() - served)))
    engineDisk.leave(5 * MB)
    // where the watch over the disk looks before the pull has failed, the device is short before it is the image that does not fit
    await fatSays(['image.pull.disk-full', 'device.pressure.disk'], /no space left|MB are free|MiB of \d+ MiB/)
    await says('the cloud calls it DiskPressure', async () => {
      const condition = await nodeCondition(bed, gateway, 'DiskPressure')
      return condition.startsWith('True') ? null : condition
    })
    expect(await web()).toEqual(before)
    engineDisk.drop()
    await says('both run', () => running(gateway, 2))
    expect(proxy.served() - served, 'nothing was fetched twice').toBeLessThan(75 * MB)
    await says('the cloud has no DiskPressure', async () => {
      const condition = await nodeCondition(bed, gateway, 'DiskPressure')
      return condition.startsWith('False') ? null : condition
    })
    expect(await web()).toEqual(before)
  })

  it.each([
    [
      'read-only',
      // the kernel refuses it as long as a file is open for writing, which one is whenever the agent writes its state
      (): Promise<void> => says('the disk is read-only', async () => remount(gateway.stateDir, 'ro')),
      (): Promise<void> => says('the disk can be written', async () => remount(gateway.stateDir, 'rw')),
      /EROFS|read-only/i,
      'small:2',
    ],
    ['full', (): Promise<void> => flood.begin(), async (): Promise<void> => flood.end(), /ENOSPC|no space/i, 'small:3'],
  ])('of the agent that is %s keeps what runs, takes nothing new, and says so', async (name, breakIt, mend, words, small) => {
    await says('all is well', () => running(gateway, 2))
    const before = identities(await gateway.containers())
    const { pid } = gateway.agent
    // readings have nowhere to go either
    await bed.cloud.kubectl('annotate', '--overwrite', 'node', gateway.name, 'skerry.dev/telemetry-seconds=10')
    const page = watchPage(gateway)
    await breakIt()
    // an image that nothing needs went with the full disk: it must be one that can be had again
    const image = `${HERE}:${proxy.port}/${small}`
    try {
      await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, daemonSet('web', image)))
      await says('page and cloud say that the state cannot be written', async () => {
        const { storage, headline } = await pageOf(gateway)
        const condition = await nodeCondition(bed, gateway, 'DiskPressure')
        const told = storage.cause?.code === 'storage.degraded' && words.test(storage.cause.says) && condition.includes('cannot be written')
        return told ? null : `${JSON.stringify(storage)} ${headline.says} ${condition}`
      })
      expect(identities(await gateway.containers()), 'nothing that is not durable is acted on').toEqual(before)
    } finally {
      await mend()
    }
    const from = performance.now()
    await says('what came meanwhile is done', async () => {
      const [one] = (await gateway.containers()).filter((container) => container.name.includes('-web-'))
      return one?.image.includes(image.split('/').at(-1) ?? image) === true && one.running ? null : JSON.stringify(one)
    })
    const backMs = Math.round(performance.now() - from)
    const seen = await page.end()
    console.warn(`state disk ${name}: back after ${backMs} ms, page ${JSON.stringify(seen)}`)
    expect(seen.failures).toEqual([])
    expect(gateway.agent.pid).toBe(pid)
    await says('the page says that all is well', async () => {
      const { cause } = (await pageOf(gateway)).storage
      return cause === null ? null : JSON.stringify(cause)
    })
  })

  it('that a pod fills costs that pod, by name and with sizes, and no other one', async () => {
    await says('all is well', () => running(gateway, 2))
    const before = await web()
    // below a tenth of the disk pods are given up, most used first
    engineDisk.leave(300 * MB)
    const command = ['sh', '-c', 'dd if=/dev/zero of=/big bs=1M count=260; sleep 86400']
    const container = { name: 'main', image: `${HERE}:${proxy.port}/greedy:1`, command }
    const spec = { terminationGracePeriodSeconds: 0, containers: [container] }
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'greedy' }, spec }))
    await says('it is evicted', async () => {
      const status = await bed.cloud.kubectl('get', 'pod', 'greedy', '-o', 'jsonpath={.status.phase} {.status.reason} {.status.message}')
      return /^Failed Evicted .*nearly full: \d+ MiB of \d+ MiB free/.test(status) ? null : status
    })
    const condition = await nodeCondition(bed, gateway, 'DiskPressure')
    expect(condition).toMatch(/^True .*nearly full/)
    const left = (await gateway.containers()).filter(({ name }) => name.includes('-greedy-'))
    expect(left).toEqual([])
    await says('what it wrote has gone with it', async () => {
      const { bavail, bsize } = statfsSync(path.join(gateway.engine.dir, 'data'))
      return bavail * bsize > 250 * MB ? null : `${Math.round((bavail * bsize) / MB)} MB are free`
    })
    expect(await web()).toEqual(before)
    engineDisk.drop()
  })
})
