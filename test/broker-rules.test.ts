/** The broker's doors one by one: topics, credentials, byte budgets, retained messages, the signing key. */
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { brokerPassword, CLOUD_CLIENT_ID, passwordAuthenticator } from '../cloud/mqtt/device-credentials.ts'
import { PacketGate } from '../cloud/mqtt/packet-gate.ts'
import { RetainedMessages } from '../cloud/mqtt/retained-messages.ts'
import { loadSigningKey } from '../cloud/mqtt/signing-key.ts'
import { maySubscribe, mayReceive, publishRefusal } from '../cloud/mqtt/topic-rules.ts'
import type { Identity } from '../cloud/mqtt/topic-rules.ts'
import { open, seal } from '../protocol/envelope.ts'
import { TOPICS } from '../protocol/topics.ts'

const GW1: Identity = { role: 'device', device: 'gw-1' }
const CLOUD: Identity = { role: 'cloud' }
const small = { qos: 1, retain: false, bytes: 10 }

describe('topic rules', () => {
  it('lets each side write its own channels only, as the table says', () => {
    for (const [channel, rule] of Object.entries(TOPICS)) {
      const topic = `skerry/v1/default/gw-1/${channel}`
      expect(publishRefusal('default', GW1, { ...small, topic })).toBe(rule.writer === 'device' ? null : 'topic')
      expect(publishRefusal('default', CLOUD, { ...small, topic })).toBe(rule.writer === 'cloud' ? null : 'topic')
      expect(publishRefusal('default', { role: 'device', device: 'gw-2' }, { ...small, topic })).toBe('topic')
      expect(publishRefusal('other', GW1, { ...small, topic })).toBe('topic')
    }
  })

  it('refuses size, QoS 2 and retain beyond the table', () => {
    const status = 'skerry/v1/default/gw-1/status'
    expect(publishRefusal('default', GW1, { ...small, topic: status, bytes: TOPICS.status.maxBytes })).toBeNull()
    expect(publishRefusal('default', GW1, { ...small, topic: status, bytes: TOPICS.status.maxBytes + 1 })).toBe('too-large')
    expect(publishRefusal('default', GW1, { ...small, topic: status, qos: 2 })).toBe('qos')
    expect(publishRefusal('default', GW1, { ...small, topic: 'skerry/v1/default/gw-1/hello', retain: true })).toBe('retain')
  })

  it('covers exact filters of a device, and any filter of the cloud below its tenant', () => {
    expect(maySubscribe('default', GW1, 'skerry/v1/default/gw-1/desired')).toBe(true)
    for (const filter of [
      '#',
      '+',
      'skerry/#',
      'skerry/v1/default/+/desired',
      'skerry/v1/default/gw-1/#',
      'skerry/v1/default/gw-1/status',
      '$SYS/#',
    ]) {
      expect([filter, maySubscribe('default', GW1, filter)]).toEqual([filter, false])
    }
    expect(maySubscribe('default', CLOUD, 'skerry/v1/default/+/status')).toBe(true)
    expect(['#', 'skerry/v1/other/#', '$share/g/skerry/v1/default/#'].filter((filter) => maySubscribe('default', CLOUD, filter))).toEqual([])
    expect(mayReceive('default', GW1, 'skerry/v1/default/gw-1/desired')).toBe(true)
    expect(mayReceive('default', GW1, 'skerry/v1/default/gw-2/desired')).toBe(false)
  })
})

describe('credentials', () => {
  const secret = Buffer.alloc(32, 7)
  const authenticate = passwordAuthenticator(secret)

  it('names a device or the cloud by the right password only', () => {
    const password = brokerPassword(secret, 'gw-1')
    expect(authenticate('gw-1', 'gw-1', password)).toEqual(GW1)
    expect(authenticate(CLOUD_CLIENT_ID, CLOUD_CLIENT_ID, brokerPassword(secret, CLOUD_CLIENT_ID))).toEqual(CLOUD)
    expect(authenticate('gw-2', 'gw-2', password)).toBeNull()
    expect(authenticate('gw-2', 'gw-1', password)).toBeNull()
    expect(authenticate('gw-1', 'gw-1', '')).toBeNull()
    expect(authenticate('gw-1', 'gw-1', `${password}x`)).toBeNull()
    for (const id of ['', '+', '#', 'a/b', 'GW', '__proto__', 'x'.repeat(64)]) expect(authenticate(id, id, brokerPassword(secret, id))).toBeNull()
  })

  it('wants a real secret', () => {
    expect(() => passwordAuthenticator(Buffer.alloc(16))).toThrow(/at least 32/)
  })
})

