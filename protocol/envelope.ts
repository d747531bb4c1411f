/**
 * The envelope: one header line of JSON, a line feed, then the body's exact bytes. The signature covers kind, device and
 * body bytes, so a verifier never has to re-encode what it read, and a document for one device is void on another.
 *
 *   {"v":1,"kind":"desired","device":"gw-1","kid":"9f…","sig":"base64"}\n{"device":"gw-1",…}
 */
import { createHash, createPrivateKey, createPublicKey, sign, verify } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { LIMITS } from './limits.ts'
import { depthOf, isRecord } from './shape.ts'
import { TOPICS } from './topics.ts'
import type { Channel } from './topics.ts'

export const ENVELOPE_VERSION = 1

export interface SigningKey {
  readonly kid: string
  /** PEM, PKCS#8, Ed25519 */
  readonly privatePem: string
}

export interface TrustedKey {
  readonly kid: string
  /** PEM, SPKI, Ed25519 */
  readonly publicPem: string
}

export type Opened =
  | { readonly ok: true; readonly body: unknown; readonly kid: string | null }
  | { readonly ok: false; readonly why: 'empty' | 'too-large' | 'unreadable' | 'unsigned' | 'wrong-device' | 'version'; readonly detail: string }

/** Short name of a public key: first 16 hex digits of the sha256 of its DER form. */
export function keyId(publicPem: string): string {
  const der = createPublicKey(publicPem).export({ type: 'spki', format: 'der' })
  return createHash('sha256').update(der).digest('hex').slice(0, 16)
}

function signedBytes(kind: string, device: string, body: Uint8Array): Uint8Array {
  return Buffer.concat([Buffer.from(`skerry-envelope-${ENVELOPE_VERSION}\n${kind}\n${device}\n`, 'utf8'), body])
}

export function seal(kind: Channel, device: string, body: unknown, key: SigningKey | null): Uint8Array {
  const bytes = Buffer.from(JSON.stringify(body), 'utf8')
  const header: Record<string, unknown> = { v: ENVELOPE_VERSION, kind, device }
  if (key !== null) {
    header['kid'] = key.kid
    header['sig'] = sign(null, signedBytes(kind, device, bytes), keyOf(key.privatePem, createPrivateKey)).toString('base64')
  }
  return Buffer.concat([Buffer.from(`${JSON.stringify(header)}\n`, 'utf8'), bytes])
}

/**
 * Opens an envelope. Order matters: size, then header, then device and signature, and only then is the body parsed.
 * @param trusted keys of which one must have signed; null = this channel needs no signature
 */
export function open(kind: Channel, device: string, message: Uint8Array, trusted: readonly TrustedKey[] | null): Opened {
  const max = TOPICS[kind].maxBytes
  if (message.byteLength === 0) return { ok: false, why: 'empty', detail: 'the message has no bytes' }
  if (message.byteLength > max) return { ok: false, why: 'too-large', detail: `${message.byteLength} bytes, at most ${max}` }
  const buffer = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
  const end = buffer.indexOf(0x0a)
  if (end < 0 || end > LIMITS.envelopeHeaderBytes.value) return { ok: false, why: 'unreadable', detail: 'no header line' }
  const header = parseJson(buffer.subarray(0, end))
  if (!isRecord(header)) return { ok: false, why: 'unreadable', detail: 'the header is not a JSON object' }
  if (header['v'] !== ENVELOPE_VERSION) return { ok: false, why: 'version', detail: String(header['v']).slice(0, 32) }
  if (header['kind'] !== kind) return { ok: false, why: 'unreadable', detail: `kind is ${String(header['kind']).slice(0, 32)}, not ${kind}` }
  if (header['device'] !== device) return { ok: false, why: 'wrong-device', detail: String(header['device']).slice(0, 64) }
  const bytes = buffer.subarray(end + 1)
  const kid = typeof header['kid'] === 'string' ? header['kid'] : null
  if (trusted !== null) {
    const fault = signatureFault(kind, device, bytes, kid, header['sig'], trusted)
    if (fault !== null) return { ok: false, why: 'unsigned', detail: fault }
  }
  const body = parseJson(bytes)
  if (body === undefined) return { ok: false, why: 'unreadable', detail: 'the body is not JSON' }
  if (depthOf(body, LIMITS.documentDepth.value) > LIMITS.documentDepth.value)
    return { ok: false, why: 'unreadable', detail: `nested deeper than ${LIMITS.documentDepth.value}` }
  return { ok: true, body, kid }
}

/** Reading a key's text costs as much as signing with it. */
const keys = new Map<string, KeyObject>()
/** a few trusted keys during a rotation; more is a test that makes its own */
const KEYS_KEPT = 16

function keyOf(pem: string, read: (pem: string) => KeyObject): KeyObject {
  const known = keys.get(pem)
  if (known !== undefined) return known
  const key = read(pem)
  if (keys.size >= KEYS_KEPT) keys.clear()
  keys.set(pem, key)
  return key
}

function signatureFault(
  kind: string,
  device: string,
  bytes: Uint8Array,
  kid: string | null,
  sig: unknown,
  trusted: readonly TrustedKey[],
): string | null {
  if (kid === null || typeof sig !== 'string') return 'it carries no signature'
  const key = trusted.find((candidate) => candidate.kid === kid)
  if (key === undefined) return `key ${kid.slice(0, 32)} is not trusted here`
  try {
    return verify(null, signedBytes(kind, device, bytes), keyOf(key.publicPem, createPublicKey), Buffer.from(sig, 'base64'))
      ? null
      : 'the signature does not match'
  } catch {
    return 'the signature is malformed'
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** undefined when the bytes are not UTF-8 JSON. `JSON.parse` creates own `__proto__` keys; shapes refuse them. */
function parseJson(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(utf8.decode(bytes))
    return value
  } catch {
    return undefined
  }
}
