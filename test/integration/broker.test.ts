/** The embedded broker with real clients: who can read and write what, and what a refusal costs. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EmbeddedBroker } from '../../cloud/mqtt/embedded-broker.ts'
import { brokerPassword } from '../../cloud/mqtt/device-credentials.ts'
import { TOPICS } from '../../protocol/topics.ts'
import { client, cloudClient, embedded, eventually, SECRET } from './mqtt-clients.ts'
import type { TestClient } from './mqtt-clients.ts'

const DEVICES = ['gw-1', 'gw-2', 'gw-3']
const topic = (device: string, channel: string): string => `skerry/v1/default/${device}/${channel}`
const OWN_READ = (device: string): string[] => [topic(device, 'desired'), topic(device, 'cmd')]
const OWN_WRITE = (device: string): string[] =>
  Object.values(TOPICS)
    .filter((rule) => rule.writer === 'device')
    .map((rule) => topic(device, rule.channel))

/** Filters and topics that a curious device may try. */
const PROBES = [
  '#',
  '+',
  '+/#',
  '+/+',
  '+/+/+/+/+',
  '/#',
  '/+',
  '$SYS/#',
  '$SYS/+/new/clients',
  '$share/g/#',
  '$share/g/skerry/v1/default/+/desired',
  '$share/g/skerry/v1/default/gw-1/desired',
  '$queue/#',
  '$refused',
  'skerry',
  'skerry/#',
  'skerry/+',
  'skerry/v1/#',
  'skerry/v1/+/#',
  'skerry/v1/default',
  'skerry/v1/default/#',
  'skerry/v1/default/+',
  'skerry/v1/default/+/#',
  'skerry/v1/default/+/desired',
  'skerry/v1/default/+/status',
  'skerry/v1/+/gw-1/desired',
  '+/v1/default/gw-2/desired',
  'skerry/v1/default/gw-1/#',
  'skerry/v1/default/gw-1/+',
  'skerry/v1/default/gw-1/desired/',
  'skerry/v1/default/gw-1/desired/#',
  'skerry/v1/default/gw-2/desired',
  'skerry/v1/default/gw-2/cmd',
  'skerry/v1/default/gw-2/status',
  'skerry/v1/default/gw-3/desired',
  'skerry/v1/default/gw-3/presence',
  '/skerry/v1/default/gw-2/desired',
  'skerry//v1/default/gw-2/desired',
  'SKERRY/V1/default/gw-2/desired',
  'skerry/v1/other/gw-1/desired',
  'skerry/v1/default/gw-2/desired\u0000',
  'skerry/v1/default/gw-\ufffd/desired',
  'skerry/v1/default/__proto__/desired',
  'a/b/c/d/e/f/g/h/i/j',
]

let broker: EmbeddedBroker
const open: TestClient[] = []
const join = async (name: string, options?: Parameters<typeof client>[2]): Promise<TestClient> => {
  const joined = await client(broker.port, name, options)
  open.push(joined)
  return joined
}

beforeEach(async () => {
  broker = await embedded()
})
afterEach(async () => {
  for (const one of open.splice(0)) await one.end()
  await broker.close()
})

