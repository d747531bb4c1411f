/** The embedded broker over TLS: the link checks the certificate, and strangers who speak something else are counted. */
import { randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { serverCertificate } from '../../cloud/apiserver/certificate.ts'
import { brokerPassword, CLOUD_CLIENT_ID, passwordAuthenticator } from '../../cloud/mqtt/device-credentials.ts'
import { startEmbeddedBroker } from '../../cloud/mqtt/embedded-broker.ts'
import { openMqttLink } from '../../cloud/mqtt/mqtt-link.ts'
import { totalOf } from '../../edge-agent/core/data-budget.ts'
import { linkPace } from '../../edge-agent/core/link-pace.ts'
import { createMqttLink } from '../../edge-agent/link/mqtt-link.ts'
import { FakeClock } from '../fakes/clock.ts'
import { CLOCK, eventually, LOG, SECRET } from './mqtt-clients.ts'

it('serves over TLS whoever trusts its certificate, and only those connect', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'skerry-tls-'))
  const { caPem, certPem, keyPem } = await serverCertificate(folder, ['127.0.0.1'], Date.now())
  const tls = { certPem, keyPem }
  const broker = await startEmbeddedBroker({
    doors: [{ host: '127.0.0.1', port: 0, tls }],
    tenant: 'default',
    authenticate: passwordAuthenticator(SECRET),
    log: LOG,
  })
  const link = (ca?: string) =>
    openMqttLink(
      {
        broker: `mqtts://127.0.0.1:${broker.port}`,
        tenant: 'default',
        clientId: CLOUD_CLIENT_ID,
        username: CLOUD_CLIENT_ID,
        password: brokerPassword(SECRET, CLOUD_CLIENT_ID),
        ...(ca === undefined ? {} : { ca }),
      },
      { clock: CLOCK, random: { next: () => 0.1, uuid: () => '', suffix: () => '' }, log: LOG },
    )
  const trusting = link(caPem)
  await eventually(() => trusting.isConnected())
  await trusting.publishDesired('gw-1', Buffer.from('hello'))

  const doubting = link()
  const stranger = connect(broker.port, '127.0.0.1', () => stranger.write('GET / HTTP/1.1\r\n\r\n')).on('error', () => undefined)
  await eventually(() => (broker.refusals()['tls'] ?? 0) >= 2)
  expect(doubting.isConnected()).toBe(false)
  expect(trusting.isConnected()).toBe(true)

  // of another authority: whoever is here stays, and whoever comes sees the new one
  const other = await serverCertificate(path.join(folder, 'other'), ['127.0.0.1'], Date.now())
  broker.show(other)
  const refused = broker.refusals()['tls'] ?? 0
  const late = link(caPem)
  await eventually(() => (broker.refusals()['tls'] ?? 0) > refused)
  expect(trusting.isConnected()).toBe(true)
  await Promise.all([trusting.stop(), doubting.stop(), late.stop()])
  const renewed = link(other.caPem)
  await eventually(() => renewed.isConnected())
  await renewed.stop()
  stranger.destroy()
  await broker.close()
  rmSync(folder, { recursive: true })
})

it('a device whose clock or broker was put right does not wait for its next try', async () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'skerry-tls-'))
  const good = await serverCertificate(folder, ['127.0.0.1'], Date.now())
  const other = await serverCertificate(path.join(folder, 'other'), ['127.0.0.1'], Date.now())
  const doors = [{ host: '127.0.0.1', port: 0, tls: other }]
  const broker = await startEmbeddedBroker({ doors, tenant: 'default', authenticate: passwordAuthenticator(SECRET), log: LOG })
  const who = { tenant: 'default', device: 'gw-1', sid: 'sid', trusted: [], username: 'gw-1', password: brokerPassword(SECRET, 'gw-1') }
  // a clock that stands: no try comes by itself
  const deps = { clock: new FakeClock(), random: { next: () => 0.5 }, log: LOG }
  const link = createMqttLink({ ...who, url: `mqtts://127.0.0.1:${broker.port}`, ca: good.caPem }, deps)
  const states: string[] = []
  const hello = () => ({ device: 'gw-1', sid: 'sid', agentVersion: '0', formats: [1], epoch: 0, generation: 0, digest: '' })
  const nothing = (): void => undefined
  link.start({ onTarget: nothing, onTargetRefused: nothing, onReportAsked: nothing, hello, onState: ({ kind }) => states.push(kind) })
  await eventually(() => states.at(-1) === 'down')
  broker.show(good)
  link.tryNow()
  await eventually(() => states.at(-1) === 'up')
  link.tryNow()
  await sleep(50)
  expect(states).toEqual(['connecting', 'down', 'connecting', 'up'])
  await link.stop()
  await broker.close()
  rmSync(folder, { recursive: true })
})

