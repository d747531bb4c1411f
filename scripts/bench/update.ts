/**
 * One change to ten pods, from the request to the last new container started, beside a client of the engine that makes the same ten anew.
 * In place: ten DaemonSets whose pods the device changes where they are. New pods: a Deployment whose pods are replaced all at once, which
 * takes the cloud's word twice, because a pod counts as gone only when the device has said so.
 */
import { createTestbed, eventually } from '../testbed/testbed.ts'
import type { Gateway } from '../testbed/gateway.ts'
import { apiCall } from './api-call.ts'
import { makeRawNetwork, nthStart, rawDown, rawOptions, rawRecreate, rawUp } from './raw-engine.ts'
import { showMs, spread } from './statistics.ts'

const PODS = 10
const ROUNDS = 5
const RAW_CONCURRENCY: readonly number[] = [4, 8]
const IMAGE = 'busybox:1'
const APPS = '/apis/apps/v1/namespaces/default'
/** before the next round everything must be healthy, remembered so, and reported */
const SETTLE_MS = 15_000

export async function benchUpdate(): Promise<void> {
  const bed = await createTestbed({ gateways: 1, images: [IMAGE], first: 42 })
  try {
    const [gateway] = bed.gateways
    if (gateway === undefined) throw new Error('no gateway')
    await makeRawNetwork(gateway.engine.socketPath)
    process.stdout.write('\n')
    const names = Array.from({ length: PODS }, (_, index) => `set-${index}`)
    await Promise.all(names.map((name) => apiCall(bed, { method: 'POST', path: `${APPS}/daemonsets`, body: daemonSet(name) })))
    await compared(gateway, 'in place', async (round) => {
      await Promise.all(names.map((name) => apiCall(bed, { method: 'PATCH', path: `${APPS}/daemonsets/${name}`, body: changed(round) })))
    })
    await Promise.all(names.map((name) => apiCall(bed, { method: 'DELETE', path: `${APPS}/daemonsets/${name}` })))
    await settled(gateway, 0)
    await apiCall(bed, { method: 'POST', path: `${APPS}/deployments`, body: deployment() })
    await compared(gateway, 'new pods', (round) => apiCall(bed, { method: 'PATCH', path: `${APPS}/deployments/all`, body: changed(round) }))
  } finally {
    await bed.destroy()
  }
}

async function compared(gateway: Gateway, what: string, change: (round: number) => Promise<void>): Promise<void> {
  const { socketPath } = gateway.engine
  const [ours, raw]: [number[], number[]] = [[], []]
  for (let round = 0; round <= ROUNDS; round += 1) {
    await settled(gateway, PODS)
    await pause(SETTLE_MS)
    const started = nthStart(socketPath, PODS)
    await pause(300)
    const begin = performance.now()
    await change(round)
    const mine = (await started.at) - begin
    started.close()
    await settled(gateway, PODS)
    await rawUp(socketPath, PODS, 4, rawOptions(IMAGE))
    const floor = await rawRecreate(socketPath, PODS, RAW_CONCURRENCY[round % RAW_CONCURRENCY.length] ?? 4, rawOptions(IMAGE))
    await rawDown(socketPath, PODS, 4)
    // the first round warms caches of both
    if (round > 0) {
      ours.push(mine)
      raw.push(floor)
    }
  }
  const [mine, floor] = [spread(ours), spread(raw)]
  const ratio = (mine.median / floor.median).toFixed(2)
  process.stdout.write(
    `update of ${PODS} pods, ${what}: skerry ${showMs(mine)}   raw stop, remove, create, start ${showMs(floor)}   ratio ${ratio} (aim 1.1)\n`,
  )
}

async function settled(gateway: Gateway, pods: number): Promise<void> {
  await eventually(`${pods} run and nothing else is there`, async () => {
    const containers = await gateway.containers()
    const running = containers.filter((one) => one.running).length
    return running === pods && containers.length === pods ? null : `${containers.length} containers, ${running} run`
  })
}

function changed(round: number): unknown {
  return { spec: { template: { spec: { containers: [{ name: 'main', env: [{ name: 'ROUND', value: String(round) }] }] } } } }
}

function template(app: string): unknown {
  const container = {
    name: 'main',
    image: IMAGE,
    command: ['sleep', '86400'],
    resources: { requests: { cpu: '1m', memory: '4Mi' }, limits: { memory: '32Mi' } },
  }
  return { metadata: { labels: { app } }, spec: { terminationGracePeriodSeconds: 0, containers: [container] } }
}

function daemonSet(name: string): unknown {
  const metadata = { name, annotations: { 'skerry.dev/update-strategy': 'InPlace' } }
  return { apiVersion: 'apps/v1', kind: 'DaemonSet', metadata, spec: { selector: { matchLabels: { app: name } }, template: template(name) } }
}

function deployment(): unknown {
  const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%', maxSurge: 0 } }
  const spec = { replicas: PODS, strategy, selector: { matchLabels: { app: 'all' } }, template: template('all') }
  return { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: 'all' }, spec }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms))
}
