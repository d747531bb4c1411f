/**
 * The server's half of one SPDY connection over any byte stream. INVARIANTS: events are given one at a time, and the next
 * frame is read only when the last event was taken: the client's pace is that of the reader; every stream of a client gets its
 * reply before its first event.
 */
import type { Duplex } from 'node:stream'
import { send } from './send.ts'
import { dataFrame, goAwayFrame, pingFrame, replyFrame, resetFrame, SpdyReader } from './spdy-frames.ts'
import type { SpdyFrame } from './spdy-frames.ts'
import { HeaderCodec } from './spdy-headers.ts'
import type { Headers } from './spdy-headers.ts'

export type SpdyEvent =
  | { readonly kind: 'open'; readonly stream: number; readonly headers: Headers }
  | { readonly kind: 'data'; readonly stream: number; readonly bytes: Uint8Array }
  /** the client sends no more on this stream */
  | { readonly kind: 'end'; readonly stream: number }
  | { readonly kind: 'reset'; readonly stream: number }

export class SpdyConnection {
  readonly #socket: Duplex
  readonly #codec = new HeaderCodec()

  constructor(socket: Duplex) {
    this.#socket = socket
    // its end is seen by whoever reads; an error without a listener would end the process
    socket.on('error', () => undefined)
  }

  /** Ends when the connection does, or when the client says what nobody understands. Never throws. */
  async *events(): AsyncGenerator<SpdyEvent> {
    const reader = new SpdyReader()
    try {
      for await (const chunk of this.#socket as AsyncIterable<Buffer>) {
        for (const frame of reader.push(chunk)) {
          if (frame.kind === 'broken' || frame.kind === 'goaway') return
          const events = await this.#take(frame)
          if (events === null) return
          yield* events
        }
      }
    } catch {
      // broken off: the same as its end
    } finally {
      this.#codec.close()
    }
  }

  data(stream: number, bytes: Uint8Array): Promise<void> {
    return send(this.#socket, dataFrame(stream, bytes, false))
  }

  /** No more from here on this stream. */
  end(stream: number): Promise<void> {
    return send(this.#socket, dataFrame(stream, EMPTY, true))
  }

  reset(stream: number): Promise<void> {
    return send(this.#socket, resetFrame(stream))
  }

  /** What was written is still sent. */
  close(): void {
    if (!this.#socket.destroyed && !this.#socket.writableEnded) this.#socket.end(goAwayFrame())
  }

  /** null = the connection cannot go on. */
  async #take(frame: SpdyFrame): Promise<readonly SpdyEvent[] | null> {
    switch (frame.kind) {
      case 'open': {
        const headers = await this.#codec.unpack(frame.headers)
        if (headers === null) return null
        await send(this.#socket, replyFrame(frame.stream, await this.#codec.pack(new Map())))
        return [{ kind: 'open', stream: frame.stream, headers }, ...(frame.end ? [{ kind: 'end', stream: frame.stream } as const] : [])]
      }
      case 'headers':
        return (await this.#codec.unpack(frame.headers)) === null ? null : []
      case 'data': {
        const { stream, bytes, end } = frame
        return [...(bytes.length > 0 ? [{ kind: 'data', stream, bytes } as const] : []), ...(end ? [{ kind: 'end', stream } as const] : [])]
      }
      case 'reset':
        return [{ kind: 'reset', stream: frame.stream }]
      case 'ping':
        await send(this.#socket, pingFrame(frame.id))
        return []
      default:
        return []
    }
  }
}

const EMPTY = new Uint8Array(0)
