/** The main story on three gateways with real engines: roll out, cut one off, change, reboot it while cut off, heal. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import type { Gateway, GatewayContainer } from '../../scripts/testbed/gateway.ts'
import { daemonSet, writeManifest } from './manifests.ts'
import { buildOnce } from './build-once.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl()
if (why !== null) console.warn(`testbed: not run: ${why}`)

/** One running container of that image and nothing else, or what there is instead. */
async function only(gateway: Gateway, image: string): Promise<string | null> {
  const containers = await gateway.containers()
  const good = containers.length === 1 && containers[0]?.running === true && containers[0].image === image
  return good ? null : `${gateway.name}: ${JSON.stringify(containers.map((c) => [c.image, c.running]))}`
}

async function one(gateway: Gateway): Promise<GatewayContainer> {
  const [first, ...rest] = await gateway.containers()
  if (first === undefined || rest.length > 0) throw new Error(`${gateway.name} has ${rest.length + (first === undefined ? 0 : 1)} containers`)
  return first
}

describe.skipIf(why !== null)('three gateways', () => {
  let bed: Testbed
  beforeAll(async () => {
    await buildOnce()
    bed = await createTestbed({ gateways: 3, images: ['busybox:1', 'busybox:2'], first: 11 })
  })
  afterAll(async () => bed?.destroy())

  it('rolls out, holds through a cut and an offline reboot, and catches up after healing', async () => {
    const [first, second, third] = bed.gateways
    if (first === undefined || second === undefined || third === undefined) throw new Error('three gateways were asked for')
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, daemonSet('web', 'busybox:1')))
    for (const gateway of bed.gateways) await eventually(`${gateway.name} runs busybox:1`, () => only(gateway, 'busybox:1'))
    await eventually('the cloud says 3 ready', async () => {
      const ready = await bed.cloud.kubectl('get', 'ds', 'web', '-o', 'jsonpath={.status.numberReady}')
      return ready === '3' ? null : `numberReady ${ready}`
    })
    const thirdBefore = await one(third)

    await third.cut()
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, daemonSet('web', 'busybox:2')))
    for (const gateway of [first, second]) await eventually(`${gateway.name} runs busybox:2`, () => only(gateway, 'busybox:2'), 180_000)
    expect(await one(third), 'the cut-off gateway was not touched').toEqual(thirdBefore)

    await third.reboot()
    await eventually('the cut-off gateway runs its old workload again', () => only(third, 'busybox:1'))
    const thirdRebooted = await one(third)
    expect(thirdRebooted.id, 'the same container, started again').toBe(thirdBefore.id)
    const untouched = [await one(first), await one(second)]

    await third.heal()
    await eventually('the healed gateway runs busybox:2', () => only(third, 'busybox:2'), 120_000)
    expect([await one(first), await one(second)], 'nothing else was touched').toEqual(untouched)
    await eventually('the cloud says all are updated', async () => {
      const status = await bed.cloud.kubectl('get', 'ds', 'web', '-o', 'jsonpath={.status.updatedNumberScheduled}/{.status.numberReady}')
      return status === '3/3' ? null : status
    })
  }, 400_000)

  it('disturbs nothing when cloud, broker or engine are killed', async () => {
    const before = await Promise.all(bed.gateways.map(one))
    // the embedded broker lives in the cloud and keeps nothing: this wipes it as well
    await bed.cloud.child.stop('SIGKILL')
    bed.cloud.child.start()
    await bed.cloud.ready()
    await eventually('all devices are back', async () => {
      const ready = await bed.cloud.kubectl('get', 'nodes', '-o', 'jsonpath={range .items[*]}{.status.conditions[?(@.type=="Ready")].status} {end}')
      return ready.trim() === 'True True True' ? null : ready
    })
    expect(await Promise.all(bed.gateways.map(one)), 'the same containers, never restarted').toEqual(before)

    const [first] = bed.gateways
    if (first === undefined) throw new Error('no gateway')
    await first.engine.kill()
    await first.engine.start()
    await eventually('the workload of the gateway whose engine was killed runs', () => only(first, 'busybox:2'), 60_000)
    // a change still arrives everywhere
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, daemonSet('web', 'busybox:1')))
    for (const gateway of bed.gateways) await eventually(`${gateway.name} runs busybox:1`, () => only(gateway, 'busybox:1'), 180_000)
  }, 400_000)
})
