/** From a program's death to its running again, through the agent and by a client of the engine that does nothing else. */
import { execFileSync } from 'node:child_process'
import { deployment, writeManifest } from '../../test/integration/manifests.ts'
import type { PrivateDockerd } from '../../test/integration/private-dockerd.ts'
import { createTestbed, eventually } from '../testbed/testbed.ts'
import { engineRequest } from '../quickstart/engine-request.ts'
import { makeRawNetwork, nthStart, rawDown, rawOptions, rawUp } from './raw-engine.ts'
import { showMs, spread } from './statistics.ts'

const PODS = 20
const IMAGE = 'busybox:1'

export async function benchHeal(): Promise<void> {
  const bed = await createTestbed({ gateways: 1, images: [IMAGE], first: 43 })
  try {
    const [gateway] = bed.gateways
    if (gateway === undefined) throw new Error('no gateway')
    const { engine } = gateway
    await makeRawNetwork(engine.socketPath)
    await bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, deployment('heal', IMAGE, PODS)))
    await eventually('all run', async () => {
      const count = (await gateway.containers()).filter((one) => one.running).length
      return count === PODS ? null : `${count} run`
    })
    await pause(5_000)
    const [ours, raw]: [number[], number[]] = [[], []]
    // each container once: a second crash has to wait
    for (const { id } of await gateway.containers()) {
      ours.push(await killed(engine, id, () => Promise.resolve()))
      await rawUp(engine.socketPath, 1, 1, rawOptions(IMAGE))
      raw.push(await killed(engine, 'raw-0', () => restart(engine, 'raw-0')))
      await rawDown(engine.socketPath, 1, 1)
    }
    // the first of each warms caches
    const [mine, floor] = [spread(ours.slice(1)), spread(raw.slice(1))]
    const ratio = (mine.median / floor.median).toFixed(2)
    process.stdout.write(`\nheal: SIGKILL -> started again, first crash, one of ${PODS} pods: skerry ${showMs(mine)}   `)
    process.stdout.write(`raw client (wait, then start) ${showMs(floor)}   ratio ${ratio} (aim 1.3)\n`)
  } finally {
    await bed.destroy()
  }
}

/** The fastest that a client can be: it waits for this one container. */
async function restart({ socketPath }: PrivateDockerd, name: string): Promise<void> {
  await engineRequest(socketPath, 'POST', `/containers/${name}/wait`)
  await engineRequest(socketPath, 'POST', `/containers/${name}/start`)
}

async function killed(engine: PrivateDockerd, container: string, heal: () => Promise<void>): Promise<number> {
  const pid = (await engine.docker('inspect', '-f', '{{.State.Pid}}', container)).trim()
  const started = nthStart(engine.socketPath, 1)
  const healed = heal()
  // both subscriptions must stand before the kill, and the agent must have nothing else to do
  await pause(500)
  const begin = performance.now()
  execFileSync('kill', ['-9', pid])
  await healed
  const ms = (await started.at) - begin
  started.close()
  await pause(500)
  return ms
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
