/** Strangers and broken clients on raw sockets: the broker cuts them, stays small and goes on serving the others. */
import { connect } from 'node:net'
import { afterEach, beforeEach, expect, it } from 'vitest'
import mqttPacket from 'mqtt-packet'
import type { Packet } from 'mqtt-packet'
import { brokerPassword, passwordAuthenticator } from '../../cloud/mqtt/device-credentials.ts'
import { startEmbeddedBroker } from '../../cloud/mqtt/embedded-broker.ts'
import type { EmbeddedBroker } from '../../cloud/mqtt/embedded-broker.ts'
import { client, cloudClient, embedded, eventually, LOG, SECRET } from './mqtt-clients.ts'

const MUTANTS = 5_000
let broker: EmbeddedBroker
const escaped: unknown[] = []
const note = (error: unknown): void => {
  escaped.push(error)
}

beforeEach(async () => {
  escaped.length = 0
  process.on('uncaughtException', note).on('unhandledRejection', note)
  broker = await embedded()
})
afterEach(async () => {
  await broker.close()
  process.off('uncaughtException', note).off('unhandledRejection', note)
})

it('cuts 40 floods of 5 MB before authentication and holds none of it', async () => {
  const before = process.memoryUsage().rss
  // a CONNECT that says it is 16 MB long, and one of 250 KB, which an authenticated packet may have
  const huge = Buffer.from([0x10, 0xff, 0xff, 0xff, 0x07])
  const creeping = Buffer.from([0x10, 0x80, 0xd0, 0x0f])
  const cut = await Promise.all(Array.from({ length: 40 }, (_, index) => flood(index % 2 === 0 ? huge : creeping, 5_000_000)))
  const grown = Math.round((process.memoryUsage().rss - before) / 2 ** 20)
  console.log(`pre-auth flood: 40 x 5 MB offered, RSS +${grown} MiB, refusals ${JSON.stringify(broker.refusals())}`)
  expect(cut.every((closedByBroker) => closedByBroker)).toBe(true)
  expect(broker.refusals()).toMatchObject({ 'packet-bytes': 20, 'pre-auth-bytes': 20 })
  expect(grown).toBeLessThan(64)
  await stillServes()
})

it('holds no more connections of one address than it was told', async () => {
  const few = await startEmbeddedBroker({
    doors: [{ host: '127.0.0.1', port: 0 }],
    tenant: 'default',
    authenticate: passwordAuthenticator(SECRET),
    log: LOG,
    connectionsPerAddress: 2,
  })
  const [one, two] = [await client(few.port, 'gw-1'), await client(few.port, 'gw-2')]
  await expect(client(few.port, 'gw-3')).rejects.toThrow()
  expect(few.refusals()['address-connections']).toBe(1)
  await one.end()
  await eventually(() => few.connections() === 1)
  const three = await client(few.port, 'gw-3')
  await Promise.all([two.end(), three.end()])
  await few.close()
})

it(`survives ${MUTANTS} connections of random, cut and changed packets`, async () => {
  const random = seeded(20_260_101)
  for (let done = 0; done < MUTANTS; done += 50) {
    await Promise.all(Array.from({ length: 50 }, () => send(broker.port, mutant(random))))
  }
  await eventually(() => broker.connections() === 0)
  console.log(`malformed packets: ${MUTANTS} connections, ${escaped.length} escaped errors, refusals ${JSON.stringify(broker.refusals())}`)
  expect(escaped).toEqual([])
  await stillServes()
})

it('survives topics that only raw bytes can say', async () => {
  const [nul, notUtf8, surrogate] = [Buffer.from('skerry/v1/default/gw-1/sta\0tus'), Buffer.from([0x73, 0xff, 0xfe]), Buffer.from([0xed, 0xa0, 0x80])]
  const topics = [nul, notUtf8, surrogate, Buffer.from('a/'.repeat(200)), Buffer.alloc(0)]
  for (const topic of topics) {
    const body = Buffer.concat([Buffer.from([topic.length >> 8, topic.length & 0xff]), topic, Buffer.from([0, 7]), Buffer.from('x')])
    const length = body.length < 128 ? [body.length] : [(body.length & 0x7f) | 0x80, body.length >> 7]
    await send(broker.port, Buffer.concat([hello('gw-1'), Buffer.from([0x32, ...length]), body]))
    const filter = Buffer.concat([Buffer.from([0, 9, topic.length >> 8, topic.length & 0xff]), topic, Buffer.from([1])])
    const filterLength = filter.length < 128 ? [filter.length] : [(filter.length & 0x7f) | 0x80, filter.length >> 7]
    await send(broker.port, Buffer.concat([hello('gw-1'), Buffer.from([0x82, ...filterLength]), filter]))
  }
  expect(escaped).toEqual([])
  await stillServes()
})

