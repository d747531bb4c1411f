/** Everything a device may send is checked whole; everything else is refused with a reason, and nothing throws. */
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readInbound } from '../cloud/mqtt/inbound.ts'
import type { Inbound } from '../cloud/mqtt/inbound.ts'
import { seal } from '../protocol/envelope.ts'
import { topicOf, TOPICS } from '../protocol/topics.ts'
import type { Channel } from '../protocol/topics.ts'

const STATUS = {
  device: 'gw-1',
  sid: 's',
  seq: 1,
  at: '2026-01-01T00:00:00Z',
  agentVersion: '1',
  converged: true,
  pods: [],
  engine: { reachable: true },
  causes: [],
}
const BODIES: Partial<Record<Channel, object>> = {
  status: STATUS,
  hello: { device: 'gw-1', sid: 's', agentVersion: '1', formats: [1], epoch: 0, generation: 0, digest: '' },
  presence: { device: 'gw-1', sid: 's', state: 'on' },
  events: {
    device: 'gw-1',
    stream: 's1',
    dropped: 0,
    events: [{ seq: 1, event: { type: 'Normal', reason: 'LinkUp', message: 'x', at: '2026-01-01T00:00:00Z' } }],
  },
}
const CHANNELS = Object.keys(TOPICS) as Channel[]
const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8')
const read = (channel: Channel, message: Uint8Array, retain = false): Inbound =>
  readInbound('default', topicOf('default', 'gw-1', channel), message, retain)
const why = (inbound: Inbound): string => (inbound.ok ? 'taken' : inbound.why)

describe('inbound messages', () => {
  it('takes good messages as they are', () => {
    for (const [channel, body] of Object.entries(BODIES) as [Channel, object][]) {
      expect(read(channel, seal(channel, 'gw-1', body, null))).toEqual({ ok: true, message: { device: 'gw-1', channel, body } })
    }
  })

  it('ignores fields that a newer agent may add', () => {
    expect(why(read('presence', seal('presence', 'gw-1', { ...BODIES.presence, mood: 'fine' }, null)))).toBe('taken')
  })

  it("refuses topics that are not of this tenant or not a device's to write", () => {
    const good = seal('presence', 'gw-1', BODIES.presence, null)
    const topics = [
      '',
      '/',
      'x',
      'skerry/v1/default/gw-1',
      'skerry/v1/other/gw-1/presence',
      'skerry/v1/default/gw-1/presence/',
      'skerry/v1/default/GW/presence',
      'skerry/v1/default/+/presence',
      'skerry/v1/default/gw-1/pres\u0000ence',
      'skerry/v1/default/gw-\ud800/presence',
      'skerry/v1/default/gw-1/__proto__',
      '$SYS/x',
    ]
    for (const topic of topics) expect([topic, why(readInbound('default', topic, good, false))]).toEqual([topic, 'topic'])
    expect(why(read('desired', good))).toBe('not-a-device-channel')
    expect(why(read('cmd', good))).toBe('not-a-device-channel')
  })

  it.each<[string, Uint8Array, string]>([
    ['no bytes', bytes(''), 'empty'],
    ['no header line', bytes('{"v":1}'), 'unreadable'],
    ['not JSON', bytes('hello\nworld'), 'unreadable'],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x0a, 0xff]), 'unreadable'],
    ['other version', bytes('{"v":2,"kind":"presence","device":"gw-1"}\n{}'), 'version'],
    ['other kind', seal('hello', 'gw-1', BODIES.presence, null), 'unreadable'],
    ['other device in the header', seal('presence', 'gw-2', BODIES.presence, null), 'wrong-device'],
    ['other device in the body', seal('presence', 'gw-1', { ...BODIES.presence, device: 'gw-2' }, null), 'wrong-device'],
    ['body cut off', bytes('{"v":1,"kind":"presence","device":"gw-1"}\n{"device":"gw-1"'), 'unreadable'],
    ['body null', seal('presence', 'gw-1', null, null), 'shape'],
    ['body a list', seal('presence', 'gw-1', [], null), 'shape'],
    ['field missing', seal('presence', 'gw-1', { device: 'gw-1', sid: 's' }, null), 'shape'],
    ['field of another type', seal('presence', 'gw-1', { ...BODIES.presence, sid: 7 }, null), 'shape'],
    ['forbidden key', bytes('{"v":1,"kind":"presence","device":"gw-1"}\n{"device":"gw-1","sid":"s","state":"on","__proto__":{"x":1}}'), 'shape'],
    ['too deep', bytes(`{"v":1,"kind":"presence","device":"gw-1"}\n${'['.repeat(1000)}${']'.repeat(1000)}`), 'unreadable'],
    ['too large', new Uint8Array(TOPICS.presence.maxBytes + 1), 'too-large'],
  ])('refuses: %s', (_name, message, reason) => {
    expect(why(read('presence', message))).toBe(reason)
  })

  it('refuses what is never retained when it comes retained', () => {
    expect(why(read('hello', seal('hello', 'gw-1', BODIES.hello, null), true))).toBe('retained')
    expect(why(read('status', seal('status', 'gw-1', STATUS, null), true))).toBe('taken')
  })

  it('never throws and never takes what was not meant, on any topic with any bytes', () => {
    fc.assert(
      fc.property(fc.constantFrom(...CHANNELS), fc.uint8Array({ maxLength: 400 }), fc.boolean(), (channel, message, retain) => {
        expect(read(channel, message, retain).ok).toBe(false)
      }),
      { numRuns: 2_000 },
    )
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 80 }), fc.uint8Array({ maxLength: 40 }), (topic, message) => {
        expect(why(readInbound('default', topic, message, false))).toBe('topic')
      }),
      { numRuns: 1_000 },
    )
  })

  it('survives any change of one byte in a good message, and any JSON as a body', () => {
    const good = seal('status', 'gw-1', STATUS, null)
    fc.assert(
      fc.property(fc.nat(good.byteLength - 1), fc.integer({ min: 0, max: 255 }), (at, value) => {
        const message = Uint8Array.from(good)
        message[at] = value
        const inbound = read('status', message)
        if (inbound.ok) expect(inbound.message).toMatchObject({ device: 'gw-1', channel: 'status', body: { device: 'gw-1' } })
      }),
      { numRuns: 2_000 },
    )
    const device: Channel[] = ['status', 'inventory', 'hello', 'presence', 'events', 'telemetry']
    fc.assert(
      fc.property(fc.constantFrom(...device), fc.jsonValue(), (channel, body) => {
        expect(why(read(channel, seal(channel, 'gw-1', body, null)))).toMatch(/^(shape|unreadable)$/)
      }),
      { numRuns: 1_000 },
    )
  })
})
