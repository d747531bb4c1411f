/** What a quiet link costs and notices: the pace by class, what is learned of the way, and a whole day on a virtual clock. */
import { describe, expect, it } from 'vitest'
import { linkIssues, linkWish } from '../cloud/resources/link-rules.ts'
import { LINK_CLASS_ANNOTATION, KEEPALIVE_ANNOTATION } from '../cloud/resources/link-rules.ts'
import { linkPace, QUICK_PACE } from '../edge-agent/core/link-pace.ts'
import type { LinkPace } from '../edge-agent/core/link-pace.ts'
import { Heartbeat } from '../edge-agent/link/heartbeat.ts'
import { presence } from '../edge-agent/link/client-options.ts'
import { TrafficCounter } from '../edge-agent/link/traffic-counter.ts'
import { keepPace, linkOwn } from '../edge-agent/keep-pace.ts'
import { desiredDigest, DESIRED_STATE } from '../protocol/desired-state.ts'
import { LIMITS } from '../protocol/limits.ts'
import { parse } from '../protocol/shape.ts'
import { Agent, saved } from './agent-harness.ts'
import { desiredOf, found, pod, smallDevice } from './agent-world.ts'
import { FakeClock } from './fakes/clock.ts'

const DAY_MS = 86_400_000
const NOTHING = { desired: null, inventory: null }
const METERED = linkPace({ ...NOTHING, linkOwn: { class: 'metered' } })
const cellular = { ...smallDevice(), networkClass: 'cellular' as const }

describe('the pace of a link', () => {
  it('is quick unless the link is metered, and a modem is', () => {
    expect(linkPace(NOTHING)).toEqual(QUICK_PACE)
    expect(linkPace({ desired: null, inventory: { ...smallDevice(), networkClass: 'wifi' } })).toEqual(QUICK_PACE)
    expect(linkPace({ desired: null, inventory: cellular })).toEqual(METERED)
    expect(METERED).toMatchObject({ class: 'metered', keepaliveS: 1_200 })
  })

  it('is what the operator says, else what the owner of the device says, else what it is connected with', () => {
    const desired = { ...desiredOf([]), link: { class: 'unmetered' as const } }
    expect(linkPace({ desired, inventory: cellular, linkOwn: { class: 'metered' } })).toEqual(QUICK_PACE)
    expect(linkPace({ desired: null, inventory: cellular, linkOwn: { class: 'unmetered', keepaliveSeconds: 300 } }).keepaliveS).toBe(300)
    const join = { device: 'gw-1', tenant: 'default', broker: 'mqtts://x', trustedKeys: [] }
    expect(linkOwn({ ...join, dataBudget: { dayBytes: 1e6 } })).toEqual({ linkOwn: { class: 'metered' } })
    expect(linkOwn({ ...join, dataBudget: { dayBytes: 1e6 }, link: { class: 'unmetered' } })).toEqual({ linkOwn: { class: 'unmetered' } })
    expect(linkOwn(join)).toEqual({})
  })

  it('stays quick where work must stop when the device is alone', () => {
    const desired = desiredOf([{ ...pod({ uid: 'u1' }), policy: { stopAfterSeconds: 600 } }])
    expect(linkPace({ desired, inventory: cellular }).keepaliveS).toBe(QUICK_PACE.keepaliveS)
    expect(linkPace({ desired: { ...desired, link: { keepaliveSeconds: 20 } }, inventory: cellular }).keepaliveS).toBe(20)
  })

  it('is left alone when the clock is set, and the cloud is tried at once, unless the clock keeps jumping', () => {
    const said: string[] = []
    const kept = keepPace({ pace: () => said.push('pace'), tryNow: () => said.push('now') })
    const agent = new Agent(saved([]))
    const states = [agent.state]
    for (let jump = 0; jump < 5; jump += 1) {
      agent.wallAheadMs += 3_600_000
      agent.after(1_000).send({ kind: 'tick' })
      states.push(agent.state)
      agent.after(1_000).send({ kind: 'tick' })
      states.push(agent.state)
    }
    states.slice(1).forEach((after, index) => kept.changed(states[index] ?? after, after))
    expect(said).toEqual(Array.from({ length: LIMITS.clockUnsteadyJumps.value - 1 }, () => 'now'))
  })

  it('comes from the Node, and a wish that makes no sense is refused by name', () => {
    const node = (annotations: Readonly<Record<string, string>>) => ({ apiVersion: 'v1', kind: 'Node', metadata: { name: 'gw-1', annotations } })
    const both = node({ [LINK_CLASS_ANNOTATION]: 'metered', [KEEPALIVE_ANNOTATION]: '600' })
    expect(linkWish(both)).toEqual({ class: 'metered', keepaliveSeconds: 600 })
    expect(linkIssues(both)).toEqual([])
    expect(linkWish(node({}))).toBeNull()
    for (const [key, value] of [
      [LINK_CLASS_ANNOTATION, 'slow'],
      [KEEPALIVE_ANNOTATION, '5'],
      [KEEPALIVE_ANNOTATION, '20m'],
    ] as const) {
      const wrong = node({ [key]: value })
      expect(linkIssues(wrong).map(({ path }) => path)).toEqual([`metadata.annotations["${key}"]`])
      expect(linkWish(wrong)).toBeNull()
    }
    const link = { class: 'metered' as const }
    const document = { ...desiredOf([]), link, digest: desiredDigest([], { link }) }
    expect(parse(DESIRED_STATE, document)).toMatchObject({ ok: true, value: { link } })
    expect(document.digest).not.toBe(desiredDigest([]))
  })
})

