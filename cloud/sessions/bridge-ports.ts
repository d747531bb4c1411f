/**
 * Port-forward: pairs of SPDY streams (`data`, `error`) of one client, each a numbered connection in the device's socket.
 * INVARIANTS: a connection is opened on the device when both its streams are there; its number is that of its data stream; an end
 * or a fault on one side is told to the other once.
 */
import type { Duplex } from 'node:stream'
import { LIMITS } from '../../protocol/limits.ts'
import { CHANNEL, openFrame, readStreamFrame, streamFrame } from '../../protocol/session.ts'
import { send } from './send.ts'
import type { SpdyConnection, SpdyEvent } from './spdy-connection.ts'

interface Pair {
  readonly port: number
  data: number | null
  error: number | null
  /** directions that are over; with both the pair is forgotten */
  clientEnded: boolean
  deviceEnded: boolean
}

/** Resolves when both directions have ended. Never rejects. */
export async function bridgePorts(client: SpdyConnection, device: Duplex, count: (bytes: number) => void): Promise<void> {
  /** by the client's request id, while a half is missing */
  const halves = new Map<string, Pair>()
  /** by number of the data stream */
  const pairs = new Map<number, Pair>()
  await Promise.all([fromClient(client, device, halves, pairs, count), toClient(client, device, pairs, count)])
}

async function fromClient(
  client: SpdyConnection,
  device: Duplex,
  halves: Map<string, Pair>,
  pairs: Map<number, Pair>,
  count: (bytes: number) => void,
): Promise<void> {
  for await (const event of client.events()) {
    if (device.destroyed) break
    if (event.kind === 'open') {
      await opened(client, device, halves, pairs, event)
      continue
    }
    const pair = pairs.get(event.stream)
    if (pair === undefined) continue
    if (event.kind === 'data') {
      count(event.bytes.byteLength)
      const max = LIMITS.sessionChunkBytes.value
      for (let at = 0; at < event.bytes.byteLength; at += max)
        await send(device, streamFrame(CHANNEL.data, event.stream, event.bytes.subarray(at, at + max)))
      continue
    }
    pair.clientEnded = true
    if (event.kind === 'reset' || pair.deviceEnded) pairs.delete(event.stream)
    await send(device, streamFrame(event.kind === 'reset' ? CHANNEL.fail : CHANNEL.end, event.stream))
  }
  device.destroy()
}

async function opened(
  client: SpdyConnection,
  device: Duplex,
  halves: Map<string, Pair>,
  pairs: Map<number, Pair>,
  { stream, headers }: Extract<SpdyEvent, { kind: 'open' }>,
): Promise<void> {
  const port = Number(headers.get('port'))
  const type = headers.get('streamtype')
  const id = headers.get('requestid') ?? ''
  const isPort = Number.isInteger(port) && port > 0 && port < 65_536
  const pair: Pair = halves.get(id) ?? { port, data: null, error: null, clientEnded: false, deviceEnded: false }
  const taken = type === 'data' ? pair.data !== null : pair.error !== null
  if (!isPort || (type !== 'data' && type !== 'error') || taken || halves.size > LIMITS.sessionStreams.value) return client.reset(stream)
  pair[type] = stream
  halves.set(id, pair)
  if (pair.data === null || pair.error === null) return
  halves.delete(id)
  pairs.set(pair.data, pair)
  await send(device, openFrame(pair.data, pair.port))
}

async function toClient(client: SpdyConnection, device: Duplex, pairs: Map<number, Pair>, count: (bytes: number) => void): Promise<void> {
  try {
    for await (const message of device as AsyncIterable<Uint8Array>) {
      const read = readStreamFrame(message)
      const pair = read === null ? undefined : pairs.get(read.stream)
      if (read === null || pair?.data === undefined || pair.data === null) continue
      count(read.payload.byteLength)
      switch (message[0] ?? CHANNEL.close) {
        case CHANNEL.data:
          await client.data(pair.data, read.payload)
          break
        case CHANNEL.fail:
          if (pair.error !== null) await client.data(pair.error, read.payload)
          pairs.delete(pair.data)
          await endPair(client, pair)
          break
        case CHANNEL.end:
          pair.deviceEnded = true
          if (pair.clientEnded) pairs.delete(pair.data)
          await endPair(client, pair)
      }
    }
  } catch {
    // broken off: the same as its end
  }
  client.close()
}

async function endPair(client: SpdyConnection, { data, error }: Pair): Promise<void> {
  if (error !== null) await client.end(error)
  if (data !== null) await client.end(data)
}