describe('packet gate', () => {
  const limits = { preAuthBytes: 100, packetBytes: 200 }

  it('counts all bytes until the connection is known, then each packet', () => {
    const gate = new PacketGate(limits)
    expect(gate.refusalOf(packet(60))).toBeNull()
    gate.authenticated()
    expect(gate.refusalOf(packet(200))).toBeNull()
    expect(gate.refusalOf(packet(200))).toBeNull()
    expect(gate.refusalOf(packet(201).subarray(0, 3))).toBe('packet-bytes')
    const stranger = new PacketGate(limits)
    expect(stranger.refusalOf(packet(60))).toBeNull()
    expect(stranger.refusalOf(packet(60))).toBe('pre-auth-bytes')
  })

  it('refuses a length of five bytes', () => {
    expect(new PacketGate(limits).refusalOf(Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01]))).toBe('length-malformed')
  })

  it('sees the same packets however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(220), { maxLength: 6 }), fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), (lengths, cuts) => {
        const bytes = Buffer.concat(lengths.map(packet))
        const gate = new PacketGate(limits)
        gate.authenticated()
        let refused = false
        for (let at = 0, turn = 0; at < bytes.byteLength && !refused; turn++) {
          const size = cuts[turn % cuts.length] ?? 1
          refused = gate.refusalOf(bytes.subarray(at, at + size)) !== null
          at += size
        }
        expect(refused).toBe(lengths.some((length) => length > limits.packetBytes))
      }),
    )
  })
})

describe('retained messages', () => {
  it('serves the last value by exact topic or wildcard, and forgets on an empty one', async () => {
    const messages = new RetainedMessages()
    const put = (topic: string, text: string): Promise<void> => messages.storeRetained({ topic, payload: Buffer.from(text), qos: 1 })
    await put('a/1/s', 'old')
    await put('a/1/s', 'new')
    await put('a/2/s', 'two')
    await put('a/2/t', 'tee')
    expect(await stored(messages, 'a/1/s')).toEqual(['a/1/s=new'])
    expect(await stored(messages, 'a/+/s')).toEqual(['a/1/s=new', 'a/2/s=two'])
    expect(await stored(messages, 'a/2/#', 'a/1/s')).toEqual(['a/2/s=two', 'a/2/t=tee', 'a/1/s=new'])
    expect(await stored(messages, 'a/+', 'a/1/s/+', 'b/#', 'a/1/s/')).toEqual([])
    await put('a/1/s', '')
    expect(await stored(messages, 'a/1/s')).toEqual([])
  })
})

describe('signing key', () => {
  it('is made once, private, and signs what devices can check', () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'skerry-key-'))
    const first = loadSigningKey(folder)
    expect(loadSigningKey(folder)).toEqual(first)
    expect(readdirSync(folder)).toEqual(['signing-key.pem'])
    expect(statSync(path.join(folder, 'signing-key.pem')).mode & 0o777).toBe(0o600)
    const sealed = seal('desired', 'gw-1', { x: 1 }, first.signing)
    expect(open('desired', 'gw-1', sealed, [first.trusted])).toMatchObject({ ok: true, kid: first.trusted.kid })
    writeFileSync(path.join(folder, 'signing-key.pem'), 'torn')
    expect(() => loadSigningKey(folder)).toThrow(/not an Ed25519 private key/)
    rmSync(folder, { recursive: true })
  })
})

function packet(length: number): Buffer {
  return Buffer.concat([Buffer.from([0x30, (length & 0x7f) | 0x80, length >> 7]), Buffer.alloc(length)])
}

async function stored(messages: RetainedMessages, ...filters: string[]): Promise<string[]> {
  const packets = (await messages.createRetainedStreamCombi(filters).toArray()) as { topic: string; payload: Buffer }[]
  return packets.map(({ topic, payload }) => `${topic}=${payload.toString()}`)
}