/** A connection whose way forgets it after `forgetsMs` without a word; it comes back at once. */
function quietDays(pace: LinkPace, days: number, forgetsMs = Infinity) {
  const clock = new FakeClock()
  const traffic = new TrafficCounter(true)
  const heartbeat = new Heartbeat(clock)
  const asks: { readonly what: 'ping' | 'beat'; readonly gapMs: number }[] = []
  let lastMs = clock.now().monoMs
  let connections = 0
  const asked = (what: 'ping' | 'beat', count: () => void): void => {
    const now = clock.now().monoMs
    asks.push({ what, gapMs: now - lastMs })
    const alive = now - lastMs < forgetsMs
    lastMs = now
    if (!alive) return
    count()
    heartbeat.answered()
  }
  const up = (): void => {
    connections += 1
    traffic.connect()
    lastMs = clock.now().monoMs
    heartbeat.begin(pace, {
      ping: () => asked('ping', () => traffic.ping()),
      beat: () =>
        asked('beat', () =>
          traffic.up(
            'skerry/v1/default/gw-1/presence',
            presence({ device: 'gw-1', sid: 'x'.repeat(36) }, 'on', { quietS: 10_800, seq: 12 }).byteLength,
          ),
        ),
      lost: () => {
        heartbeat.end()
        clock.at(clock.now().monoMs + 500, up)
      },
    })
  }
  up()
  const bytes = (): number => Object.values(traffic.read()).reduce((sum, row) => sum + row.up + row.down, 0)
  return { clock, asks, bytes, connections: () => connections, advance: () => clock.advance(days * DAY_MS) }
}

/** Reports that leave in days in which nothing happens, and what they cost. */
function reportsOf(days: number, change: Partial<Agent['state']> = {}): { readonly count: number; readonly bytes: number } {
  const pods = Array.from({ length: 10 }, (_, index) => pod({ uid: `u${index}` }))
  const agent = new Agent(saved(pods))
  agent.state = { ...agent.state, ...change }
  const traffic = new TrafficCounter(true)
  let count = 0
  const send = (effects: readonly { readonly kind: string; readonly report?: unknown }[]): void => {
    for (const { kind, report } of effects)
      if (kind === 'publish-status') {
        count += 1
        traffic.up('skerry/v1/default/gw-1/status', JSON.stringify(report).length)
      }
  }
  const look = (): void => send(agent.observe(...pods.map(({ uid }) => found({ pod: uid }))))
  look()
  agent.after(2_000).send({ kind: 'tick' })
  count = 0
  const before = traffic.read()['status'] ?? { up: 0, down: 0 }
  for (let ms = 0; ms < days * DAY_MS; ms += days * 300_000) {
    send(agent.after(days * 300_000).send({ kind: 'tick' }))
    if (agent.state.observing) look()
  }
  const { up, down } = traffic.read()['status'] ?? before
  return { count, bytes: up + down - before.up - before.down }
}

