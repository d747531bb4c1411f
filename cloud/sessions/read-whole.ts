/** The whole output of a session that ends by itself. */
import type { Duplex } from 'node:stream'
import { LIMITS } from '../../protocol/limits.ts'
import { CHANNEL } from '../../protocol/session.ts'
import type { LiveCall, LiveFailure } from '../ports.ts'
import { refusalOf, succeeded } from './device-sessions.ts'

export type Whole = { readonly ok: true; readonly bytes: Uint8Array } | { readonly ok: false; readonly failure: LiveFailure }

/** Never rejects. More bytes than a bundle may have are a failure. */
export async function readWhole(socket: Duplex, call: LiveCall, count: (bytes: number) => void): Promise<Whole> {
  const chunks: Uint8Array[] = []
  let total = 0
  try {
    for await (const message of socket as AsyncIterable<Uint8Array>) {
      if (message[0] === CHANNEL.error)
        return succeeded(message) ? { ok: true, bytes: Buffer.concat(chunks) } : { ok: false, failure: refusalOf(message, call.device) }
      if (message[0] !== CHANNEL.stdout) continue
      count(message.byteLength - 1)
      total += message.byteLength - 1
      if (total > LIMITS.bundleBytes.value) return { ok: false, failure: tooLong(call) }
      chunks.push(message.subarray(1))
    }
  } catch {
    // broken off: the same as an end without a word
  }
  return { ok: false, failure: brokenOff(call) }
}

export function brokenOff({ device, wanted }: LiveCall): LiveFailure {
  return { code: 502, reason: 'BadGateway', message: `device ${device} broke off before its answer to ${wanted.what} was whole; ask again` }
}

function tooLong({ device }: LiveCall): LiveFailure {
  return {
    code: 502,
    reason: 'BadGateway',
    message: `device ${device} sent more than ${LIMITS.bundleBytes.value} bytes; at most that many are taken`,
  }
}
