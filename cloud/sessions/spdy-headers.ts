/**
 * Header blocks of SPDY/3: names and values, packed by one zlib stream a direction that knows the protocol's dictionary.
 * INVARIANTS: blocks are packed and unpacked in order, one at a time; an unpacked block is bounded, whatever it was packed from.
 */
import { constants, createDeflate, createInflate } from 'node:zlib'
import type { Deflate, Inflate } from 'node:zlib'
import { LIMITS } from '../../protocol/limits.ts'

/** Draft 3 of SPDY, section 2.6.10.1: words with their length, then text. */
const WORDS =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization ' +
  'cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range ' +
  'content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified ' +
  'location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding ' +
  'upgrade user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin'
const TEXT =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505' +
  '203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found' +
  '500 Internal Server Error501 Not Implemented503 Service Unavailable' +
  'Jan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMT' +
  'chunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=' +
  'gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.'

export const SPDY_DICTIONARY: Buffer = Buffer.concat([...WORDS.split(' ').map((item) => lengthPrefixed(item.replace('_', ' '))), Buffer.from(TEXT)])

function lengthPrefixed(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1')
  const length = Buffer.alloc(4)
  length.writeUInt32BE(bytes.length)
  return Buffer.concat([length, bytes])
}

export type Headers = ReadonlyMap<string, string>

/** Many more headers than this no client sends. */
const HEADERS_MAX = 64

export class HeaderCodec {
  readonly #inflate: Inflate = createInflate({ dictionary: SPDY_DICTIONARY, finishFlush: constants.Z_SYNC_FLUSH })
  readonly #deflate: Deflate = createDeflate({ dictionary: SPDY_DICTIONARY, flush: constants.Z_SYNC_FLUSH })

  constructor() {
    // errors come to whoever writes; without a listener they would end the process
    this.#inflate.on('error', () => undefined)
    this.#deflate.on('error', () => undefined)
  }

  /** null = not a header block: the connection cannot go on. */
  async unpack(block: Uint8Array): Promise<Headers | null> {
    const bytes = await through(this.#inflate, block)
    return bytes === null ? null : readHeaders(bytes)
  }

  async pack(headers: Headers): Promise<Buffer> {
    const count = Buffer.alloc(4)
    count.writeUInt32BE(headers.size)
    const pairs = [...headers].flatMap(([name, value]) => [lengthPrefixed(name), lengthPrefixed(value)])
    return (await through(this.#deflate, Buffer.concat([count, ...pairs]))) ?? Buffer.alloc(0)
  }

  close(): void {
    this.#inflate.destroy()
    this.#deflate.destroy()
  }
}

function through(stream: Inflate | Deflate, bytes: Uint8Array): Promise<Buffer | null> {
  if (stream.destroyed) return Promise.resolve(null)
  return new Promise((resolve) => {
    const parts: Buffer[] = []
    let size = 0
    const done = (value: Buffer | null): void => {
      stream.off('data', take)
      stream.off('error', fail)
      stream.off('close', fail)
      resolve(value)
    }
    const fail = (): void => done(null)
    const take = (part: Buffer): void => {
      size += part.length
      if (size > LIMITS.spdyHeaderBytes.value) {
        stream.destroy()
        return done(null)
      }
      parts.push(part)
    }
    stream.on('data', take)
    stream.on('error', fail)
    stream.on('close', fail)
    stream.write(bytes)
    // called when all that was written has come out
    stream.flush(constants.Z_SYNC_FLUSH, () => setImmediate(() => done(Buffer.concat(parts))))
  })
}

function readHeaders(bytes: Buffer): Headers | null {
  const headers = new Map<string, string>()
  if (bytes.length < 4) return null
  const count = bytes.readUInt32BE(0)
  if (count > HEADERS_MAX) return null
  let at = 4
  const text = (): string | null => {
    if (at + 4 > bytes.length) return null
    const length = bytes.readUInt32BE(at)
    if (at + 4 + length > bytes.length) return null
    const value = bytes.toString('latin1', at + 4, at + 4 + length)
    at += 4 + length
    return value
  }
  for (let i = 0; i < count; i += 1) {
    const name = text()
    const value = text()
    if (name === null || value === null) return null
    headers.set(name.toLowerCase(), value)
  }
  return headers
}
