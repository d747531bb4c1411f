/** The key that signs desired states: made once, kept in the data folder, readable for its owner only. */
import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { closeSync, fsyncSync, linkSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import path from 'node:path'
import { keyId } from '../../protocol/envelope.ts'
import type { SigningKey, TrustedKey } from '../../protocol/envelope.ts'

export interface CloudKeys {
  readonly signing: SigningKey
  /** what devices are told to trust */
  readonly trusted: TrustedKey
}

const FILE = 'signing-key.pem'

/**
 * Reads the key, or makes it on the first start. The folder must exist.
 * @throws when the file is there but is not an Ed25519 key: a new one would be trusted by no device, so none is made
 */
export function loadSigningKey(dataDir: string): CloudKeys {
  const file = path.join(dataDir, FILE)
  const pem = readIfThere(file) ?? create(file)
  const key = parseKey(pem)
  if (key === null) throw new Error(`${file} is not an Ed25519 private key; put the right one back, devices trust no other`)
  const publicPem = createPublicKey(key).export({ type: 'spki', format: 'pem' }).toString()
  const kid = keyId(publicPem)
  return { signing: { kid, privatePem: pem }, trusted: { kid, publicPem } }
}

function readIfThere(file: string): string | null {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null
    throw new Error(`cannot read the signing key ${file}: ${(error as Error).message}`, { cause: error })
  }
}

/** Whole or not at all, also through a power cut, and never over another: written aside, synced, then linked to its name. */
function create(file: string): string {
  const { privateKey } = generateKeyPairSync('ed25519')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
  const aside = `${file}.${process.pid}.new`
  rmSync(aside, { force: true })
  sync(openSync(aside, 'wx', 0o600), pem)
  linkSync(aside, file)
  rmSync(aside)
  sync(openSync(path.dirname(file), 'r'), null)
  return pem
}

function sync(fd: number, text: string | null): void {
  try {
    if (text !== null) writeSync(fd, text)
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function parseKey(pem: string): KeyObject | null {
  try {
    const key = createPrivateKey(pem)
    return key.asymmetricKeyType === 'ed25519' ? key : null
  } catch {
    return null
  }
}
