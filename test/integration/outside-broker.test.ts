/** The same product with Mosquitto as broker: killed, wiped and started again, nothing that runs is disturbed and changes go on. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { buildOnce } from './build-once.ts'
import { daemonSet, writeManifest } from './manifests.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl, whyNoProgram } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl() ?? whyNoProgram('mosquitto', 'mosquitto')
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
    await eventually('the change arrives over the new broker', () => runs('busybox:2'), 60_000)
    await eventually('the cloud hears of it', async () => {
      const ready = await bed.cloud.kubectl('get', 'ds', 'web', '-o', 'jsonpath={.status.updatedNumberScheduled}/{.status.numberReady}')
      return ready === '1/1' ? null : ready
    })
  }, 200_000)
})
