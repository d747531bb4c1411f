/**
 * Exec and attach: channel messages copied between a client and a device. INVARIANTS: each direction waits for its slower side
 * and for nothing else; when one end is gone the other is told; the client always gets a Status, the device's or our own.
 */
import type { Duplex } from 'node:stream'
import { LIMITS } from '../../protocol/limits.ts'
import { CHANNEL, failureStatus, frame } from '../../protocol/session.ts'
import type { CommandClient } from './command-clients.ts'
import { send } from './send.ts'

/** What a client may send; anything else is dropped. */
const FROM_CLIENT: ReadonlySet<number> = new Set([CHANNEL.stdin, CHANNEL.resize, CHANNEL.close])
const TO_CLIENT: ReadonlySet<number> = new Set([CHANNEL.stdout, CHANNEL.stderr, CHANNEL.error])

/** Resolves when both directions have ended. Never rejects. */
export async function bridgeCommand(client: CommandClient, device: Duplex, count: (bytes: number) => void): Promise<void> {
  await Promise.all([fromClient(client, device, count), toClient(client, device, count)])
}

async function fromClient(client: CommandClient, device: Duplex, count: (bytes: number) => void): Promise<void> {
  for await (const message of client.messages()) {
    if (device.destroyed) continue
    const channel = message[0] ?? CHANNEL.resize
    if (!FROM_CLIENT.has(channel)) continue
    count(message.byteLength - 1)
    const max = LIMITS.sessionChunkBytes.value
    if (message.byteLength - 1 <= max) await send(device, message)
    else for (let at = 1; at < message.byteLength; at += max) await send(device, frame(channel, message.subarray(at, at + max)))
  }
  device.destroy()
}

async function toClient(client: CommandClient, device: Duplex, count: (bytes: number) => void): Promise<void> {
  let ended = false
  try {
    for await (const message of device as AsyncIterable<Uint8Array>) {
      const channel = message[0] ?? 0
      if (!TO_CLIENT.has(channel)) continue
      count(message.byteLength - 1)
      await client.send(message)
      ended = channel === CHANNEL.error
      if (ended) break
    }
  } catch {
    // broken off: the same as its end
  }
  if (!ended) await client.send(frame(CHANNEL.error, Buffer.from(JSON.stringify(LOST))))
  client.close()
}

const LOST = failureStatus(502, 'BadGateway', 'the connection to the device was lost (link.down); what was started there may still run')
