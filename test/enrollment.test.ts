/** Who is let in with the key of a fleet, and under which name; and what a board says of itself. */
import { createHash } from 'node:crypto'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { AGAIN_ANNOTATION, CLAIM_ANNOTATION, deviceNameOf, identityOf, judge, labelsOf } from '../cloud/core/enrollment.ts'
import type { EnrollmentKey } from '../cloud/core/enrollment.ts'
import type { KubeObject } from '../cloud/resources/object.ts'
import { boardIdentity } from '../edge-agent/board-identity.ts'
import { enroll } from '../edge-agent/enroll.ts'
import { readEnrollFile, readJoinFile } from '../edge-agent/join-file.ts'
import type { EnrollFile } from '../protocol/enroll.ts'
import { LIMITS } from '../protocol/limits.ts'
import { call, startApiServer } from './fakes/api-server.ts'
import type { TestServer } from './fakes/api-server.ts'

const KEY: EnrollmentKey = {
  id: 'abcdef',
  token: 'abcdef.0123456789abcdef',
  expiresMs: 1_000,
  max: 2,
  used: 0,
  prefix: 'gw',
  labels: { site: 'kassel' },
}

describe('the name of a device', () => {
  it.each([
    [{ serial: '10000000abcd1234' }, 'serial 10000000abcd1234', 'gw-10000000abcd1234'],
    [{ serial: 'ABC 12/34' }, 'serial ABC 12/34', 'gw-abc-12-34'],
    [{ serial: 'To be filled by O.E.M.', mac: 'dc:a6:32:01:02:03' }, 'mac dc:a6:32:01:02:03', 'gw-dca632010203'],
    [{ serial: 'Default string', mac: 'dc:a6:32:01:02:03' }, 'mac dc:a6:32:01:02:03', 'gw-dca632010203'],
    [{ serial: '0000000000000000', mac: 'dc:a6:32:01:02:03' }, 'mac dc:a6:32:01:02:03', 'gw-dca632010203'],
    [{ serial: 'x'.repeat(3) }, null, null],
    [{ serial: '株式会社' }, null, null],
    [{}, null, null],
  ])('of %j', (facts, identity, name) => {
    expect(identityOf(facts)).toBe(identity)
    if (identity !== null) expect(deviceNameOf('gw', identity)).toBe(name)
  })

  it('may have no prefix, and is never too long', () => {
    expect(deviceNameOf('', 'serial 7000-1')).toBe('7000-1')
    expect(deviceNameOf('gw', `serial ${'7'.repeat(100)}`)).toHaveLength(LIMITS.deviceIdLength.value)
  })
})

describe('a device that asks', () => {
  const asks = { device: 'gw-1', identity: 'serial 1' }
  const node = (annotations: Readonly<Record<string, string>>): KubeObject => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'gw-1', annotations },
  })
  it.each<readonly [string, Partial<EnrollmentKey>, KubeObject | null, number, unknown]>([
    ['is new', {}, null, 0, 'new'],
    ['comes too late', {}, null, 1_000, { code: 'enroll.key.ended', facts: { when: '1970-01-01T00:00' } }],
    ['is one too many', { used: 2 }, null, 0, { code: 'enroll.key.full', facts: { used: '2', max: '2' } }],
    ['has the name of another one', {}, node({}), 0, { code: 'enroll.device.known' }],
    ['did not get its answer, and asks again when the key has ended', { used: 2 }, node({ [CLAIM_ANNOTATION]: 'mine' }), 2_000, 'same'],
    ['was flashed anew, and somebody said that it may', {}, node({ [CLAIM_ANNOTATION]: 'old', [AGAIN_ANNOTATION]: 'true' }), 0, 'again'],
    ['was flashed anew, and nobody said so', {}, node({ [CLAIM_ANNOTATION]: 'old' }), 0, { code: 'enroll.device.known' }],
  ])('%s', (_what, more, there, nowMs, verdict) => {
    const told = judge({ ...KEY, ...more }, asks, 'mine', there, nowMs)
    if (typeof verdict === 'string') expect(told).toBe(verdict)
    else expect(told).toMatchObject(verdict as object)
  })

  it('reads labels as kubectl writes them', () => {
    expect(labelsOf('site=kassel, line=2')).toEqual({ site: 'kassel', line: '2' })
    expect(labelsOf('')).toEqual({})
  })
})

