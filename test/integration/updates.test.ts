/** Updates on a real engine, as kubectl sees them: fetched first, returned from without a network, held by a window and by a lease. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { SavedState } from '../../edge-agent/core/saved-model.ts'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import type { Gateway, GatewayContainer } from '../../scripts/testbed/gateway.ts'
import { writeManifest } from './manifests.ts'
import type { Manifest } from './manifests.ts'
import { buildOnce } from './build-once.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl()
if (why !== null) console.warn(`updates: not run: ${why}`)

const HOUR_MS = 3_600_000
/** nothing listens there: it comes by hand */
const ABSENT = '127.0.0.1:9/box:3'
const SLEEP = ['sleep', '86400']

/** `HH:MM` in UTC, so many hours from now */
const clockIn = (hours: number): string => new Date(Date.now() + hours * HOUR_MS).toISOString().slice(11, 16)
const policy = (more: Readonly<Record<string, string>>): Readonly<Record<string, string>> =>
  Object.fromEntries(Object.entries(more).map(([key, value]) => [`skerry.dev/${key}`, value]))

function agent(image: string, command: readonly string[], annotations: Readonly<Record<string, string>> = {}): Manifest {
  const metadata = { name: 'agent', annotations: policy({ 'update-strategy': 'InPlace' }) }
  const spec = { terminationGracePeriodSeconds: 0, containers: [{ name: 'main', image, command, imagePullPolicy: 'IfNotPresent' }] }
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata,
    spec: { selector: { matchLabels: { app: 'agent' } }, template: { metadata: { labels: { app: 'agent' }, annotations }, spec } },
  }
}

describe.skipIf(why !== null)('updates on a gateway', () => {
  let bed: Testbed
  let gateway: Gateway
  const apply = (manifest: Manifest): Promise<string> => bed.cloud.kubectl('apply', '-f', writeManifest(bed.dir, manifest))
  const get = (path: string): Promise<string> => bed.cloud.kubectl('get', 'pods', '-l', 'app=agent', '-o', `jsonpath=${path}`)
  const running = async (): Promise<readonly GatewayContainer[]> => (await gateway.containers()).filter((one) => one.running)
  const applied = (field: 'status' | 'reason' | 'message'): Promise<string> =>
    get(`{.items[*].status.conditions[?(@.type=="skerry.dev/RevisionApplied")].${field}}`)
  const says = (text: string, field: 'status' | 'reason' | 'message', value: string | RegExp): Promise<void> =>
    eventually(
      text,
      async () => {
        const seen = await applied(field)
        return (typeof value === 'string' ? seen === value : value.test(seen)) ? null : `RevisionApplied ${field} is ${JSON.stringify(seen)}`
      },
      // a device that was cut off for a while waits for a while before it tries again
      200_000,
    )
  /** the device has found what runs healthy, and has it on its disk */
  const settled = (): Promise<void> =>
    eventually('the device remembers a healthy revision', async () => {
      const text = readFileSync(path.join(gateway.stateDir, 'state.json'), 'utf8')
      const { updates = {} } = JSON.parse(text.slice(text.indexOf('\n') + 1)) as SavedState
      const [record] = Object.values(updates)
      return record !== undefined && record.healthy === record.applied && record.trial === undefined ? null : JSON.stringify(updates)
    })

  beforeAll(async () => {
    await buildOnce()
    bed = await createTestbed({ gateways: 1, images: ['busybox:1', 'busybox:2'], first: 41 })
    const [first] = bed.gateways
    if (first === undefined) throw new Error('no gateway')
    gateway = first
    await apply(agent('busybox:1', SLEEP))
    await settled()
  })
  afterAll(async () => bed?.destroy())

  it('keeps the old one until the image is there, and the pod through it all', async () => {
    const before = await running()
    const pod = await get('{.items[*].metadata.uid}')
    await apply(agent(ABSENT, SLEEP))
    await says('the image is looked for', 'reason', 'Downloading')
    await says('and cannot be had', 'message', /box:3/)
    expect(await running()).toEqual(before)
    await gateway.engine.docker('tag', 'busybox:2', ABSENT)
    await says('it is applied', 'status', 'True')
    expect((await running()).map(({ image }) => image)).toEqual([ABSENT])
    expect(await get('{.items[*].metadata.uid}')).toBe(pod)
    await settled()
  })

  it('returns from a bad one with the network cut, and says so when it is back', async () => {
    const before = await running()
    await apply(agent('busybox:2', ['sh', '-c', 'exit 7'], policy({ 'ready-deadline': '20' })))
    await eventually('the device has begun it', async () => {
      const now = await gateway.containers()
      return now.some(({ id }) => before.every((one) => one.id !== id)) ? null : 'not yet'
    })
    await gateway.cut()
    await eventually('the healthy revision runs again, without a network', async () => {
      const now = await running()
      return now.length === 1 && now[0]?.image === ABSENT && now[0].startedAt !== before[0]?.startedAt ? null : JSON.stringify(now)
    })
    await gateway.heal()
    await says('the cloud hears of it', 'reason', 'RolledBack')
    expect(await applied('message')).toMatch(/was not ready in time and the device returned to .*code 7/)
    await eventually('and that it runs', async () => {
      const pods = await bed.cloud.kubectl('get', 'pods', '-l', 'app=agent')
      return /1\/1 +Running/.test(pods) ? null : pods
    })
  })

  it('F6: waits for a window, then for a lease until it expires, also killed and without a network', async () => {
    const before = await running()
    const closed = { 'update-window': `${clockIn(3)}-${clockIn(4)}`, 'time-zone': 'UTC' }
    await apply(agent('busybox:1', SLEEP, policy(closed)))
    await says('the window is closed', 'reason', 'WindowClosed')
    expect(await applied('message')).toContain(closed['update-window'])
    expect(await running()).toEqual(before)
    const lock = { owner: 'line 2', reason: 'batch runs', expires: new Date(Date.now() + 20_000).toISOString() }
    // no window: one that is open needs a clock that is proven, and a new process without the cloud has none
    await apply(agent('busybox:1', SLEEP, policy({ 'update-lock': JSON.stringify(lock) })))
    await says('the lease holds', 'message', /line 2 locked the update until .*: batch runs/)
    expect(await running()).toEqual(before)
    // the holder is gone for good, the agent is killed over its own lock, and nobody can be asked
    await gateway.cut()
    await gateway.agent.stop('SIGKILL')
    gateway.agent.start()
    await eventually('it expires', async () => {
      const now = (await running()).map(({ image }) => image)
      return now.join() === 'busybox:1' ? null : now.join()
    })
    await gateway.heal()
    await says('the cloud hears of it', 'status', 'True')
  })
})
