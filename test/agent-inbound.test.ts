import { generateKeyPairSync } from 'node:crypto'
import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { readInbound } from '../edge-agent/link/inbound.ts'
import type { Inbound } from '../edge-agent/link/inbound.ts'
import { desiredDigest } from '../protocol/desired-state.ts'
import { digestOf } from '../protocol/revision.ts'
import type { DesiredState } from '../protocol/desired-state.ts'
import { keyId, seal } from '../protocol/envelope.ts'
import type { SigningKey, TrustedKey } from '../protocol/envelope.ts'
import { TOPICS, topicOf } from '../protocol/topics.ts'

function keyPair(): { readonly signing: SigningKey; readonly trusted: TrustedKey } {
  const pair = generateKeyPairSync('ed25519')
  const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
  const kid = keyId(publicPem)
  return { signing: { kid, privatePem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }, trusted: { kid, publicPem } }
}

const cloud = keyPair()
const stranger = keyPair()
const me = { tenant: 'default', device: 'gw-1', trusted: [cloud.trusted] }
const TOPIC = topicOf('default', 'gw-1', 'desired')
const CMD = topicOf('default', 'gw-1', 'cmd')

function desired(change: Partial<DesiredState> = {}): DesiredState {
  return { device: 'gw-1', epoch: 1, generation: 7, issuedAt: '2026-01-01T00:00:00Z', digest: desiredDigest([]), pods: [], ...change }
}
const signed = (body: unknown, device = 'gw-1'): Uint8Array => seal('desired', device, body, cloud.signing)
const codeOf = (inbound: Inbound): string => (inbound.kind === 'refused' ? inbound.cause.code : inbound.kind)
const pod = {
  uid: 'u-1',
  namespace: 'default',
  name: 'web',
  specHash: 'a'.repeat(64),
  spec: { containers: [{ name: 'web', image: 'web:1' }] },
}

describe('a sound message', () => {
  it('is the target, as it was sent', () => {
    const document = desired({ pods: [pod], digest: desiredDigest([pod]) })
    expect(readInbound(TOPIC, signed(document), me)).toEqual({ kind: 'target', desired: document })
  })

  it('of a newer cloud is taken with what this agent does not know, and that counts in its digest', () => {
    const body = { ...desired({ pods: [pod] }), colours: { door: 'red' } }
    const digest = digestOf({ credentials: [], prefetch: [], pods: [pod], colours: body.colours })
    expect(codeOf(readInbound(TOPIC, signed({ ...body, digest }), me))).toBe('target')
    expect(codeOf(readInbound(TOPIC, signed({ ...body, digest: desiredDigest([pod]) }), me))).toBe('desired.refused.unreadable')
  })

  it('signed by any of several trusted keys is taken', () => {
    expect(codeOf(readInbound(TOPIC, signed(desired()), { ...me, trusted: [stranger.trusted, cloud.trusted] }))).toBe('target')
  })

  it('may ask for the report', () => {
    expect(readInbound(CMD, seal('cmd', 'gw-1', { ask: 'report' }, cloud.signing), me)).toEqual({ kind: 'report-asked' })
    expect(codeOf(readInbound(CMD, seal('cmd', 'gw-1', { ask: 'dance' }, cloud.signing), me))).toBe('ignored')
  })
})

