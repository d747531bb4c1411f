/**
 * The socket of a live session: dialled from here to the cloud, believed by the authority in the join file. A session is a
 * duplex stream whose chunks are whole messages; its pace is that of the slower side.
 */
import { finished } from 'node:stream'
import type { Duplex } from 'node:stream'
import { LIMITS } from '../../protocol/limits.ts'
import { SESSION_PATH, SESSION_PROTOCOL } from '../../protocol/session.ts'

export interface CloudAddress {
  /** https://host:port, or http:// on loopback */
  readonly url: string
  /** PEM of the authority of its certificate; absent = the system's */
  readonly ca?: string
}

/** @throws when the cloud cannot be reached, is not who it should be, or does not take the token any more */
export async function dialCloud(
  cloud: CloudAddress,
  session: { readonly id: string; readonly token: string; readonly validMs: number },
): Promise<Duplex> {
  // loaded with the first session: most devices never open one
  const { WebSocket, createWebSocketStream } = await import('ws')
  const base = new URL(cloud.url)
  const url = `${base.protocol === 'http:' ? 'ws' : 'wss'}://${base.host}${SESSION_PATH}${session.id}`
  const socket = new WebSocket(url, [SESSION_PROTOCOL], {
    headers: { authorization: `Bearer ${session.token}` },
    handshakeTimeout: session.validMs,
    maxPayload: LIMITS.sessionMessageBytes.value,
    perMessageDeflate: false,
    followRedirects: false,
    ...(cloud.ca === undefined ? {} : { ca: cloud.ca }),
  })
  await new Promise<void>((resolve, reject) => {
    socket.once('open', () => resolve())
    socket.once('error', reject)
  })
  const stream = createWebSocketStream(socket, { readableObjectMode: true })
  const stop = keepAlive(socket)
  finished(stream, { readable: true, writable: false }, stop)
  // its end is seen by whoever reads; an error without a listener would end the process
  stream.on('error', () => undefined)
  return stream
}

interface Pingable {
  ping(): void
  terminate(): void
  on(event: 'pong', listener: () => void): unknown
}

/** A cable that was pulled says nothing: an unanswered ping does. */
function keepAlive(socket: Pingable): () => void {
  let answered = true
  socket.on('pong', () => {
    answered = true
  })
  const timer = setInterval(() => {
    if (!answered) return socket.terminate()
    answered = false
    socket.ping()
  }, LIMITS.sessionPingMs.value)
  return () => clearInterval(timer)
}
