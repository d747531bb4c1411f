/**
 * The server's certificate: signed by an authority of this installation, both made here and kept in the data folder.
 *
 * INVARIANTS
 * - The authority outlives server certificates: a kubeconfig stays valid while only the server's certificate is renewed.
 * - A new authority makes a new server certificate in the same start.
 * - Keys are readable by the owner only. Each file is replaced as a whole, key before certificate; a pair that does not fit
 *   together (power cut in between) is made again.
 */
// oxlint-disable-next-line import/no-unassigned-import
import 'reflect-metadata'
import { createPrivateKey, randomBytes, webcrypto, X509Certificate as NodeCertificate } from 'node:crypto'
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { isIP } from 'node:net'
import { join } from 'node:path'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
} from '@peculiar/x509'

export interface ServerCertificate {
  readonly caPem: string
  readonly certPem: string
  readonly keyPem: string
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DAY_MS = 86_400_000
const RENEW_BEFORE_MS = 30 * DAY_MS
const SERVER_MS = 365 * DAY_MS
const AUTHORITY_MS = 3650 * DAY_MS
/** a client whose clock is behind still accepts a new certificate */
const CLOCK_SKEW_MS = DAY_MS

/**
 * @param folder made when missing
 * @param names every DNS name and IP address that clients use; a change makes a new server certificate
 */
export async function serverCertificate(folder: string, names: readonly string[], nowMs: number): Promise<ServerCertificate> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const authority = (await usableAuthority(folder, nowMs)) ?? (await makeAuthority(folder, nowMs))
  const existing = await readPair(folder, 'server')
  const isKept = existing !== null && isUsable(existing.cert, nowMs) && covers(existing.cert, names) && existing.cert.verify(authority.cert.publicKey)
  if (isKept) return { caPem: authority.pem, certPem: existing.pem, keyPem: existing.keyPem }
  return { caPem: authority.pem, ...(await makeServer(folder, names, authority, nowMs)) }
}

interface Pair {
  readonly pem: string
  readonly keyPem: string
  readonly cert: NodeCertificate
}

async function usableAuthority(folder: string, nowMs: number): Promise<Pair | null> {
  const pair = await readPair(folder, 'ca')
  return pair !== null && isUsable(pair.cert, nowMs) ? pair : null
}

async function makeAuthority(folder: string, nowMs: number): Promise<Pair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serial(),
    name: `CN=skerry-ca-${randomBytes(4).toString('hex')}`,
    ...validity(nowMs, AUTHORITY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return writePair(folder, 'ca', certificate, keys.privateKey)
}

type OwnPair = Omit<ServerCertificate, 'caPem'>

async function makeServer(folder: string, names: readonly string[], authority: Pair, nowMs: number): Promise<OwnPair> {
  const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify'])
  const issuer = new X509Certificate(authority.pem)
  const authorityDer = createPrivateKey(authority.keyPem).export({ type: 'pkcs8', format: 'der' })
  const signingKey = await webcrypto.subtle.importKey('pkcs8', authorityDer, ALGORITHM, false, ['sign'])
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial(),
    subject: 'CN=skerry-server',
    issuer: issuer.subject,
    ...validity(nowMs, SERVER_MS),
    signingAlgorithm: ALGORITHM,
    publicKey: keys.publicKey,
    signingKey,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((name) => ({ type: isIP(name) === 0 ? 'dns' : 'ip', value: name }))),
      await AuthorityKeyIdentifierExtension.create(issuer),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  const { pem, keyPem } = await writePair(folder, 'server', certificate, keys.privateKey)
  return { certPem: pem, keyPem }
}

function validity(nowMs: number, forMs: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return { notBefore: new Date(nowMs - CLOCK_SKEW_MS), notAfter: new Date(nowMs + forMs) }
}

/** positive and never twice */
function serial(): string {
  return `01${randomBytes(15).toString('hex')}`
}

function isUsable(cert: NodeCertificate, nowMs: number): boolean {
  return Date.parse(cert.validTo) - RENEW_BEFORE_MS > nowMs && Date.parse(cert.validFrom) <= nowMs
}

function covers(cert: NodeCertificate, names: readonly string[]): boolean {
  return names.every((name) => (isIP(name) === 0 ? cert.checkHost(name) : cert.checkIP(name)) !== undefined)
}

/** null when a file is missing or the two do not fit together */
async function readPair(folder: string, name: string): Promise<Pair | null> {
  try {
    const [pem, keyPem] = await Promise.all([readFile(join(folder, `${name}.crt`), 'utf8'), readFile(join(folder, `${name}.key`), 'utf8')])
    const cert = new NodeCertificate(pem)
    return cert.checkPrivateKey(createPrivateKey(keyPem)) ? { pem, keyPem, cert } : null
  } catch {
    return null
  }
}

async function writePair(folder: string, name: string, certificate: X509Certificate, key: webcrypto.CryptoKey): Promise<Pair> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key))
  const keyPem = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' }).export({ type: 'pkcs8', format: 'pem' }).toString()
  const pem = `${certificate.toString('pem')}\n`
  await replaceFile(join(folder, `${name}.key`), keyPem, 0o600)
  await replaceFile(join(folder, `${name}.crt`), pem, 0o644)
  return { pem, keyPem, cert: new NodeCertificate(pem) }
}

async function replaceFile(path: string, text: string, mode: number): Promise<void> {
  const file = await open(`${path}.new`, 'w', mode)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.new`, path)
}
