/** The same product with Mosquitto as broker: killed, wiped and started again, nothing that runs is disturbed and changes go on. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { desiredDigest } from '../../protocol/desired-state.ts'
import { topicOf } from '../../protocol/topics.ts'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { buildOnce } from './build-once.ts'
import { pageOf, whyNoPage } from './gateway-eyes.ts'
import { daemonSet, writeManifest } from './manifests.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl, whyNoProgram } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl() ?? whyNoPage() ?? whyNoProgram('mosquitto', 'mosquitto')
if (why !== null) console.warn(`outside-broker: not run: ${why}`)

describe.skipIf(why !== null)('an outside broker', () => {
  let bed: Testbed
  beforeAll(async () => {
    await buildOnce()
    bed = await createTestbed({ gateways: 1, images: ['busybox:1', 'busybox:2'], first: 25, outsideBroker: true })
  })
  afterAll(async () => bed?.destroy())

  const runs = async (image: string): Promise<string | null> => {
    const found = (await bed.gateways[0]?.containers()) ?? []
    return found.length === 1 && found[0]?.running === true && found[0].image === image ? null : JSON.stringify(found)
  }

  it('may forget everything', async () => {
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, daemonSet('web', 'busybox:1')))
    await eventually('the workload runs', () => runs('busybox:1'))
    const before = await bed.gateways[0]?.containers()
    await bed.broker?.stop('SIGKILL')
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, daemonSet('web', 'busybox:2')))
    expect(await bed.gateways[0]?.containers()).toEqual(before)
    bed.broker?.start()
    await eventually('the change arrives over the new broker', () => runs('busybox:2'))
    await eventually('the cloud hears of it', async () => {
      const ready = await bed.cloud.kubectl('get', 'ds', 'web', '-o', 'jsonpath={.status.updatedNumberScheduled}/{.status.numberReady}')
      return ready === '1/1' ? null : ready
    })
  })

  it('F12: that was restored with empty and foreign messages makes no device remove anything', async () => {
    const [gateway] = bed.gateways
    if (gateway === undefined) throw new Error('no gateway')
    const before = await gateway.containers()
    const { broker } = JSON.parse(readFileSync(path.join(bed.dir, gateway.name, 'join.json'), 'utf8')) as { readonly broker: string }
    const client = await connectAsync(broker)
    const nobody = { device: gateway.name, epoch: 9, generation: 9, issuedAt: '2030-01-01T00:00:00Z', digest: desiredDigest([]), pods: [] }
    const say = async (payload: string): Promise<void> => {
      await client.publishAsync(topicOf('default', gateway.name, 'desired'), payload, { qos: 1, retain: true })
    }
    // empty = there is none; the last one stays for whoever subscribes later
    for (const payload of ['', '{}', JSON.stringify(nobody)]) await say(payload)
    await client.endAsync()
    await gateway.agent.stop('SIGKILL')
    gateway.agent.start()
    await eventually('the page says that it was refused', async () => {
      const { refusals, link } = await pageOf(gateway)
      return link.cause === null && refusals.some(({ code }) => code.startsWith('desired.refused')) ? null : JSON.stringify({ refusals, link })
    })
    expect(await gateway.containers()).toEqual(before)
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, daemonSet('web', 'busybox:1')))
    await eventually('a change of the cloud still arrives', () => runs('busybox:1'))
  })
})
