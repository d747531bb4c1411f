/** The two ways in which clients speak exec and attach, both as channel messages: WebSocket messages as they are, SPDY streams by name. */
import type { Duplex } from 'node:stream'
import { CHANNEL, frame } from '../../protocol/session.ts'
import { send } from './send.ts'
import type { SpdyConnection } from './spdy-connection.ts'

export interface CommandClient {
  /** what the client sends: channel byte and payload; ends with the client, never throws */
  messages(): AsyncIterable<Uint8Array>
  send(message: Uint8Array): Promise<void>
  /** after the Status was sent */
  close(): void
}

/** @param socket chunks are messages, see createWebSocketStream */
export function webSocketClient(socket: Duplex): CommandClient {
  socket.on('error', () => undefined)
  return {
    async *messages() {
      try {
        yield* socket as AsyncIterable<Uint8Array>
      } catch {
        // broken off: the same as its end
      }
    },
    send: (message) => send(socket, message),
    close: () => void socket.end(),
  }
}

const CHANNELS: Readonly<Record<string, number>> = {
  stdin: CHANNEL.stdin,
  stdout: CHANNEL.stdout,
  stderr: CHANNEL.stderr,
  error: CHANNEL.error,
  resize: CHANNEL.resize,
}

/** @param expected names of the streams that the client opens before it reads; output waits for them */
export function spdyClient(connection: SpdyConnection, expected: ReadonlySet<string>): CommandClient {
  const streamOf = new Map<number, number>()
  const channelOf = new Map<number, number>()
  let allOpen = (): void => undefined
  const opened = new Promise<void>((resolve) => {
    allOpen = resolve
  })

  async function* messages(): AsyncGenerator<Uint8Array> {
    for await (const event of connection.events()) {
      if (event.kind === 'open') {
        const name = event.headers.get('streamtype') ?? ''
        const channel = expected.has(name) ? CHANNELS[name] : undefined
        if (channel === undefined || streamOf.has(channel)) await connection.reset(event.stream)
        else {
          streamOf.set(channel, event.stream)
          channelOf.set(event.stream, channel)
          if (streamOf.size === expected.size) allOpen()
        }
        continue
      }
      const channel = channelOf.get(event.stream)
      if (channel !== CHANNEL.stdin && channel !== CHANNEL.resize) continue
      if (event.kind === 'data') yield frame(channel, event.bytes)
      else yield frame(CHANNEL.close, Uint8Array.of(channel))
    }
    allOpen()
  }

  return {
    messages,
    async send(message) {
      await opened
      const channel = message[0] ?? 0
      const stream = streamOf.get(channel)
      if (stream === undefined) return
      await connection.data(stream, message.subarray(1))
      if (channel !== CHANNEL.error) return
      for (const ended of [CHANNEL.error, CHANNEL.stdout, CHANNEL.stderr]) {
        const id = streamOf.get(ended)
        if (id !== undefined) await connection.end(id)
      }
    },
    close: () => connection.close(),
  }
}
