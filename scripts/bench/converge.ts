/** Apply to all running through the whole product, beside the raw engine, interleaved so that machine noise hits both alike. */
import { createTestbed, eventually } from '../testbed/testbed.ts'
import type { Testbed } from '../testbed/testbed.ts'
import { apiCall } from './api-call.ts'
import { makeRawNetwork, nthStart, rawDown, rawOptions, rawUp } from './raw-engine.ts'
import { showMs, spread } from './statistics.ts'

const SIZES: readonly { readonly pods: number; readonly rounds: number }[] = [
  { pods: 1, rounds: 9 },
  { pods: 10, rounds: 5 },
  { pods: 50, rounds: 3 },
]
const RAW_CONCURRENCY: readonly number[] = [4, 8]
const DEPLOYMENTS = '/apis/apps/v1/namespaces/default/deployments'
const IMAGE = 'busybox:1'

export async function benchConverge(): Promise<void> {
  const bed = await createTestbed({ gateways: 1, images: [IMAGE], first: 41 })
  try {
    const [gateway] = bed.gateways
    if (gateway === undefined) throw new Error('no gateway')
    await eventually('the device is ready', async () =>
      (await bed.cloud.kubectl('get', 'nodes', '-o', 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}')) === 'True'
        ? null
        : 'not ready',
    )
    await makeRawNetwork(gateway.engine.socketPath)
    process.stdout.write(
      '\nconverge: apply -> last container started, beside create+start by the raw engine API (same network, best of its concurrencies), interleaved\n',
    )
    for (const { pods, rounds } of SIZES) await size(bed, gateway.engine.socketPath, pods, rounds)
  } finally {
    await bed.destroy()
  }
}

async function size(bed: Testbed, socket: string, pods: number, rounds: number): Promise<void> {
  const ours: number[] = []
  const raw: number[] = []
  for (let round = 0; round <= rounds; round += 1) {
    const up = await skerryUp(bed, socket, pods)
    const concurrency = RAW_CONCURRENCY[round % RAW_CONCURRENCY.length] ?? 4
    const floor = await rawUp(socket, pods, pods === 1 ? 1 : concurrency, rawOptions(IMAGE))
    await rawDown(socket, pods, 4)
    // the first round warms caches of both
    if (round > 0) {
      ours.push(up)
      raw.push(floor)
    }
  }
  const mine = spread(ours)
  const floor = spread(raw)
  const aim = 1.1 * floor.median + 60
  const ratio = (mine.median / floor.median).toFixed(2)
  const line = `skerry ${showMs(mine)}   raw ${showMs(floor)}   ratio ${ratio}   (1.10 x raw + 60 ms = ${aim.toFixed(0)} ms)`
  process.stdout.write(`  ${String(pods).padStart(2)} pods  ${line}\n`)
}

async function skerryUp(bed: Testbed, socket: string, pods: number): Promise<number> {
  const started = nthStart(socket, pods)
  const begin = performance.now()
  await apiCall(bed, { method: 'POST', path: DEPLOYMENTS, body: manifest(pods) })
  const ms = (await started.at) - begin
  started.close()
  await apiCall(bed, { method: 'DELETE', path: `${DEPLOYMENTS}/bench` })
  const [gateway] = bed.gateways
  await eventually('all are gone', async () => {
    const left = (await gateway?.containers()) ?? []
    const objects = JSON.parse(await bed.cloud.kubectl('get', 'pods', '-o', 'json')) as { readonly items: readonly unknown[] }
    return left.length === 0 && objects.items.length === 0 ? null : `${left.length} containers, ${objects.items.length} pods`
  })
  return ms
}

function manifest(replicas: number): unknown {
  const container = {
    name: 'main',
    image: IMAGE,
    command: ['sleep', '86400'],
    resources: { requests: { cpu: '1m', memory: '4Mi' }, limits: { memory: '32Mi' } },
  }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name: 'bench' },
    spec: {
      replicas,
      selector: { matchLabels: { app: 'bench' } },
      template: { metadata: { labels: { app: 'bench' } }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } },
    },
  }
}