describe('an idle day over TLS', () => {
  it('is within 25 KB on a metered link, and the traffic that the agent counts is that of the wire', async () => {
    const folder = mkdtempSync(path.join(tmpdir(), 'skerry-tls-'))
    const { caPem, certPem, keyPem } = await serverCertificate(folder, ['127.0.0.1'], Date.now())
    const authenticate = passwordAuthenticator(SECRET)
    const broker = await startEmbeddedBroker({
      doors: [{ host: '127.0.0.1', port: 0, tls: { certPem, keyPem } }],
      tenant: 'default',
      authenticate,
      log: LOG,
    })
    const wire = await meteredProxy(broker.port)
    const clock = new FakeClock()
    const pace = linkPace({ desired: null, inventory: null, linkOwn: { class: 'metered' } })
    const who = { tenant: 'default', device: 'gw-1', sid: randomUUID(), trusted: [] }
    const secure = { url: `mqtts://127.0.0.1:${wire.port}`, ca: caPem, username: 'gw-1', password: brokerPassword(SECRET, 'gw-1') }
    const link = createMqttLink({ ...who, ...secure, pace }, { clock, random: { next: () => 0 }, log: LOG })
    const states: string[] = []
    const hello = () => ({ device: 'gw-1', sid: who.sid, agentVersion: '0', formats: [1], epoch: 0, generation: 0, digest: '' })
    link.start({
      onTarget: () => undefined,
      onTargetRefused: () => undefined,
      onReportAsked: () => undefined,
      hello,
      onState: ({ kind }) => states.push(kind),
    })
    await eventually(() => states.at(-1) === 'up')
    await wire.quiet()
    const [bytes, counted] = [wire.bytes(), totalOf(link.traffic())]
    // to each next ping, and on when all of it was answered
    for (let day = 0; day < 86_400_000;) {
      const before = wire.bytes()
      for (; wire.bytes() === before && day < 86_400_000; day += 5_000) await clock.advance(5_000)
      await wire.quiet()
    }
    expect(states).toEqual(['connecting', 'up'])
    const spent = wire.bytes() - bytes
    expect(spent).toBeLessThan(22_000)
    expect(spent).toBeGreaterThan(10_000)
    expect(Math.abs(totalOf(link.traffic()) - counted - spent)).toBeLessThan(spent / 10)
    await link.stop()
    wire.close()
    await broker.close()
    rmSync(folder, { recursive: true })
  })
})

/** Counts what passes, and for each piece the headers of TCP and IP: its own, and those of an acknowledgement for every second one. */
async function meteredProxy(port: number) {
  let [passed, pieces] = [0, 0]
  const server = createServer((near) => {
    const far = connect(port, '127.0.0.1')
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      from.on('data', (chunk: Buffer) => {
        passed += chunk.length
        pieces += 1
        to.write(chunk)
      })
      from.on('error', () => to.destroy()).on('close', () => to.destroy())
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const bytes = (): number => passed + pieces * 52 + Math.ceil(pieces / 2) * 52
  return {
    port: (server.address() as AddressInfo).port,
    bytes,
    close: () => server.close(),
    /** until nothing has passed for a moment */
    quiet: async () => {
      for (let before = -1; before !== bytes(); await sleep(10)) before = bytes()
    },
  }
}