describe('a board', () => {
  const root = mkdtempSync(path.join(tmpdir(), 'skerry-board-'))
  afterAll(() => rmSync(root, { recursive: true }))
  const put = (file: string, text: string): void => {
    mkdirSync(path.dirname(path.join(root, file)), { recursive: true })
    writeFileSync(path.join(root, file), text)
  }
  const card = (name: string, address: string, index: number, { hardware = true, given = '0' } = {}): void => {
    put(`sys/class/net/${name}/address`, `${address}\n`)
    put(`sys/class/net/${name}/type`, '1\n')
    put(`sys/class/net/${name}/addr_assign_type`, `${given}\n`)
    put(`sys/class/net/${name}/ifindex`, `${index}\n`)
    if (hardware) put(`sys/class/net/${name}/device/vendor`, '0x1\n')
  }

  it('says nothing where it has nothing', () => {
    expect(boardIdentity(root)).toEqual({})
  })

  it('has its serial number from the device tree, and the address of its first real card', () => {
    put('proc/device-tree/serial-number', '10000000abcd1234\0')
    put('sys/class/dmi/id/product_serial', 'other\n')
    card('docker0', '02:42:00:00:00:01', 1, { hardware: false })
    card('eth1', 'DC:A6:32:01:02:04', 4)
    card('eth0', 'DC:A6:32:01:02:03', 3)
    card('wlan0', 'ce:5d:04:87:e4:10', 2, { given: '1' })
    expect(boardIdentity(root)).toEqual({ serial: '10000000abcd1234', mac: 'dc:a6:32:01:02:03' })
  })
})