describe('an idle day', () => {
  it('costs a metered link at most 25 KB, headers of TLS, TCP and IP included', async () => {
    const day = quietDays(METERED, 1)
    await day.advance()
    const first = day.bytes()
    await day.advance()
    const reports = reportsOf(9, { linkOwn: { class: 'metered' } })
    expect(day.connections()).toBe(1)
    expect(reports.count).toBeLessThanOrEqual(4)
    expect(reports.count).toBeGreaterThan(0)
    expect(day.asks.filter(({ what }) => what === 'beat').length).toBeGreaterThanOrEqual(22)
    expect(Math.max(...day.asks.map(({ gapMs }) => gapMs))).toBeLessThan(LIMITS.mqttKeepaliveMeteredS.value * 1_000)
    expect(day.bytes() - first + reports.bytes / 9).toBeLessThanOrEqual(25_000)
  })

  it('costs a free link its quick pings, a sign of life every quarter of an hour, and a whole report a few times', async () => {
    const day = quietDays(QUICK_PACE, 1)
    await day.advance()
    expect(day.asks.length).toBeGreaterThan(1_900)
    const beats = day.asks.filter(({ what }) => what === 'beat').length
    expect(beats).toBeGreaterThanOrEqual(DAY_MS / LIMITS.nodeQuietMs.value)
    const reports = reportsOf(1)
    expect(reports.count).toBeGreaterThanOrEqual(4)
    expect(day.bytes() + reports.bytes).toBeLessThanOrEqual(450_000)
  })

  it('asks soon after something was said, then ever more seldom', async () => {
    const day = quietDays(METERED, 0.1)
    await day.advance()
    const gaps = day.asks.slice(0, 5).map(({ gapMs }) => Math.round(gapMs / 1_000))
    expect(gaps).toEqual([44, 131, 393, 1_164, 1_164])
  })

  it('learns how long the way remembers a quiet connection, and loses no other one for it', async () => {
    const day = quietDays(METERED, 6, 300_000)
    await day.advance()
    // the first, and two that a gap of 393 s cost
    expect(day.connections()).toBe(3)
    expect(Math.max(...day.asks.slice(-100).map(({ gapMs }) => gapMs))).toBeLessThan(300_000)
  })

  it('takes one loss for an accident', async () => {
    const day = quietDays(METERED, 1, 1_164_000)
    await day.clock.advance(1_900_000)
    expect(day.connections()).toBe(2)
    await day.clock.advance(800_000)
    expect(day.asks.at(-1)?.gapMs).toBeLessThan(1_164_000)
  })
})

describe('a heartbeat', () => {
  it('says that the link is lost when a ping is not answered, and asks nothing after its end', async () => {
    const clock = new FakeClock()
    const heartbeat = new Heartbeat(clock)
    const lost: string[] = []
    let pings = 0
    heartbeat.begin(QUICK_PACE, { ping: () => void (pings += 1), beat: () => undefined, lost: (why) => lost.push(why) })
    await clock.advance(QUICK_PACE.keepaliveS * 1_500)
    expect(pings).toBe(1)
    expect(lost).toEqual(['no answer to a ping within 22 s'])
    heartbeat.end()
    await clock.advance(DAY_MS)
    expect(pings).toBe(1)
    expect(clock.waiting).toBe(0)
  })

  it('is put off by what the broker says, not by what is asked of it', async () => {
    const clock = new FakeClock()
    const heartbeat = new Heartbeat(clock)
    let pings = 0
    heartbeat.begin(QUICK_PACE, {
      ping: () => {
        pings += 1
        heartbeat.answered()
      },
      beat: () => undefined,
      lost: () => undefined,
    })
    for (let second = 0; second < 600; second += 30) {
      await clock.advance(30_000)
      heartbeat.heard()
    }
    expect(pings).toBe(0)
    await clock.advance(60_000)
    expect(pings).toBe(1)
  })
})
