/** The agent's link against a real Mosquitto: what the broker holds in the end is what counts. */
import { spawn, spawnSync } from 'node:child_process'
import { generateKeyPairSync } from 'node:crypto'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Aedes } from 'aedes'
import { connect } from 'mqtt'
import { afterEach, describe, expect, it } from 'vitest'
import { QUICK_PACE } from '../../edge-agent/core/link-pace.ts'
import type { LinkPace } from '../../edge-agent/core/link-pace.ts'
import type { LinkState } from '../../edge-agent/core/state.ts'
import { clientOptions } from '../../edge-agent/link/client-options.ts'
import { createMqttLink } from '../../edge-agent/link/mqtt-link.ts'
import { desiredDigest } from '../../protocol/desired-state.ts'
import { keyId, seal } from '../../protocol/envelope.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import { topicOf } from '../../protocol/topics.ts'
import type { Channel } from '../../protocol/topics.ts'
import { realClock, realRandom } from '../fakes/real-time.ts'
import { end, observe, startBroker, startProxy, until } from './mosquitto.ts'
import type { Cleanup } from './mosquitto.ts'

const missing = spawnSync('mosquitto', ['-h']).error === undefined ? null : 'needs mosquitto (Debian package mosquitto)'
if (missing !== null) console.warn(`agent link: NOT RUN: ${missing}`)

const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const pair = generateKeyPairSync('ed25519')
const publicPem = pair.publicKey.export({ type: 'spki', format: 'pem' }).toString()
const key = { kid: keyId(publicPem), privatePem: pair.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() }
const trusted = [{ kid: key.kid, publicPem }]
const topic = (channel: Channel): string => topicOf('default', 'gw-1', channel)

const cleanups: (() => void | Promise<void>)[] = []
const cleanup: Cleanup = (step) => void cleanups.push(step)
afterEach(async () => {
  for (const step of cleanups.splice(0).reverse()) await step()
})