describe('over the API', () => {
  let server: TestServer
  const dir = mkdtempSync(path.join(tmpdir(), 'skerry-enroll-'))
  beforeAll(async () => {
    server = await startApiServer()
  })
  afterAll(async () => {
    await server.close()
    rmSync(dir, { recursive: true })
  })
  const KEYS = '/skerry/v1/enroll-keys'
  const makeKey = async (query: string): Promise<{ readonly file: EnrollFile; readonly key: { readonly id: string } }> => {
    const answer = await call(server, 'POST', `${KEYS}${query}`)
    expect(answer.code).toBe(201)
    return answer.json() as { readonly file: EnrollFile; readonly key: { readonly id: string } }
  }
  const ask = (token: string, body: unknown) => call(server, 'POST', '/skerry/v1/enroll', { token, body })
  const claim = (digit: string): string => digit.repeat(32)

  it('makes keys for administrators only, and says what is wrong with a wish', async () => {
    expect((await call(server, 'POST', KEYS, { token: null })).code).toBe(401)
    for (const [query, says] of [
      ['?max=0', /max "0": a whole number from 1 to/],
      ['?hours=soon', /hours "soon"/],
      ['?prefix=GW_', /prefix "GW_"/],
      ['?labels=site', /labels "site": write key=value/],
      ['?labels=site%3D%2F%2F', /labels: /],
    ] as const) {
      const answer = await call(server, 'POST', `${KEYS}${query}`)
      expect([answer.code, (answer.json() as { readonly message: string }).message]).toEqual([400, expect.stringMatching(says)])
    }
  })

  it('lets in as many as it says, each once, with the labels of the fleet; also those that ask at once', async () => {
    const { file, key } = await makeKey('?max=2&prefix=line&labels=site%3Dkassel')
    const { token } = file.enroll
    const answers = await Promise.all(['7001', '7002', '7003'].map((serial, at) => ask(token, { claim: claim(String(at)), serial })))
    expect(answers.map(({ code }) => code)).toEqual([201, 201, 403])
    expect(answers[0]?.json()).toEqual({ device: 'line-7001' })
    expect(JSON.stringify(answers[2]?.json())).toMatch(
      /has let in 2 devices, and is good for 2. Make a new file: skerry enroll --max N. \(enroll.key.full\)/,
    )
    const node = (await call(server, 'GET', '/api/v1/nodes/line-7001')).json() as KubeObject
    expect(node.metadata).toMatchObject({
      labels: { site: 'kassel', 'kubernetes.io/hostname': 'line-7001' },
      annotations: {
        'skerry.dev/enrolled-with': key.id,
        'skerry.dev/enroll-identity': 'serial 7001',
        'skerry.dev/enroll-claim': createHash('sha256').update(claim('0')).digest('hex'),
      },
    })
    // the answer got lost
    expect((await ask(token, { claim: claim('0'), serial: '7001' })).json()).toEqual({ device: 'line-7001' })
    // somebody else with the same number
    expect((await ask(token, { claim: claim('9'), serial: '7001' })).code).toBe(403)
    expect((await ask(token, { claim: 'short', serial: '7001' })).code).toBe(400)
    expect((await ask(`${key.id}.aaaaaaaaaaaaaaaa`, { claim: claim('5'), serial: '7005' })).code).toBe(401)
    expect((await ask('not-a-key', { claim: claim('5'), serial: '7005' })).code).toBe(401)
    // a key is a Secret: without it nobody is let in
    expect((await call(server, 'DELETE', `/api/v1/namespaces/kube-system/secrets/bootstrap-token-${key.id}`)).code).toBe(200)
    expect(JSON.stringify((await ask(token, { claim: claim('0'), serial: '7001' })).json())).toContain('enroll.key.unknown')
  })

  it('is told to the audit log: who made a key or a join file, and whom a key let in', async () => {
    const { file, key } = await makeKey('?prefix=told')
    await ask(file.enroll.token, { claim: claim('6'), serial: '7006' })
    await call(server, 'POST', '/skerry/v1/join/told-7')
    const told = (): readonly string[] =>
      server.acts.map(({ who, verb, resource, namespace, name, status }) => [who, verb, resource, namespace, name, status].join(' '))
    await expect
      .poll(told, { timeout: 30_000 })
      .toEqual(
        expect.arrayContaining([
          `admin create secrets kube-system bootstrap-token-${key.id} 201`,
          `system:bootstrap:${key.id} enroll nodes  told-7006 201`,
          'admin join nodes  told-7 201',
        ]),
      )
    expect(JSON.stringify(server.acts)).not.toContain(file.enroll.token.slice(7))
  })

  it('is done by the agent, whose key becomes its join file only when it is one', async () => {
    const { file } = await makeKey('')
    const at = { enroll: { ...file.enroll, url: `http://127.0.0.1:${server.port}` } }
    const joinFile = path.join(dir, 'join.json')
    writeFileSync(joinFile, JSON.stringify(at))
    expect(readEnrollFile(joinFile)).toEqual(at)
    expect(() => readJoinFile(joinFile)).toThrow(/holds the key of a fleet/)
    const root = path.join(dir, 'root')
    mkdirSync(path.join(root, 'proc/device-tree'), { recursive: true })
    writeFileSync(path.join(root, 'proc/device-tree/serial-number'), '8001\0')
    const place = { stateDir: path.join(dir, 'state'), joinFile, hardwareRoot: root }
    // the API of this test gives what is no join file
    await expect(enroll(at, place)).rejects.toThrow(/sent what is no join file/)
    expect(readEnrollFile(joinFile)).toEqual(at)
    const kept = readFileSync(path.join(place.stateDir, 'enroll-claim'), 'utf8')
    expect(statSync(path.join(place.stateDir, 'enroll-claim')).mode & 0o777).toBe(0o600)
    const join = { device: 'gw-8001', tenant: 'default', broker: 'mqtts://cloud:8883', password: 'p', trustedKeys: [] }
    const whole = createServer((_request, response) => response.writeHead(201).end(JSON.stringify(join)))
    await new Promise<void>((resolve) => whole.listen(0, '127.0.0.1', resolve))
    const other = { enroll: { ...at.enroll, url: `http://127.0.0.1:${(whole.address() as AddressInfo).port}` } }
    expect(await enroll(other, place)).toBe('gw-8001')
    whole.close()
    expect(readFileSync(path.join(place.stateDir, 'enroll-claim'), 'utf8')).toBe(kept)
    expect(readJoinFile(joinFile).device).toBe('gw-8001')
    expect(statSync(joinFile).mode & 0o777).toBe(0o600)
    await expect(enroll({ enroll: { ...at.enroll, token: 'aaaaaa.aaaaaaaaaaaaaaaa' } }, place)).rejects.toThrow(/enroll.key.unknown/)
  })
})
