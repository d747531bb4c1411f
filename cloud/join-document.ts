/** What a device needs to belong here: written by `skerry join`, read by `skerry-agent run --join`. Holds a password. */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { TrustedKey } from '../protocol/envelope.ts'
import type { Config } from './config.ts'
import { brokerPassword } from './mqtt/device-credentials.ts'

/** Beside these it has `cloud`: where live sessions are opened, and the authority of that certificate. */
export interface JoinDocument {
  readonly device: string
  readonly tenant: string
  readonly broker: string
  readonly username: string
  readonly password: string
  readonly trustedKeys: readonly TrustedKey[]
}

/** The secret that device passwords are made from; made at the first start, readable by the owner only. */
export function brokerSecret(dataDir: string): Uint8Array {
  const file = path.join(dataDir, 'broker-secret')
  try {
    return Buffer.from(readFileSync(file, 'utf8').trim(), 'base64')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error
  }
  const secret = randomBytes(32)
  const fd = openSync(file, 'wx', 0o600)
  try {
    writeSync(fd, `${secret.toString('base64')}\n`)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
  return secret
}

/** Where a device opens live sessions. */
export function apiUrl({ advertisedApi, advertisedBroker }: Config, port: number): string {
  return advertisedApi ?? `https://${new URL(advertisedBroker).hostname}:${port}`
}

/** With an outside broker its accounts are the operator's: the device then signs in with the cloud's own account name and password. */
export function joinDocument(config: Config, device: string, secret: Uint8Array, trusted: TrustedKey): JoinDocument {
  const { broker } = config
  return {
    device,
    tenant: config.tenant,
    broker: config.advertisedBroker,
    username: broker === null ? device : broker.username,
    password: broker === null ? brokerPassword(secret, device) : broker.password,
    trustedKeys: [trusted],
  }
}
