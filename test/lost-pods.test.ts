import { afterEach, describe, expect, test } from 'vitest'
import type { Pod } from '../cloud/resources/pod.ts'
import { cause } from '../protocol/causes.ts'
import { deployment, FakeFleet } from './fakes/fleet.ts'

let fleet = new FakeFleet()
afterEach(async () => {
  await fleet.controllers?.stop()
  expect(fleet.logs.filter((line) => line.level === 'warn' && line.msg.startsWith('work failed'))).toEqual([])
})

const MINUTE = 60_000
/** 600 s, a thousandth of them, the grace period and the margin */
const FENCED_MS = 600_600 + 30_000 + 90_000

interface Scene {
  readonly original: Pod
  readonly home: string
  readonly other: string
}

/** One replica on one of two devices; then its device is cut off. */
async function cutOff(annotations: Readonly<Record<string, string>>): Promise<Scene> {
  fleet = new FakeFleet()
  await fleet.start()
  await fleet.join('gw-1', 'gw-2')
  const made = deployment('web', 1, 'web:1')
  const spec = made['spec'] as { readonly template: { readonly metadata: object } }
  await fleet.create({ ...made, spec: { ...spec, template: { ...spec.template, metadata: { ...spec.template.metadata, annotations } } } })
  await fleet.clock.advance(1_000)
  const [original] = await fleet.list<Pod>('pods')
  if (original === undefined) throw new Error('no pod')
  const home = original.spec.nodeName ?? ''
  fleet.device(home).cut()
  await fleet.clock.advance(1_000)
  return { original, home, other: home === 'gw-1' ? 'gw-2' : 'gw-1' }
}

/** the devices whose document lets a pod of web run */
const allowed = (): readonly string[] =>
  [...fleet.devices.values()].filter((device) => device.held?.pods.some((pod) => pod.policy?.standby !== true)).map((device) => device.name)
const uids = async (): Promise<readonly (string | undefined)[]> => (await fleet.list<Pod>('pods')).map((pod) => pod.metadata.uid)

describe('a replica on a device that went silent', () => {
  test('stays there for ever when it does not say how long it may run alone', async () => {
    const { original } = await cutOff({})
    await fleet.clock.advance(300 * MINUTE)
    expect(await uids()).toEqual([original.metadata.uid])
  })

  test('is replaced when its device has certainly stopped it, and not before', async () => {
    const { original, home, other } = await cutOff({ 'skerry.dev/disconnect-stop-after': '600' })
    await fleet.clock.advance(FENCED_MS - 5_000)
    expect(await uids()).toEqual([original.metadata.uid])
    await fleet.clock.advance(10_000)
    expect((await fleet.list<Pod>('pods')).map((pod) => pod.spec.nodeName).sort()).toEqual(['gw-1', 'gw-2'])
    expect(allowed()).toEqual(expect.arrayContaining([other]))
    // comes back: the original is kept, and begins only when the other one has ended
    fleet.device(other).slowToRemove = true
    fleet.device(home).boot(`${home}-s2`)
    await fleet.clock.advance(5_000)
    expect(fleet.device(home).held?.pods.map((pod) => [pod.uid, pod.policy?.standby])).toEqual([[original.metadata.uid, true]])
    fleet.device(other).slowToRemove = false
    fleet.device(other).removing = []
    fleet.device(other).report()
    await fleet.clock.advance(5_000)
    expect(await uids()).toEqual([original.metadata.uid])
    expect(allowed()).toEqual([home])
  })

  test.each([
    ['keep-replacement', 'gone at once'],
    ['longest-running', 'gone when it is back'],
    ['best', 'gone when it is back, as the other one is ready'],
  ])('%s: the original is %s', async (how) => {
    const { original, home, other } = await cutOff({ 'skerry.dev/disconnect-stop-after': '600', 'skerry.dev/disconnect-return': how })
    await fleet.clock.advance(FENCED_MS + 10_000)
    fleet.device(home).boot(`${home}-s2`)
    await fleet.clock.advance(10_000)
    const left = await fleet.list<Pod>('pods')
    expect(left.map((pod) => [pod.metadata.uid === original.metadata.uid, pod.spec.nodeName])).toEqual([[false, other]])
    expect(fleet.device(home).held?.pods).toEqual([])
  })

  test('is not called lost for what a cloud that was cut off itself did not hear', async () => {
    const { original } = await cutOff({ 'skerry.dev/disconnect-stop-after': '600' })
    fleet.connected = false
    await fleet.clock.advance(60 * MINUTE)
    await fleet.reconnect()
    await fleet.clock.advance(5 * MINUTE)
    expect(await uids()).toEqual([original.metadata.uid])
  })
})

describe('a device that waits for the word of the cloud', () => {
  test('is sent its document again, seldom, until it says that it goes on: the broker may have lost the one it kept', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1')
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(60_000)
    const device = fleet.device('gw-1')
    device.refuses.set('web:1', cause('policy.disconnect.unsure'))
    const before = fleet.published.length
    device.report()
    await fleet.clock.advance(1_000)
    expect(fleet.published.length).toBe(before + 1)
    await fleet.clock.advance(5 * MINUTE)
    expect(fleet.published.length - before).toBeLessThanOrEqual(6)
    device.refuses.clear()
    device.report()
    await fleet.clock.advance(MINUTE)
    const settled = fleet.published.length
    await fleet.clock.advance(5 * MINUTE)
    expect(fleet.published.length).toBe(settled)
  })
})
