/**
 * An engine in trouble, under a real agent and cloud: stopped for long, killed ten times, and one that does not start any more.
 * The agent stays up, nothing is disturbed, the page answers, and page and cloud say what is wrong. SKERRY_LONG=1 stops the
 * engine for two minutes instead of as long as it takes to be noticed.
 */
import { truncateSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Gateway } from '../../scripts/testbed/gateway.ts'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { buildOnce } from './build-once.ts'
import { identities, nodeCondition, pageOf, running, watchPage, whyNoPage } from './gateway-eyes.ts'
import { daemonSet, writeManifest } from './manifests.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl() ?? whyNoPage()
if (why !== null) console.warn(`faults of the engine: not run: ${why}`)
const LONG = process.env['SKERRY_LONG'] === '1'
const KILLS = 10

describe.skipIf(why !== null)('the engine', () => {
  let bed: Testbed
  let gateway: Gateway
  beforeAll(async () => {
    await buildOnce()
    bed = await createTestbed({ gateways: 1, images: ['busybox:1'], first: 35, engine: { liveRestore: true } })
    const [first] = bed.gateways
    if (first === undefined) throw new Error('no gateway')
    gateway = first
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, daemonSet('web', 'busybox:1'), daemonSet('two', 'busybox:1')))
    await eventually('both run', () => running(gateway, 2))
  })
  afterAll(async () => bed?.destroy())

  const engineSays = (code: string): Promise<void> =>
    eventually(`the page says ${code}`, async () => {
      const { engine } = await pageOf(gateway)
      return engine.cause?.code === code ? null : JSON.stringify(engine)
    })
  const engineIsBack = async (): Promise<number> => {
    const from = performance.now()
    await eventually('page and cloud say that the engine answers', async () => {
      const { engine } = await pageOf(gateway)
      const ready = await nodeCondition(bed, gateway, 'Ready')
      return engine.cause === null && ready.startsWith('True') ? null : `${JSON.stringify(engine)} ${ready}`
    })
    return Math.round(performance.now() - from)
  }

  it('stopped: is said to give no answer, and nothing is touched', async () => {
    const before = identities(await gateway.containers())
    const { pid } = gateway.agent
    const page = watchPage(gateway)
    gateway.engine.pause()
    try {
      await engineSays('engine.timeout')
      await eventually('the cloud says so', async () => {
        const ready = await nodeCondition(bed, gateway, 'Ready')
        return ready.startsWith('False EngineUnreachable') && ready.includes('did not answer within') ? null : ready
      })
      if (LONG) await sleep(120_000)
    } finally {
      gateway.engine.resume()
    }
    const backMs = await engineIsBack()
    const seen = await page.end()
    console.warn(`engine stopped: back after ${backMs} ms, page ${JSON.stringify(seen)}`)
    expect(seen.failures).toEqual([])
    expect(seen.answers).toBeGreaterThan(10)
    expect(identities(await gateway.containers())).toEqual(before)
    expect(gateway.agent.pid).toBe(pid)
  })

  it(`killed ${KILLS} times: is waited for, and nothing is touched`, async () => {
    const before = identities(await gateway.containers())
    const { pid } = gateway.agent
    const page = watchPage(gateway)
    const back: number[] = []
    for (let kill = 0; kill < KILLS; kill += 1) {
      await gateway.engine.kill()
      await engineSays('engine.unreachable')
      if (kill === 0) {
        await eventually('the cloud says so', async () => {
          const ready = await nodeCondition(bed, gateway, 'Ready')
          return ready.startsWith('False EngineUnreachable') && ready.includes('does not answer since') ? null : ready
        })
      }
      await gateway.engine.start()
      back.push(await engineIsBack())
    }
    const seen = await page.end()
    console.warn(`engine killed: back after ${back.join(', ')} ms, page ${JSON.stringify(seen)}`)
    expect(seen.failures).toEqual([])
    expect(identities(await gateway.containers())).toEqual(before)
    expect(gateway.agent.pid).toBe(pid)
  })

  it('does not start after a hard reboot: the agent waits and says so, and then starts what should run', async () => {
    const before = (await gateway.containers()).map(({ id }) => id)
    await gateway.agent.stop('SIGKILL')
    // every container ends, as at a reboot
    await gateway.engine.docker('kill', ...before)
    await gateway.engine.kill()
    const references = path.join(gateway.engine.dir, 'data/image/overlay2/repositories.json')
    truncateSync(references, 0)
    gateway.agent.start()
    await expect(gateway.engine.start()).rejects.toThrow(/dockerd did not start/)
    await gateway.engine.kill()
    await engineSays('engine.unreachable')
    // a person repairs it: the names of the images are gone for good
    await rm(references)
    await gateway.engine.start()
    await eventually('both run again', () => running(gateway, 2))
    expect((await gateway.containers()).map(({ id }) => id)).toEqual(before)
    await engineIsBack()
  })
})
