/** A SPDY/3.1 client in memory, as small as tests need it: opens streams, sends, collects what comes back. */
import { duplexPair } from 'node:stream'
import type { Duplex } from 'node:stream'
import { dataFrame, SpdyReader } from '../../cloud/sessions/spdy-frames.ts'
import { HeaderCodec } from '../../cloud/sessions/spdy-headers.ts'

export class SpdyTestClient {
  readonly server: Duplex
  readonly #socket: Duplex
  readonly #codec = new HeaderCodec()
  readonly #received = new Map<number, string>()
  readonly #ended = new Set<number>()
  #next = 1

  constructor() {
    const [client, server] = duplexPair()
    this.#socket = client
    this.server = server
    const reader = new SpdyReader()
    client.on('error', () => undefined)
    client.on('data', (chunk: Buffer) => {
      for (const frame of reader.push(chunk)) {
        if (frame.kind !== 'data') continue
        this.#received.set(frame.stream, this.received(frame.stream) + frame.bytes.toString())
        if (frame.end) this.#ended.add(frame.stream)
      }
    })
  }

  async open(headers: Readonly<Record<string, string>>): Promise<number> {
    const stream = this.#next
    this.#next += 2
    const packed = await this.#codec.pack(new Map(Object.entries(headers)))
    const head = Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 0])
    head.writeUIntBE(packed.length + 10, 5, 3)
    const ids = Buffer.alloc(10)
    ids.writeUInt32BE(stream, 0)
    this.raw(Buffer.concat([head, ids, packed]))
    return stream
  }

  send(stream: number, text: string, end = false): void {
    this.raw(dataFrame(stream, Buffer.from(text), end))
  }

  raw(bytes: Uint8Array): void {
    if (bytes.length > 0) this.#socket.write(bytes)
  }

  received(stream: number): string {
    return this.#received.get(stream) ?? ''
  }

  ended(stream: number): Promise<void> {
    return this.until(() => this.#ended.has(stream))
  }

  /** What is waited for comes from zlib, which works in threads: turns of the event loop can be over before one had a processor. */
  async until(isSo: () => boolean): Promise<void> {
    const end = performance.now() + 30_000
    while (!isSo() && performance.now() < end) await new Promise((resolve) => setTimeout(resolve, 1))
    if (!isSo()) throw new Error('it did not come to pass')
  }

  close(): void {
    this.#socket.end()
  }
}
