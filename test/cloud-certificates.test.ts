/** What the cloud shows over TLS: which flags ask for it, and that it follows what is renewed without ever showing a pair that does not fit. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import { serverCertificate } from '../cloud/apiserver/certificate.ts'
import { readConfig } from '../cloud/config.ts'
import type { Config } from '../cloud/config.ts'
import { brokerAuthority } from '../cloud/join-document.ts'
import { keepShown, readPairFiles } from '../cloud/shown-certificate.ts'
import type { Pair } from '../cloud/shown-certificate.ts'
import { virtualClock } from './fakes/virtual-clock.ts'

const folder = mkdtempSync(path.join(tmpdir(), 'skerry-shown-'))
afterAll(() => rmSync(folder, { recursive: true }))
const HOUR_MS = 3_600_000

function config(...flags: readonly string[]): Config {
  const result = readConfig(flags, {}, '/')
  if (result.kind !== 'run') throw new Error(result.text)
  return result.config
}

function refusal(...flags: readonly string[]): string {
  const result = readConfig(flags, {}, '/')
  return result.kind === 'wrong' ? result.text : ''
}

describe('the flags of the broker', () => {
  it('have TLS beside clear text, or in its place, and tell devices the better one', () => {
    expect(config()).toMatchObject({ mqtt: { port: 1883 }, mqtts: null, advertisedBroker: 'mqtt://127.0.0.1:1883' })
    expect(config('--mqtts', '0.0.0.0:8883')).toMatchObject({
      mqtt: { port: 1883 },
      mqtts: { port: 8883 },
      advertisedBroker: 'mqtts://127.0.0.1:8883',
    })
    expect(config('--mqtt', 'off', '--mqtts', '0.0.0.0:8883')).toMatchObject({ mqtt: null, mqtts: { port: 8883 } })
    expect(config('--mqtts', '0.0.0.0:8883', '--advertise', 'mqtts://cloud.example:443').advertisedBroker).toBe('mqtts://cloud.example:443')
  })

  it('refuse by name what cannot work', () => {
    expect(refusal('--mqtt', 'off')).toContain('--mqtts HOST:PORT')
    expect(refusal('--mqtts', 'here')).toContain('--mqtts: "here" is not HOST:PORT')
    expect(refusal('--mqtts-cert', 'c', '--mqtts-key', 'k')).toContain('need --mqtts')
    expect(refusal('--mqtts', '0.0.0.0:8883', '--mqtts-cert', 'c')).toContain('each needs the other')
    expect(refusal('--mqtts', '0.0.0.0:8883', '--mqtts-ca', 'c')).toContain('each needs the other')
  })

  it('put into join files whom a device is to trust, where its system would not', () => {
    const ca = path.join(folder, 'given-ca.pem')
    writeFileSync(ca, 'GIVEN')
    const files = ['--mqtts-cert', 'c', '--mqtts-key', 'k']
    expect(brokerAuthority(config(), 'OWN')).toEqual({})
    expect(brokerAuthority(config('--mqtts', '0.0.0.0:8883'), 'OWN')).toEqual({ ca: 'OWN' })
    expect(brokerAuthority(config('--mqtts', '0.0.0.0:8883', ...files), 'OWN')).toEqual({})
    expect(brokerAuthority(config('--mqtts', '0.0.0.0:8883', ...files, '--mqtts-ca', ca), 'OWN')).toEqual({ ca: 'GIVEN' })
    expect(brokerAuthority(config('--mqtts', '0.0.0.0:8883', '--advertise', 'mqtt://10.0.0.1:1883'), 'OWN')).toEqual({})
  })
})

describe('a certificate that is shown', () => {
  const made = async (at: string, nowMs: number): Promise<Pair> => serverCertificate(path.join(folder, at), ['localhost'], nowMs)

  it('is another one when that is there, at the next look or at once, and what cannot be read changes nothing', async () => {
    const clock = virtualClock()
    const [one, two] = [await made('one', clock.nowMs()), await made('two', clock.nowMs())]
    const said: string[] = []
    const say = (msg: string): void => void said.push(msg)
    const shown: Pair[] = []
    let next: Pair | null = one
    const read = (): Promise<Pair> => (next === null ? Promise.reject(new Error('half of a new one')) : Promise.resolve(next))
    const kept = await keepShown({ clock, log: { info: say, warn: say, error: say }, everyMs: HOUR_MS, what: 'test' }, read, (pair) =>
      shown.push(pair),
    )
    expect(kept.first).toBe(one)
    await clock.advance(2 * HOUR_MS)
    expect([shown, said]).toEqual([[], []])
    next = null
    await clock.advance(HOUR_MS)
    expect(shown).toEqual([])
    expect(said.at(-1)).toContain('the one before is shown on')
    next = two
    await clock.advance(HOUR_MS)
    expect(shown).toEqual([two])
    next = one
    await kept.look()
    expect(shown).toEqual([two, one])
    kept.stop()
    next = two
    await clock.advance(3 * HOUR_MS)
    expect(shown.length).toBe(2)
  })

  it('of this cloud is made anew before it ends, by the same authority', async () => {
    const clock = virtualClock()
    const first = await serverCertificate(path.join(folder, 'own'), ['localhost'], clock.nowMs())
    const later = await serverCertificate(path.join(folder, 'own'), ['localhost'], clock.nowMs() + 340 * 24 * HOUR_MS)
    expect(later.certPem).not.toBe(first.certPem)
    expect(later.caPem).toBe(first.caPem)
  })

  it('is taken from files only with the key that fits it', async () => {
    const [one, two] = [await made('one', Date.now()), await made('two', Date.now())]
    const files = { cert: path.join(folder, 'given.crt'), key: path.join(folder, 'given.key') }
    writeFileSync(files.cert, one.certPem)
    writeFileSync(files.key, one.keyPem)
    expect(await readPairFiles(files)).toEqual({ certPem: one.certPem, keyPem: one.keyPem })
    writeFileSync(files.cert, two.certPem)
    await expect(readPairFiles(files)).rejects.toThrow(/are not a certificate and its key/)
    writeFileSync(files.cert, 'no certificate')
    await expect(readPairFiles(files)).rejects.toThrow(/are not a certificate and its key/)
  })
})
