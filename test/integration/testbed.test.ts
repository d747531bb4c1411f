/** The main story on three gateways with real engines: roll out, cut one off, change, reboot it while cut off, heal. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import type { Gateway, GatewayContainer } from '../../scripts/testbed/gateway.ts'
import { pageOf, whyNoPage } from './gateway-eyes.ts'
import { daemonSet, deployment, writeManifest } from './manifests.ts'
import type { Manifest } from './manifests.ts'
import { buildOnce } from './build-once.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl() ?? whyNoPage()
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
  })

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
  })

  it('stops what may run alone only for a while, starts it after a reboot only with the word of the cloud, and leaves the rest alone', async () => {
    const [first] = bed.gateways
    if (first === undefined) throw new Error('no gateway')
    // a link that is lost is noticed within 22 s then, on both sides
    await bed.cloud.kubectl('annotate', 'node', first.name, 'skerry.dev/keepalive-seconds=15')
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, deployment('once', 'busybox:1', 1, { on: first.name, stopAfterSeconds: 20 })))
    const state = async (): Promise<string> => {
      const [once, web] = ['-once-', '-web-'].map(async (part) => (await first.containers()).find(({ name }) => name.includes(part))?.running)
      return `once ${String(await once)}, web ${String(await web)}`
    }
    const becomes = (wanted: string): Promise<void> => eventually(wanted, async () => ((await state()) === wanted ? null : await state()))
    await becomes('once true, web true')
    const [pod] = (await bed.cloud.kubectl('get', 'pods', '-l', 'app=once', '-o', 'name')).trim().split('\n')
    await first.cut()
    await becomes('once false, web true')
    await first.reboot()
    await becomes('once false, web true')
    await eventually('its page says why', async () => {
      const code = (await pageOf(first)).workloads.find(({ name }) => name.startsWith('once'))?.cause?.code ?? 'nothing'
      return code.startsWith('policy.disconnect.') ? null : code
    })
    expect(await state()).toBe('once false, web true')
    await first.heal()
    await becomes('once true, web true')
    expect((await bed.cloud.kubectl('get', 'pods', '-l', 'app=once', '-o', 'name')).trim(), 'it was not lost').toBe(pod)
    await bed.cloud.kubectl('delete', 'deployment', 'once')
    await eventually(`${first.name} has the other one only`, () => only(first, 'busybox:1'))
  })

  it('keeps the data of a StatefulSet through an update of its image, restarts of agent and engine, and a reboot', async () => {
    await bed.cloud.kubectl('delete', 'ds', 'web')
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, statefulSet('db', 'busybox:1')))
    const gateway = await placeOf(bed, 'db-0')
    /** each start of its program leaves a line in the volume */
    const starts = async (least: number, image: string): Promise<void> => {
      await eventually(
        `db-0 has started ${least} times, now as ${image}`,
        async () => {
          const [container] = await gateway.containers()
          if (container?.running !== true || container.image !== image) return JSON.stringify(container ?? 'no container')
          const lines = (await gateway.engine.docker('exec', container.id, 'cat', '/data/starts')).trim().split('\n')
          return lines.length >= least && lines[0] === 'start 1' && lines.every((line, index) => line === `start ${index + 1}`)
            ? null
            : lines.join(', ')
        },
        120_000,
      )
    }
    await starts(1, 'busybox:1')
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, statefulSet('db', 'busybox:2')))
    await starts(2, 'busybox:2')
    await gateway.agent.stop('SIGKILL')
    gateway.agent.start()
    await gateway.engine.kill()
    await gateway.engine.start()
    await starts(3, 'busybox:2')
    await gateway.reboot()
    await starts(4, 'busybox:2')
    expect((await placeOf(bed, 'db-0')).name, 'a volume stays on its device').toBe(gateway.name)
    expect(await bed.cloud.kubectl('get', 'pvc', 'data-db-0', '-o', 'jsonpath={.status.phase}')).toBe('Bound')
  })
})

/** One replica with a volume of its own, whose program counts in it how often it was started. */
function statefulSet(name: string, image: string): Manifest {
  const command = ['sh', '-c', 'echo "start $(( $(cat /data/starts 2>/dev/null | wc -l) + 1 ))" >> /data/starts; exec sleep 86400']
  const container = { name: 'main', image, command, volumeMounts: [{ name: 'data', mountPath: '/data' }] }
  return {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    metadata: { name },
    spec: {
      serviceName: name,
      replicas: 1,
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: { app: name } }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }],
    },
  }
}

async function placeOf(bed: Testbed, pod: string): Promise<Gateway> {
  let name = ''
  await eventually(`${pod} has a device`, async () => {
    name = await bed.cloud.kubectl('get', 'pod', pod, '-o', 'jsonpath={.spec.nodeName}')
    return name === '' ? 'none yet' : null
  })
  const gateway = bed.gateways.find((one) => one.name === name)
  if (gateway === undefined) throw new Error(`there is no ${name}`)
  return gateway
}