describe('a message that is refused', () => {
  const newer = Buffer.from(Buffer.from(signed(desired())).toString().replace('"v":1', '"v":2'))
  const cases: readonly (readonly [string, Uint8Array, string])[] = [
    ['empty', new Uint8Array(), 'desired.refused.empty'],
    ['too large', new Uint8Array(TOPICS.desired.maxBytes + 1), 'desired.refused.too-large'],
    ['no header', Buffer.from('hello'), 'desired.refused.unreadable'],
    ['not UTF-8', Buffer.from([0xff, 0xfe, 0x0a, 0x7b]), 'desired.refused.unreadable'],
    ['null header', Buffer.from('null\n{}'), 'desired.refused.unreadable'],
    ['unsigned', seal('desired', 'gw-1', desired(), null), 'desired.refused.unsigned'],
    ['signed by a stranger', seal('desired', 'gw-1', desired(), stranger.signing), 'desired.refused.unsigned'],
    ['signed under a false name', seal('desired', 'gw-1', desired(), { ...stranger.signing, kid: cloud.signing.kid }), 'desired.refused.unsigned'],
    ['sealed as another kind', seal('cmd', 'gw-1', desired(), cloud.signing), 'desired.refused.unreadable'],
    ['for another device, by envelope', signed(desired(), 'gw-2'), 'desired.refused.wrong-device'],
    ['for another device, by body', signed(desired({ device: 'gw-2' })), 'desired.refused.wrong-device'],
    ['from the future', newer, 'desired.refused.version'],
    ['null', signed(null), 'desired.refused.unreadable'],
    ['a list', signed([]), 'desired.refused.unreadable'],
    ['an empty object', signed({}), 'desired.refused.unreadable'],
    ['without pods', signed({ ...desired(), pods: null }), 'desired.refused.unreadable'],
    ['generation 0', signed(desired({ generation: 0 })), 'desired.refused.unreadable'],
    ['generation 1.5', signed(desired({ generation: 1.5 })), 'desired.refused.unreadable'],
    ['another digest', signed(desired({ digest: 'a'.repeat(64) })), 'desired.refused.unreadable'],
    ['a pod that the digest does not know', signed(desired({ pods: [pod] })), 'desired.refused.unreadable'],
    [
      'a pod with __proto__',
      signed(JSON.parse(JSON.stringify(desired()).replace('"pods":[]', '"pods":[{"__proto__":{}}]'))),
      'desired.refused.unreadable',
    ],
    ['nested without end', signed(JSON.parse(`${'['.repeat(64)}${']'.repeat(64)}`)), 'desired.refused.unreadable'],
  ]
  it.each(cases)('%s', (_name, message, code) => {
    expect(codeOf(readInbound(TOPIC, message, me))).toBe(code)
  })

  it('for an unsigned command', () => {
    for (const message of [
      new Uint8Array(),
      seal('cmd', 'gw-1', { ask: 'report' }, null),
      seal('cmd', 'gw-1', {}, cloud.signing),
      signed(desired()),
    ]) {
      expect(codeOf(readInbound(CMD, message, me))).toBe('message.refused')
    }
  })

  it('when any one byte of it was changed', () => {
    const good = signed(desired({ pods: [pod], digest: desiredDigest([pod]) }))
    expect(codeOf(readInbound(TOPIC, good, me))).toBe('target')
    for (let at = 0; at < good.byteLength; at += 1) {
      const tampered = good.map((byte, index) => (index === at ? byte ^ 0x01 : byte))
      const inbound = readInbound(TOPIC, tampered, me)
      // the header's own white space and the base64 padding bits carry no meaning; what is taken must be what was signed
      if (inbound.kind === 'target') expect(inbound.desired.pods, `byte ${at}`).toEqual([pod])
      else expect(inbound.kind, `byte ${at}`).toBe('refused')
    }
  })
})

describe('a message on another topic is ignored', () => {
  const ours = [topicOf('default', 'gw-2', 'desired'), topicOf('other', 'gw-1', 'desired'), topicOf('default', 'gw-1', 'status')]
  it.each([...ours, 'a/b', '', 'skerry/v2/default/gw-1/desired'])('%j', (topic) => {
    expect(readInbound(topic, signed(desired()), me).kind).toBe('ignored')
  })
})

describe('whatever arrives', () => {
  const topics = fc.oneof(fc.constantFrom(TOPIC, CMD), fc.string())
  const noise = fc.uint8Array({ maxLength: 400 })
  const headers = fc.record(
    {
      v: fc.oneof(fc.constant(1), fc.jsonValue()),
      kind: fc.oneof(fc.constantFrom('desired', 'cmd'), fc.jsonValue()),
      device: fc.oneof(fc.constant('gw-1'), fc.jsonValue()),
      kid: fc.oneof(fc.constant(cloud.signing.kid), fc.jsonValue()),
      sig: fc.oneof(fc.constant('AAAA'), fc.jsonValue()),
    },
    { requiredKeys: [] },
  )
  const framed = fc.tuple(headers, fc.jsonValue()).map(([header, body]) => Buffer.from(`${JSON.stringify(header)}\n${JSON.stringify(body)}`))

  it('10,000 payloads that the cloud did not sign: nothing throws, nothing is taken', () => {
    let refused = 0
    fc.assert(
      fc.property(topics, fc.oneof(noise, framed), (topic, message) => {
        const inbound = readInbound(topic, message, me)
        expect(['refused', 'ignored']).toContain(inbound.kind)
        if (inbound.kind === 'refused') refused += 1
      }),
      { numRuns: 10_000, seed: 20_26 },
    )
    expect(refused).toBeGreaterThan(3_000)
  })

  it('any body that the cloud did sign: nothing throws, nothing of another form is taken', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (body) => {
        expect(codeOf(readInbound(TOPIC, signed(body), me))).toMatch(/^desired\.refused\./)
      }),
      { numRuns: 300, seed: 20_26 },
    )
  })
})
