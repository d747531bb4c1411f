/** Readings in the cloud: what is kept of them, who asks for them, and what a device is told. */
import { describe, expect, it } from 'vitest'
import { RolloutReadings } from '../cloud/controllers/rollout-readings.ts'
import { TelemetryBook } from '../cloud/controllers/telemetry-book.ts'
import { telemetryLooks } from '../cloud/controllers/telemetry-looks.ts'
import type { DeviceLink } from '../cloud/ports.ts'
import type { Node } from '../cloud/resources/node.ts'
import { TELEMETRY_ANNOTATION, telemetryIssues, telemetrySeconds } from '../cloud/resources/telemetry-rules.ts'
import { open } from '../protocol/envelope.ts'
import { desiredDigest } from '../protocol/desired-state.ts'
import { LIMITS } from '../protocol/limits.ts'
import { parse } from '../protocol/shape.ts'
import { TELEMETRY } from '../protocol/telemetry.ts'
import type { TelemetrySample } from '../protocol/telemetry.ts'
import { FakeFleet, KEY, TRUSTED } from './fakes/fleet.ts'

const START = Date.parse('2026-03-04T10:00:00Z')
const sample = (second: number, pods: TelemetrySample['pods'] = {}): TelemetrySample => ({
  at: new Date(START + second * 1000).toISOString(),
  spanSeconds: 10,
  pods,
})
const taken = (...samples: readonly TelemetrySample[]): TelemetryBook => {
  const book = new TelemetryBook()
  for (const one of samples) book.take({ device: 'gw-1', dropped: 0, samples: [one] })
  return book
}

describe('the book of readings', () => {
  it('joins the parts of one moment, keeps their order, and takes what comes twice once', () => {
    const first = sample(0, { a: { cpuMilli: 5 } })
    const book = taken(first, sample(20), sample(10, { a: { cpuMilli: 7 } }), sample(0, { b: { pids: 2 } }), first)
    expect(book.samples('gw-1')).toEqual([sample(0, { a: { cpuMilli: 5 }, b: { pids: 2 } }), sample(10, { a: { cpuMilli: 7 } }), sample(20)])
    expect(book.samples('gw-2')).toEqual([])
  })

  it('keeps as many as the table says, of as many devices', () => {
    const book = taken(...Array.from({ length: 3 * LIMITS.telemetryKept.value }, (_, index) => sample(index * 10)))
    expect(book.samples('gw-1')).toHaveLength(LIMITS.telemetryKept.value)
    for (let index = 0; index < LIMITS.telemetryDevices.value; index += 1) book.take({ device: `other-${index}`, dropped: 3, samples: [sample(0)] })
    expect(book.samples('gw-1')).toEqual([])
    expect(book.dropped('other-7')).toBe(3)
  })

  it('does not drop for others what a gate waits for', () => {
    const readings: RolloutReadings = new RolloutReadings(
      () => [],
      () => undefined,
      0,
    )
    const book = new TelemetryBook((device) => readings.needs(device))
    const fill = (name: string): void => {
      for (let index = 0; index < LIMITS.telemetryDevices.value; index += 1)
        book.take({ device: `${name}-${index}`, dropped: 0, samples: [sample(0)] })
    }
    readings.ask('default/web-2', ['gw-1', 'gw-2'])
    for (const device of ['gw-1', 'gw-2']) book.take({ device, dropped: 0, samples: [sample(0)] })
    fill('a')
    fill('b')
    expect([book.samples('gw-1'), book.samples('gw-2'), book.samples('a-9'), book.samples('b-1')].map(({ length }) => length)).toEqual([1, 1, 0, 0])
    readings.ask('default/web-2', [])
    fill('c')
    expect(book.samples('gw-1')).toEqual([])
  })

  it('tells the CPU peak of each five minutes that are over, and forgets pods that are gone', () => {
    const minutes = (from: number, cpu: number, uid: string): readonly TelemetrySample[] =>
      Array.from({ length: 30 }, (_, index) => sample(from * 60 + index * 10, { [uid]: { cpuMilli: index === 29 ? 9_000 : cpu } }))
    const book = taken(...minutes(0, 100, 'a'), ...minutes(5, 200, 'a'), ...minutes(10, 50, 'b'))
    expect([...book.podCpu('gw-1')]).toEqual([['a', [100, 200]]])
    for (const one of minutes(15, 1, 'b')) book.take({ device: 'gw-1', dropped: 0, samples: [one] })
    expect([...book.podCpu('gw-1')]).toEqual([['b', [50]]])
  })

  it('is not broken by a device that lies about the time', () => {
    expect(taken({ at: 'yesterday, about noon', spanSeconds: 1 }, { ...sample(0), at: '9999-12-31T23:59:59Z' }).samples('gw-1')).toHaveLength(1)
  })
})

describe('a look at a device', () => {
  it('asks it by a signed command, no more often than the table says', () => {
    const asked: Uint8Array[] = []
    const link = { askTelemetry: (_device: string, message: Uint8Array) => Promise.resolve(void asked.push(message)) } as unknown as DeviceLink
    let now = 0
    const clock = { monoMs: () => now, nowMs: () => now, after: () => () => undefined }
    const log = { info: () => undefined, warn: () => undefined, error: () => undefined }
    const there = new Set(['gw-1', 'gw-2'])
    const look = telemetryLooks({ link, clock, log, signingKey: KEY, isThere: (device) => there.has(device) })
    look('gw-1')
    look('gw-1')
    look('gw-2')
    // one that could not hear it has not been asked: it is when it is there
    look('gw-3')
    expect(asked).toHaveLength(2)
    there.add('gw-3')
    look('gw-3')
    now += LIMITS.telemetryLookMs.value
    look('gw-1')
    expect(asked).toHaveLength(4)
    const [first = new Uint8Array()] = asked
    expect(open('cmd', 'gw-1', first, TRUSTED)).toMatchObject({ ok: true, body: { ask: 'telemetry', telemetry: { everySeconds: 10 } } })
  })
})

describe('a device that is to give readings always', () => {
  const node = (seconds: string): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'gw-1', annotations: { [TELEMETRY_ANNOTATION]: seconds } },
  })

  it('has a sound number of seconds', () => {
    expect(telemetrySeconds(node('60'))).toBe(60)
    for (const bad of ['9', '3601', '1e2', '', '-60', ' 60']) {
      expect(telemetrySeconds(node(bad)), bad).toBeNull()
      expect(telemetryIssues(node(bad)), bad).toMatchObject([{ kind: 'invalid', path: `metadata.annotations["${TELEMETRY_ANNOTATION}"]` }])
    }
  })

  it('is told so in its document, and documents without it keep their digest', async () => {
    expect(desiredDigest([], {})).toBe(desiredDigest([]))
    expect(desiredDigest([], { telemetry: { everySeconds: 60 } })).not.toBe(desiredDigest([]))
    const fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1')
    await fleet.edit('nodes', 'gw-1', (object) => Object.assign(object.metadata, { annotations: { [TELEMETRY_ANNOTATION]: '60' } }), '')
    await fleet.clock.advance(100)
    expect(fleet.published.at(-1)?.telemetry).toEqual({ everySeconds: 60 })
    await fleet.controllers?.stop()
  })
})

it('a message of readings of nothing is read, one of another shape is not', () => {
  expect(parse(TELEMETRY, { device: 'gw-1', dropped: 0, samples: [] }).ok).toBe(true)
  expect(parse(TELEMETRY, { device: 'gw-1', dropped: 0, samples: [{ at: 'x', spanSeconds: 0 }] }).ok).toBe(false)
})
