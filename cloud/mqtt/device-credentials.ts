/**
 * How a client of the embedded broker proves who it is: user name and password, both from the cloud's secret, so that no list
 * of passwords is kept. This is the seam for X.509: with client certificates `Authenticate` looks at the certificate's name
 * instead, and nothing else changes. Until then one device cannot be revoked without changing the secret of all.
 */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { isDeviceId } from '../../protocol/ids.ts'
import type { Identity } from './topic-rules.ts'

/** Client id and user name of the cloud itself. The dot keeps it out of the device ids. */
export const CLOUD_CLIENT_ID = 'skerry.cloud'

/** Who this is, or null. Called once a connection, before anything else of it is looked at. */
export type Authenticate = (clientId: string, username: string, password: string) => Identity | null

/** Password of a device, or of the cloud with CLOUD_CLIENT_ID: base64url of HMAC-SHA256(secret, name). */
export function brokerPassword(secret: Uint8Array, name: string): string {
  return createHmac('sha256', secret).update(name, 'utf8').digest('base64url')
}

/** @param secret at least 32 random bytes */
export function passwordAuthenticator(secret: Uint8Array): Authenticate {
  if (secret.byteLength < 32) throw new Error(`the broker secret has ${secret.byteLength} bytes; at least 32 are needed`)
  return (clientId, username, password) => {
    if (username !== clientId) return null
    if (clientId !== CLOUD_CLIENT_ID && !isDeviceId(clientId)) return null
    if (!sameText(password, brokerPassword(secret, clientId))) return null
    return clientId === CLOUD_CLIENT_ID ? { role: 'cloud' } : { role: 'device', device: clientId }
  }
}

/** Takes the same time wherever the texts differ; only the length of the right one, which is no secret, shows. */
function sameText(given: string, right: string): boolean {
  const [a, b] = [Buffer.from(given, 'utf8'), Buffer.from(right, 'utf8')]
  return a.byteLength === b.byteLength && timingSafeEqual(a, b)
}