describe.skipIf(missing !== null)('the link', () => {
  it('brings the retained desired state and says presence, hello and the last values', async () => {
    const { url } = await startBroker(cleanup)
    const cloud = await observe(url, cleanup)
    cloud.client.publish(topic('desired'), Buffer.from(seal('desired', 'gw-1', desired(3), key)), { qos: 1, retain: true })
    await until(() => cloud.last('desired') !== null)
    const agent = startLink(url, 'sid-1')
    agent.link.publishStatus(status(1))
    agent.link.publishStatus(status(2))
    await until(() => agent.targets.length > 0)
    expect(agent.targets).toEqual([desired(3)])
    await until(() => cloud.last('status') !== null)
    expect(cloud.last('presence')).toEqual({ device: 'gw-1', sid: 'sid-1', state: 'on' })
    expect(cloud.last('hello')).toMatchObject({ device: 'gw-1', sid: 'sid-1' })
    expect(cloud.last('status')).toMatchObject({ seq: 2 })
    expect(cloud.of('status')).toHaveLength(1)
    // a late observer finds it too: it is retained
    const late = await observe(url, cleanup)
    await until(() => late.last('status') !== null && late.last('presence') !== null)
    cloud.client.publish(topic('desired'), Buffer.from('nonsense'), { qos: 1 })
    cloud.client.publish(topic('cmd'), Buffer.from(seal('cmd', 'gw-1', { ask: 'report' }, key)), { qos: 1 })
    await until(() => agent.asked() === 1)
    expect(agent.refused).toEqual(['desired.refused.unreadable'])
    await agent.link.stop()
    await until(() => JSON.stringify(cloud.last('presence')).includes('"off"'))
  })

  it('says what is newest when it comes up, and nothing older before', async () => {
    const { url } = await startBroker(cleanup)
    const cloud = await observe(url, cleanup)
    const agent = startLink(url, 'sid-1', {}, () => agent.link.publishStatus(status(2)))
    agent.link.publishStatus(status(1))
    await until(() => cloud.last('status') !== null)
    // what was said before would have come first
    expect(cloud.of('status')).toMatchObject([{ seq: 2 }])
    await agent.link.stop()
    await until(() => JSON.stringify(cloud.last('presence')).includes('"off"'))
    expect(cloud.of('status')).toHaveLength(1)
  })

  it('leaves a will when its process is killed', async () => {
    const { url } = await startBroker(cleanup)
    const cloud = await observe(url, cleanup)
    const script = path.join(import.meta.dirname, 'agent-link-child.ts')
    const child = spawn(process.execPath, ['--import', 'tsx', script, url, 'gw-1', 'sid-k'], { stdio: ['ignore', 'pipe', 'inherit'] })
    cleanup(() => end(child))
    await until(() => JSON.stringify(cloud.last('presence')).includes('"on"'))
    child.kill('SIGKILL')
    await until(() => JSON.stringify(cloud.last('presence')).includes('"off"'))
    expect(cloud.last('presence')).toEqual({ device: 'gw-1', sid: 'sid-k', state: 'off' })
  })

  it("after a take-over the old session's will names the old session", async () => {
    const { url } = await startBroker(cleanup)
    const cloud = await observe(url, cleanup)
    const old = connect(url, clientOptions({ url, tenant: 'default', device: 'gw-1', sid: 'old', trusted }, QUICK_PACE))
    old.on('error', () => undefined)
    cleanup(() => void old.end(true))
    await until(() => old.connected)
    const agent = startLink(url, 'new')
    await until(() => agent.state() === 'up')
    await until(() => cloud.of('presence').some((body) => JSON.stringify(body).includes('"off"')))
    const off = cloud.of('presence').filter((body) => JSON.stringify(body).includes('"off"'))
    expect(off).toEqual([{ device: 'gw-1', sid: 'old', state: 'off' }])
  })

  it('comes back by itself after the broker was restarted without its memory, and says everything again', async () => {
    const broker = await startBroker(cleanup)
    const agent = startLink(broker.url, 'sid-1')
    agent.link.publishStatus(status(5))
    await until(() => agent.state() === 'up')
    await broker.stop()
    await until(() => agent.state() === 'down')
    agent.link.publishStatus(status(6))
    await broker.start()
    const cloud = await observe(broker.url, cleanup)
    await until(() => cloud.last('status') !== null && cloud.last('presence') !== null)
    expect(cloud.last('status')).toMatchObject({ seq: 6 })
    expect(cloud.last('presence')).toMatchObject({ sid: 'sid-1', state: 'on' })
  })

  it('over a flapping line does not lose the last value', async () => {
    const { url, port } = await startBroker(cleanup)
    const cloud = await observe(url, cleanup)
    const proxy = await startProxy(port, cleanup)
    const agent = startLink(proxy.url, 'sid-1')
    for (let seq = 1; seq <= 300; seq += 1) {
      agent.link.publishStatus(status(seq))
      if (seq % 5 === 0) proxy.cut()
      await sleep(5)
    }
    await until(() => Number(Object(cloud.last('status')).seq) === 300)
    const sequence = cloud.of('status').map((body) => Number(Object(body).seq))
    expect(sequence).toEqual([...sequence].sort((a, b) => a - b))
  })

  it('notices a line that swallows everything', async () => {
    const { port } = await startBroker(cleanup)
    const proxy = await startProxy(port, cleanup)
    const agent = startLink(proxy.url, 'sid-1', { pace: { ...QUICK_PACE, keepaliveS: 1 } })
    await until(() => agent.state() === 'up')
    proxy.swallow(true)
    // statuses go on being published into it: that must not hide the silence
    const timer = setInterval(() => agent.link.publishStatus(status(1)), 100)
    cleanup(() => clearInterval(timer))
    await until(() => agent.state() === 'down')
    proxy.swallow(false)
    await until(() => agent.state() === 'up')
  })

  it('takes another pace with a new connection, without ever being called gone', async () => {
    const { url, port } = await startBroker(cleanup)
    const cloud = await observe(url, cleanup)
    const proxy = await startProxy(port, cleanup)
    const agent = startLink(proxy.url, 'sid-1')
    agent.link.publishStatus(status(1))
    await until(() => agent.state() === 'up' && cloud.of('status').length === 1)
    agent.link.pace({ class: 'metered', keepaliveS: 1_200, beatMs: 7_200_000, quietS: 10_800 })
    await until(() => cloud.of('hello').length === 2 && agent.state() === 'up')
    expect(cloud.of('presence')).toEqual([
      { device: 'gw-1', sid: 'sid-1', state: 'on' },
      { device: 'gw-1', sid: 'sid-1', state: 'on', quietS: 10_800 },
    ])
    expect(agent.states.map(({ kind }) => kind)).toEqual(['connecting', 'up', 'connecting', 'up'])
  })

  it('says so when the broker refuses the subscription, and goes on trying', async () => {
    const broker = await Aedes.createBroker({ authorizeSubscribe: (_client, _subscription, done) => done(null, null) })
    const server = createServer(broker.handle)
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    cleanup(() => {
      server.close()
      broker.close()
    })
    const agent = startLink(`mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, 'sid-1')
    await until(() => agent.states.filter((state) => state.kind === 'down').length >= 2)
    const down = agent.states.find((state) => state.kind === 'down')
    expect(down).toMatchObject({ why: `the broker refused the subscription to ${topic('desired')}` })
    expect(agent.states.some((state) => state.kind === 'up')).toBe(false)
  })
})

function desired(generation: number) {
  return { device: 'gw-1', epoch: 1, generation, issuedAt: '2026-01-01T00:00:00Z', digest: desiredDigest([]), pods: [] }
}

function status(seq: number): StatusReport {
  const at = '2026-01-01T00:00:00Z'
  return { device: 'gw-1', sid: 'sid-1', seq, at, agentVersion: '0', converged: true, pods: [], engine: { reachable: true }, causes: [] }
}

/** @param onUp says something newer when the link comes up, as the agent does */
function startLink(url: string, sid: string, more: { readonly pace?: LinkPace } = {}, onUp: () => void = () => undefined) {
  const states: LinkState[] = []
  const targets: unknown[] = []
  const refused: string[] = []
  let asked = 0
  // the jitter is drawn low: a test does not wait for minutes
  const random = { next: () => realRandom.next() * 0.02 }
  const link = createMqttLink({ url, tenant: 'default', device: 'gw-1', sid, trusted, ...more }, { clock: realClock, random, log })
  link.start({
    onTarget: (target) => targets.push(target),
    onTargetRefused: (cause) => refused.push(cause.code),
    onReportAsked: () => (asked += 1),
    onState: (state) => {
      states.push(state)
      if (state.kind === 'up') onUp()
    },
    hello: () => ({ device: 'gw-1', sid, agentVersion: '0', formats: [1], epoch: 0, generation: 0, digest: '' }),
  })
  cleanup(() => link.stop())
  return { link, states, targets, refused, asked: () => asked, state: () => states.at(-1)?.kind }
}
