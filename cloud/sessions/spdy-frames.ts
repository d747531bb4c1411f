/**
 * SPDY/3.1 frames, as far as kubectl up to 1.29 (exec) and every kubectl (port-forward) needs them. Pure: bytes to frames and
 * back. What is malformed is a value, never a throw; a frame is refused by its length before it is collected.
 */
import { LIMITS } from '../../protocol/limits.ts'

export type SpdyFrame =
  | { readonly kind: 'open'; readonly stream: number; readonly headers: Buffer; readonly end: boolean }
  | { readonly kind: 'data'; readonly stream: number; readonly bytes: Buffer; readonly end: boolean }
  | { readonly kind: 'reset'; readonly stream: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'goaway' }
  /** more headers of an open stream: they belong to the compressor's history */
  | { readonly kind: 'headers'; readonly headers: Buffer }
  | { readonly kind: 'other' }
  | { readonly kind: 'broken'; readonly why: string }

const VERSION = 3
const HEADER = 8
const FIN = 1
const TYPE = { synStream: 1, synReply: 2, reset: 3, ping: 6, goaway: 7, headers: 8 } as const

/** Collects bytes and gives whole frames. After `broken` it gives nothing more. */
export class SpdyReader {
  #rest: Buffer = Buffer.alloc(0)
  #broken = false

  push(bytes: Uint8Array): readonly SpdyFrame[] {
    if (this.#broken) return []
    this.#rest = this.#rest.length === 0 ? Buffer.from(bytes) : Buffer.concat([this.#rest, bytes])
    const frames: SpdyFrame[] = []
    while (this.#rest.length >= HEADER) {
      const length = this.#rest.readUIntBE(5, 3)
      if (length > LIMITS.spdyFrameBytes.value)
        frames.push({ kind: 'broken', why: `a frame of ${length} bytes, at most ${LIMITS.spdyFrameBytes.value}` })
      else if (this.#rest.length < HEADER + length) break
      else frames.push(frameOf(this.#rest.subarray(0, HEADER), this.#rest.subarray(HEADER, HEADER + length)))
      this.#broken = frames.at(-1)?.kind === 'broken'
      if (this.#broken) break
      this.#rest = this.#rest.subarray(HEADER + length)
    }
    return frames
  }
}

function frameOf(head: Buffer, body: Buffer): SpdyFrame {
  const flags = head[4] ?? 0
  const end = (flags & FIN) !== 0
  const first = head.readUInt32BE(0)
  if (first < 0x8000_0000) return { kind: 'data', stream: first, bytes: body, end }
  if (head.readUInt16BE(0) !== 0x8000 + VERSION) return { kind: 'broken', why: 'not SPDY/3' }
  const short = (least: number): SpdyFrame | null => (body.length < least ? { kind: 'broken', why: 'a control frame is too short' } : null)
  switch (head.readUInt16BE(2)) {
    case TYPE.synStream:
      return short(10) ?? { kind: 'open', stream: streamOf(body), headers: body.subarray(10), end }
    case TYPE.headers:
      return short(4) ?? { kind: 'headers', headers: body.subarray(4) }
    case TYPE.reset:
      return short(8) ?? { kind: 'reset', stream: streamOf(body) }
    case TYPE.ping:
      return short(4) ?? { kind: 'ping', id: body.readUInt32BE(0) }
    case TYPE.goaway:
      return { kind: 'goaway' }
    default:
      return { kind: 'other' }
  }
}

function streamOf(body: Buffer): number {
  return body.readUInt32BE(0) & 0x7fff_ffff
}

export function dataFrame(stream: number, bytes: Uint8Array, end: boolean): Buffer {
  const head = Buffer.alloc(HEADER)
  head.writeUInt32BE(stream, 0)
  head[4] = end ? FIN : 0
  head.writeUIntBE(bytes.byteLength, 5, 3)
  return Buffer.concat([head, bytes])
}

/** @param headers compressed */
export function replyFrame(stream: number, headers: Uint8Array): Buffer {
  return control(TYPE.synReply, Buffer.concat([word(stream), headers]))
}

const PROTOCOL_ERROR = 1

export function resetFrame(stream: number): Buffer {
  return control(TYPE.reset, Buffer.concat([word(stream), word(PROTOCOL_ERROR)]))
}

export function pingFrame(id: number): Buffer {
  return control(TYPE.ping, word(id))
}

export function goAwayFrame(): Buffer {
  return control(TYPE.goaway, Buffer.concat([word(0), word(0)]))
}

function control(type: number, body: Buffer): Buffer {
  const head = Buffer.alloc(HEADER)
  head.writeUInt16BE(0x8000 + VERSION, 0)
  head.writeUInt16BE(type, 2)
  head.writeUIntBE(body.length, 5, 3)
  return Buffer.concat([head, body])
}

function word(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value >>> 0)
  return bytes
}
