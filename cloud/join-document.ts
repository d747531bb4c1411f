/** What a device needs to belong here: written by `skerry join`, read by `skerry-agent run --join`. Holds a password. */
import { randomBytes } from 'node:crypto'
import { closeSync, fsyncSync, openSync, readFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import type { TrustedKey } from '../protocol/envelope.ts'
import type { Config } from './config.ts'
import { brokerPassword } from './mqtt/device-credentials.ts'

export interface JoinDocument {
  readonly device: string
  readonly tenant: string
  readonly broker: string
  /** PEM of the authority of the broker's certificate; absent = the system's, or no TLS */
  readonly ca?: string
  readonly username: string
  readonly password: string
  readonly trustedKeys: readonly TrustedKey[]
  /** where live sessions are opened, and the authority of that certificate */
  readonly cloud: { readonly url: string; readonly ca: string }
}

/** What this cloud is to its devices. */
export interface CloudFacts {
  readonly secret: Uint8Array
  readonly trusted: TrustedKey
  /** of its own authority */
  readonly caPem: string
  readonly apiPort: number
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

/** Whom a device is to trust when it connects to the broker in this cloud. @param own the authority of this cloud */
export function brokerAuthority({ mqtts, mqttsFiles, advertisedBroker }: Config, own: string): { readonly ca?: string } {
  if (mqtts === null || !advertisedBroker.startsWith('mqtts:')) return {}
  if (mqttsFiles === null) return { ca: own }
  return mqttsFiles.ca === null ? {} : { ca: readFileSync(mqttsFiles.ca, 'utf8') }
}

/** With an outside broker its accounts are the operator's: the device then signs in with the cloud's own account name and password. */
export function joinDocument(config: Config, device: string, { secret, trusted, caPem, apiPort }: CloudFacts): JoinDocument {
  const { broker } = config
  return {
    device,
    tenant: config.tenant,
    broker: config.advertisedBroker,
    ...brokerAuthority(config, caPem),
    username: broker === null ? device : broker.username,
    password: broker === null ? brokerPassword(secret, device) : broker.password,
    trustedKeys: [trusted],
    cloud: { url: apiUrl(config, apiPort), ca: caPem },
  }
}