describe('topic matrix', () => {
  it(`subscribing: 3 devices and ${PROBES.length} filters leak nothing`, async () => {
    const cloud = await cloudClient(broker.port)
    open.push(cloud)
    for (const device of DEVICES)
      for (const own of OWN_READ(device)) await cloud.publish(own, `retained for ${device}`, { retain: own.endsWith('desired') })
    let leaks = 0
    let granted = 0
    for (const [round, probe] of PROBES.entries()) {
      const devices = await Promise.all(DEVICES.map((device) => client(broker.port, device)))
      await Promise.all(
        devices.map(async (device, index) => {
          if (await device.subscribe(probe)) granted += 1
          if (device.closes === 0) await device.subscribe(topic(DEVICES[index] ?? '', 'desired'))
        }),
      )
      for (const [index, device] of DEVICES.entries()) {
        if (devices[index]?.closes === 0) for (const own of OWN_WRITE(device)) await devices[index].publish(own, `secret of ${device}`)
        await cloud.publish(topic(device, 'cmd'), `command for ${device}`)
        await cloud.publish(topic(device, 'desired'), `last ${round} for ${device}`, { retain: true })
      }
      await Promise.all(
        devices.map((device) => eventually(() => device.closes > 0 || device.heard.some(({ text }) => text.startsWith(`last ${round}`)))),
      )
      for (const [index, device] of DEVICES.entries()) {
        leaks += devices[index]?.heard.filter((heard) => !OWN_READ(device).includes(heard.topic)).length ?? 0
        await devices[index]?.end()
      }
    }
    // three probes are somebody's own readable topic after all: gw-2's desired and cmd, gw-3's desired
    console.log(`topic matrix: ${PROBES.length * DEVICES.length} subscriptions, ${granted} granted, ${leaks} leaks`)
    expect(leaks).toBe(0)
    expect(granted).toBe(3)
  })

  it(`publishing: 3 devices and ${PROBES.length} topics write nothing but their own`, async () => {
    const cloud = await cloudClient(broker.port)
    open.push(cloud)
    expect(await cloud.subscribe('skerry/v1/default/#')).toBe(true)
    for (const device of DEVICES) {
      for (const probe of PROBES) {
        const writer = await client(broker.port, device)
        await Promise.race([
          writer.publish(probe, `from ${device}`).catch(() => undefined),
          eventually(() => writer.closes > 0).catch(() => undefined),
        ])
        await writer.end()
      }
      const writer = await join(device)
      for (const own of OWN_WRITE(device)) await writer.publish(own, `from ${device}`)
    }
    // the probes that are somebody's own writable topic (gw-2's status, gw-3's presence), beside the five own channels of each
    const expected = DEVICES.length * OWN_WRITE('x').length + 2
    await eventually(() => cloud.heard.length >= expected)
    const last = await join('gw-1')
    await last.publish(topic('gw-1', 'events'), 'from gw-1')
    await eventually(() => cloud.heard.length > expected)
    expect(cloud.heard.filter(({ topic: heardOn, text }) => !OWN_WRITE(text.replace('from ', '')).includes(heardOn))).toEqual([])
    expect(cloud.heard).toHaveLength(expected + 1)
  })
})

describe('refusals', () => {
  it('a refused publish of any kind does not close the connection, and the next good one arrives', async () => {
    const cloud = await cloudClient(broker.port)
    open.push(cloud)
    await cloud.subscribe('skerry/v1/default/+/status')
    const device = await join('gw-1')
    await device.publish(topic('gw-2', 'status'), 'not mine')
    await device.publish(topic('gw-1', 'status'), Buffer.alloc(TOPICS.status.maxBytes + 1, 'x'))
    await device.publish(topic('gw-1', 'status'), 'twice', { qos: 2 })
    await device.publish(topic('gw-1', 'hello'), 'kept', { retain: true })
    await device.publish(topic('gw-1', 'status'), 'good')
    await cloud.until(({ text }) => text === 'good')
    expect(cloud.heard.map(({ text }) => text)).toEqual(['good'])
    expect(device.closes).toBe(0)
    expect(broker.refusals()).toEqual({ 'publish-topic': 1, 'publish-too-large': 1, 'publish-qos': 1, 'publish-retain': 1 })
  })

  it('a packet beyond the cap closes the connection', async () => {
    const device = await join('gw-1')
    void device.publish(topic('gw-1', 'status'), Buffer.alloc(1_000_000)).catch(() => undefined)
    await eventually(() => device.closes > 0)
    expect(broker.refusals()['packet-bytes']).toBe(1)
  })

  it("nobody gets in without the right name and password, and nobody takes another's place", async () => {
    const victim = await join('gw-1')
    const password = brokerPassword(SECRET, 'gw-2')
    await expect(client(broker.port, 'gw-1', { password: 'wrong' })).rejects.toThrow(/Not authorized/)
    await expect(client(broker.port, 'gw-1', { username: 'gw-2', password })).rejects.toThrow(/Not authorized/)
    await expect(client(broker.port, 'gw-1', { password })).rejects.toThrow(/Not authorized/)
    await expect(client(broker.port, 'GW+')).rejects.toThrow(/Not authorized/)
    await expect(client(broker.port, 'gw-2', { keepalive: 0 })).rejects.toThrow()
    expect(victim.closes).toBe(0)
    expect(broker.refusals()['credentials']).toBe(4)
    const again = await join('gw-1')
    await eventually(() => victim.closes > 0)
    expect(again.closes).toBe(0)
    expect(broker.connections()).toBe(1)
  })

  it('disconnects a device when told to', async () => {
    const device = await join('gw-1')
    broker.disconnect('gw-1')
    broker.disconnect('gw-unknown')
    await eventually(() => device.closes > 0)
  })
})

