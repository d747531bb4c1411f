/** What the cloud's link needs from a broker, whichever it is: passed by the embedded one and by Mosquitto. */
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { brokerPassword, CLOUD_CLIENT_ID } from '../../cloud/mqtt/device-credentials.ts'
import { openMqttLink } from '../../cloud/mqtt/mqtt-link.ts'
import type { DeviceLink, DeviceMessage } from '../../cloud/ports.ts'
import { seal } from '../../protocol/envelope.ts'
import { topicOf } from '../../protocol/topics.ts'
import { client, CLOCK, eventually, LOG, pause, SECRET } from '../integration/mqtt-clients.ts'
import type { TestClient } from '../integration/mqtt-clients.ts'

export interface RunningBroker {
  readonly port: number
  /** the link's way to it when it is in the same process */
  readonly inside?: () => Duplex
  stop(): Promise<void>
}

/** @param start on that port, or any when 0; with the test's credentials and topic rules, and nothing retained */
export function brokerContract(name: string, start: (port: number) => Promise<RunningBroker>): void {
  describe(`${name}: the cloud's link`, () => {
    let broker: RunningBroker
    const opened: { readonly end: () => Promise<void> }[] = []
    beforeEach(async () => {
      broker = await start(0)
    })
    afterEach(async () => {
      for (const { end } of opened.splice(0)) await end()
      await broker.stop()
    })
    const link = (password?: string): Listening => {
      const made = listen(broker.inside === undefined ? `mqtt://127.0.0.1:${broker.port}` : () => dial(broker), password)
      opened.push({ end: () => made.link.stop() })
      return made
    }
    const device = async (id: string): Promise<TestClient> => {
      const presence = (state: string): Buffer => Buffer.from(seal('presence', id, { device: id, sid: 's', state }, null))
      const made = await client(broker.port, id, {
        will: { topic: topicOf('default', id, 'presence'), payload: presence('off'), qos: 1, retain: true },
      })
      opened.push(made)
      await made.publish(topicOf('default', id, 'presence'), presence('on'), { retain: true })
      return made
    }

    it('hears a device come and be lost, also when it came before the link', async () => {
      const early = await device('gw-1')
      const cloud = link()
      await eventually(() => cloud.states('gw-1').at(-1) === 'on')
      const late = await device('gw-2')
      await eventually(() => cloud.states('gw-2').at(-1) === 'on')
      early.mqtt.stream.destroy()
      late.mqtt.stream.destroy()
      await eventually(() => cloud.states('gw-1').at(-1) === 'off' && cloud.states('gw-2').at(-1) === 'off')
      expect(cloud.link.refusals()).toEqual({})
    })

    it('keeps a desired state for a device that comes later, and asks one that is there', async () => {
      const cloud = link()
      await eventually(() => cloud.link.isConnected())
      await cloud.link.publishDesired('gw-1', Buffer.from('old'))
      await cloud.link.publishDesired('gw-1', Buffer.from('new'))
      const there = await device('gw-1')
      expect(await there.subscribe(topicOf('default', 'gw-1', 'desired'))).toBe(true)
      expect(await there.subscribe(topicOf('default', 'gw-1', 'cmd'))).toBe(true)
      expect((await there.until(() => true)).text).toBe('new')
      await cloud.link.askReport('gw-1', Buffer.from('report'))
      await there.until(({ topic, text }) => topic.endsWith('/cmd') && text === 'report')
    })

    it('counts bad messages on every channel and goes on', async () => {
      const cloud = link()
      await eventually(() => cloud.link.isConnected())
      const bad = await device('gw-1')
      const channels = ['status', 'inventory', 'hello', 'presence', 'events'] as const
      for (const channel of channels) {
        await bad.publish(topicOf('default', 'gw-1', channel), 'nonsense')
        await bad.publish(topicOf('default', 'gw-1', channel), Buffer.from(seal(channel, 'gw-1', { device: 'gw-1', of: 'nothing known' }, null)))
      }
      const events = (device: string) => Buffer.from(seal('events', 'gw-1', { device, stream: 's', dropped: 0, events: [] }, null))
      await bad.publish(topicOf('default', 'gw-1', 'events'), events('gw-2'))
      await bad.publish(topicOf('default', 'gw-1', 'events'), events('gw-1'))
      await eventually(() => cloud.messages.some(({ channel }) => channel === 'events'))
      expect(cloud.link.refusals()).toEqual({ unreadable: 5, shape: 5, 'wrong-device': 1 })
      expect(bad.closes).toBe(0)
      expect(cloud.connections).toBe(1)
    })

    it('comes back after the broker was away, says so, and takes nothing meanwhile', async () => {
      const cloud = link()
      await eventually(() => cloud.link.isConnected())
      const { port } = broker
      await broker.stop()
      await eventually(() => !cloud.link.isConnected())
      await expect(cloud.link.publishDesired('gw-1', Buffer.from('x'))).rejects.toThrow(/not connected/)
      await pause(200)
      broker = await start(port)
      await eventually(() => cloud.connections === 2)
      await cloud.link.publishDesired('gw-1', Buffer.from('again'))
      const there = await device('gw-1')
      await there.subscribe(topicOf('default', 'gw-1', 'desired'))
      expect((await there.until(() => true)).text).toBe('again')
      await eventually(() => cloud.states('gw-1').at(-1) === 'on')
      // a second client of the same id would throw out the first, and so on
      await pause(400)
      expect(cloud.connections).toBe(2)
      expect(cloud.link.isConnected()).toBe(true)
    })

    it('bounds what is in flight, and rejects it when the connection goes', async () => {
      const cloud = link()
      await eventually(() => cloud.link.isConnected())
      const answers = Promise.allSettled(Array.from({ length: 400 }, (_, index) => cloud.link.publishDesired(`gw-${index}`, Buffer.from('x'))))
      await cloud.link.stop()
      const reasons = (await answers).map((answer) => (answer.status === 'fulfilled' ? 'sent' : String(answer.reason)))
      expect(reasons.filter((reason) => reason.includes('256 messages wait'))).toHaveLength(144)
      expect(reasons.filter((reason) => reason.includes('was lost'))).toHaveLength(256)
    })

    it('is never connected with a wrong password', async () => {
      const cloud = link('wrong')
      await pause(500)
      expect(cloud.link.isConnected()).toBe(false)
      expect(cloud.connections).toBe(0)
    })
  })
}

interface Listening {
  readonly link: DeviceLink
  readonly messages: DeviceMessage[]
  connections: number
  /** presence states of one device, in order of arrival */
  states(device: string): readonly unknown[]
}

/** Whichever broker there is now. */
function dial({ inside }: RunningBroker): Duplex {
  if (inside === undefined) throw new Error('it is elsewhere')
  return inside()
}

function listen(broker: string | (() => Duplex), password = brokerPassword(SECRET, CLOUD_CLIENT_ID)): Listening {
  const random = { next: () => 0.1, uuid: () => '', suffix: () => '' }
  const link = openMqttLink(
    { broker, tenant: 'default', clientId: CLOUD_CLIENT_ID, username: CLOUD_CLIENT_ID, password },
    { clock: CLOCK, random, log: LOG },
  )
  const made: Listening = {
    link,
    messages: [],
    connections: 0,
    states: (device) => {
      const presence = made.messages.filter((message) => message.device === device && message.channel === 'presence')
      return presence.map(({ body }) => (body as { readonly state: unknown }).state)
    },
  }
  link.onMessage((message) => made.messages.push(message))
  link.onConnected(() => {
    made.connections += 1
  })
  return made
}
