/**
 * One port-forward session: many TCP connections over one socket. INVARIANTS: at most the table's number of connections; each
 * is told to the cloud as ended exactly once; a slow connection holds up the others (kubectl reads them one after another too).
 */
import type { Duplex } from 'node:stream'
import { causeSentence } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { CHANNEL, exitStatus, readPort, readStreamFrame, streamFrame } from '../../protocol/session.ts'
import type { LiveOpened, LiveStream } from '../ports.ts'
import type { Meter } from './meter.ts'
import { send } from './send.ts'

type OpenPort = (port: number) => Promise<LiveOpened>

interface Carried {
  readonly stream: LiveStream
  inputEnded: boolean
  outputEnded: boolean
}

/** Resolves when the socket ends or the session's bytes are used up. */
export async function runPortForward(socket: Duplex, openPort: OpenPort, meter: Meter): Promise<Readonly<Record<string, unknown>>> {
  const carried = new Map<number, Carried>()
  const fail = (id: number, why: string): Promise<void> => send(socket, streamFrame(CHANNEL.fail, id, Buffer.from(why)))
  const forget = (id: number, one: Carried): void => {
    one.stream.close()
    if (carried.get(id) === one) carried.delete(id)
  }

  const open = async (id: number, port: number | null): Promise<void> => {
    if (carried.has(id)) return
    if (port === null) return fail(id, 'that is no port')
    if (carried.size >= LIMITS.sessionStreams.value) return fail(id, `${carried.size} connections are open; at most that many are carried at once`)
    const opened = await openPort(port)
    if (!opened.ok) return fail(id, causeSentence(opened.cause))
    const one: Carried = { stream: opened.stream, inputEnded: false, outputEnded: false }
    carried.set(id, one)
    void pump(id, one)
  }

  /** never rejects: `output` and `send` do not */
  const pump = async (id: number, one: Carried): Promise<void> => {
    for await (const { bytes } of one.stream.output) {
      meter.add(bytes.length)
      await send(socket, streamFrame(CHANNEL.data, id, bytes))
      if (socket.destroyed || meter.left() === 0) break
    }
    if (meter.left() === 0) socket.destroy()
    if (carried.get(id) !== one) return
    one.outputEnded = true
    if (one.inputEnded) forget(id, one)
    await send(socket, streamFrame(CHANNEL.end, id))
  }

  const take = async (channel: number, id: number, payload: Uint8Array): Promise<void> => {
    // waited for: bytes for it may be the next message, and on this machine a port answers or refuses at once
    if (channel === CHANNEL.open) return open(id, readPort(payload))
    const one = carried.get(id)
    if (one === undefined) return
    if (channel === CHANNEL.data) return one.stream.write(payload)
    if (channel === CHANNEL.fail) return forget(id, one)
    if (channel !== CHANNEL.end) return
    one.inputEnded = true
    if (one.outputEnded) forget(id, one)
    else one.stream.endInput()
  }

  try {
    for await (const message of socket as AsyncIterable<Uint8Array>) {
      const read = readStreamFrame(message)
      if (read === null) continue
      meter.add(read.payload.length)
      await take(message[0] ?? 0, read.stream, read.payload)
      if (meter.left() === 0) break
    }
  } catch {
    // the socket broke: the same as its end
  }
  for (const [id, one] of carried) forget(id, one)
  return exitStatus(null)
}