/** A message from a device to the cloud and back, on new connections. */
async function stillServes(): Promise<void> {
  const cloud = await cloudClient(broker.port)
  await cloud.subscribe('skerry/v1/default/+/status')
  const device = await client(broker.port, 'gw-9')
  await device.publish('skerry/v1/default/gw-9/status', 'alive')
  await cloud.until(({ text }) => text === 'alive')
  await Promise.all([cloud.end(), device.end()])
}

/** True when the broker closed the connection before all was written. */
function flood(start: Buffer, bytes: number): Promise<boolean> {
  const chunk = Buffer.alloc(65_536, 0x41)
  return new Promise((resolve) => {
    let written = 0
    const socket = connect(broker.port, '127.0.0.1')
    const more = (): void => {
      while (written < bytes) {
        written += chunk.byteLength
        if (!socket.write(chunk)) return
      }
      resolve(false)
      socket.destroy()
    }
    socket.on('connect', () => {
      socket.write(start)
      more()
    })
    socket.on('drain', more)
    socket.on('error', () => undefined)
    socket.on('close', () => resolve(true))
  })
}

/** Writes all, says that it is done, and waits until the broker has closed. */
function send(port: number, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1', () => socket.end(bytes))
    socket.resume()
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
  })
}

function hello(device: string, password = brokerPassword(SECRET, device)): Buffer {
  return mqttPacket.generate({
    cmd: 'connect',
    protocolId: 'MQTT',
    protocolVersion: 4,
    clientId: device,
    clean: true,
    keepalive: 30,
    username: device,
    password: Buffer.from(password),
    will: { topic: `skerry/v1/default/${device}/presence`, payload: Buffer.from('off'), qos: 1, retain: true },
  })
}

function mutant(random: () => number): Buffer {
  const device = `gw-${Math.floor(random() * 40)}`
  const topic = `skerry/v1/default/${device}/status`
  const after: Packet[] = [
    { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: `skerry/v1/default/${device}/desired`, qos: 1 }] },
    { cmd: 'publish', messageId: 2, topic, payload: 'x'.repeat(40), qos: 1, retain: true, dup: false },
    { cmd: 'publish', messageId: 3, topic, payload: 'y', qos: 2, retain: false, dup: false },
    { cmd: 'pubrel', messageId: 3 },
    { cmd: 'puback', messageId: 1 },
    { cmd: 'pubrec', messageId: 4 },
    { cmd: 'pubcomp', messageId: 4 },
    { cmd: 'unsubscribe', messageId: 5, unsubscriptions: ['a'] },
    { cmd: 'pingreq' },
  ]
  const rest = Buffer.concat(after.map((packet) => mqttPacket.generate(packet)).filter(() => random() < 0.6))
  // two of three have a whole, good CONNECT first: the others never get past it
  const [safe, open] = random() < 0.66 ? [hello(device), rest] : [Buffer.alloc(0), Buffer.concat([hello(device), rest])]
  const bytes = Buffer.from(open)
  const below = (max: number): number => Math.floor(random() * max)
  for (let changes = below(8); changes > 0 && bytes.length > 0; changes--) bytes[below(bytes.length)] = below(256)
  const noise = random() < 0.2 ? Buffer.from(Array.from({ length: below(60) }, () => below(256))) : Buffer.alloc(0)
  const cut = random() < 0.3 ? below(bytes.length) : bytes.length
  return Buffer.concat([safe, bytes.subarray(0, cut), noise])
}

/** mulberry32: the same mutants in each run */
function seeded(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
