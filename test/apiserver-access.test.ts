/** Tokens, certificates and the kubeconfig: made once, kept private, renewed when they must be. */
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { parse } from 'yaml'
import { tokenFile } from '../cloud/apiserver/auth.ts'
import { serverCertificate } from '../cloud/apiserver/certificate.ts'
import { writeKubeconfig } from '../cloud/apiserver/kubeconfig.ts'

const DAY = 86_400_000
const NOW = Date.parse('2026-06-01T00:00:00Z')
const NAMES = ['127.0.0.1', '::1', 'localhost', 'skerry.example']

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'skerry-access-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const modeOf = (path: string): string => (statSync(path).mode & 0o777).toString(8)

it('the admin token is made once, for the owner only', async () => {
  const path = join(folder, 'deep', 'admin.token')
  const token = await tokenFile(path)
  expect(token).toMatch(/^[\w-]{43}$/)
  expect(await tokenFile(path)).toBe(token)
  expect(modeOf(path)).toBe('600')
  writeFileSync(path, 'short\n')
  await expect(tokenFile(path)).rejects.toThrow(/does not hold a token/)
})

it('the certificate names every address, is signed by its authority, and its keys are private', async () => {
  const made = await serverCertificate(folder, NAMES, NOW)
  const cert = new X509Certificate(made.certPem)
  expect([cert.checkIP('127.0.0.1'), cert.checkIP('::1')]).toEqual(['127.0.0.1', '::1'])
  expect([cert.checkHost('skerry.example'), cert.checkHost('other')]).toEqual(['skerry.example', undefined])
  expect(cert.verify(new X509Certificate(made.caPem).publicKey)).toBe(true)
  expect([new X509Certificate(made.caPem).ca, cert.ca]).toEqual([true, false])
  expect([modeOf(join(folder, 'ca.key')), modeOf(join(folder, 'server.key'))]).toEqual(['600', '600'])
  expect(await serverCertificate(folder, NAMES, NOW + 300 * DAY)).toEqual(made)
})

it('is renewed before it ends, for a new address, and when half of it is lost; the authority stays', async () => {
  const made = await serverCertificate(folder, NAMES, NOW)
  const later = await serverCertificate(folder, NAMES, NOW + 340 * DAY)
  expect([later.caPem === made.caPem, later.certPem === made.certPem]).toEqual([true, false])
  const moved = await serverCertificate(folder, [...NAMES, '10.0.0.9'], NOW + 340 * DAY)
  expect([moved.caPem === made.caPem, new X509Certificate(moved.certPem).checkIP('10.0.0.9')]).toEqual([true, '10.0.0.9'])
  writeFileSync(join(folder, 'server.key'), later.keyPem)
  const repaired = await serverCertificate(folder, NAMES, NOW + 340 * DAY)
  expect(new X509Certificate(repaired.certPem).checkHost('localhost')).toBe('localhost')
  expect([repaired.caPem === made.caPem, repaired.certPem === moved.certPem]).toEqual([true, false])
  const decade = await serverCertificate(folder, NAMES, NOW + 3700 * DAY)
  expect(decade.caPem).not.toBe(made.caPem)
  expect(new X509Certificate(decade.certPem).verify(new X509Certificate(decade.caPem).publicKey)).toBe(true)
})

it('the kubeconfig carries token and authority, for the owner only', async () => {
  const path = join(folder, 'kubeconfig')
  writeFileSync(path, 'old', { mode: 0o644 })
  await writeKubeconfig(path, { server: 'https://127.0.0.1:6443', token: 'secret', caPem: 'PEM' })
  expect(modeOf(path)).toBe('600')
  expect(parse(readFileSync(path, 'utf8'))).toMatchObject({
    'current-context': 'skerry',
    clusters: [{ cluster: { server: 'https://127.0.0.1:6443', 'certificate-authority-data': Buffer.from('PEM').toString('base64') } }],
    users: [{ user: { token: 'secret' } }],
  })
})