describe('wills and retained messages', () => {
  it("says a lost device's own will, and not one on another's topic", async () => {
    const cloud = await cloudClient(broker.port)
    open.push(cloud)
    await cloud.subscribe('skerry/v1/default/#')
    const liar = await join('gw-1', { will: { topic: topic('gw-2', 'presence'), payload: Buffer.from('gw-2 is dead'), qos: 1, retain: true } })
    liar.mqtt.stream.destroy()
    const honest = await join('gw-3', { will: { topic: topic('gw-3', 'presence'), payload: Buffer.from('off'), qos: 1, retain: true } })
    honest.mqtt.stream.destroy()
    await cloud.until(({ text }) => text === 'off')
    expect(cloud.heard).toEqual([{ topic: topic('gw-3', 'presence'), text: 'off', retain: false }])
  })

  it('serves the last retained document to its device, also by wildcard to the cloud, and forgets on an empty one', async () => {
    const cloud = await cloudClient(broker.port)
    open.push(cloud)
    await cloud.publish(topic('gw-1', 'desired'), 'one', { retain: true })
    await cloud.publish(topic('gw-1', 'desired'), 'two', { retain: true })
    await cloud.publish(topic('gw-2', 'desired'), 'other', { retain: true })
    const device = await join('gw-1')
    await device.subscribe(topic('gw-1', 'desired'))
    expect(await device.until(() => true)).toEqual({ topic: topic('gw-1', 'desired'), text: 'two', retain: true })
    await device.publish(topic('gw-1', 'presence'), 'on', { retain: true })
    await cloud.subscribe('skerry/v1/default/+/presence')
    expect(await cloud.until(() => true)).toEqual({ topic: topic('gw-1', 'presence'), text: 'on', retain: true })
    await cloud.publish(topic('gw-1', 'desired'), '', { retain: true })
    const again = await join('gw-1')
    await again.subscribe(topic('gw-1', 'desired'))
    await cloud.publish(topic('gw-1', 'desired'), 'live')
    await again.until(({ text }) => text === 'live')
    expect(again.heard).toHaveLength(1)
  })

  it('queues nothing for a device that is away, even when it asks for a session that stays', async () => {
    const cloud = await cloudClient(broker.port)
    open.push(cloud)
    const first = await join('gw-1', { clean: false })
    await first.subscribe(topic('gw-1', 'cmd'))
    await first.end()
    await eventually(() => broker.connections() === 1)
    await cloud.publish(topic('gw-1', 'cmd'), 'missed')
    const again = await join('gw-1', { clean: false })
    await again.subscribe(topic('gw-1', 'cmd'))
    await cloud.publish(topic('gw-1', 'cmd'), 'heard')
    await again.until(({ text }) => text === 'heard')
    expect(again.heard.map(({ text }) => text)).toEqual(['heard'])
  })
})
