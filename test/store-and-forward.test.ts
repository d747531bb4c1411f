/** From a change on the device to the cloud: happenings, queue, sender, budget, and what the cloud makes of duplicates. */
import { describe, expect, it } from 'vitest'
import { allowance, dayOf, newBudget } from '../edge-agent/core/data-budget.ts'
import { happeningsOf } from '../edge-agent/core/happenings.ts'
import { TrafficCounter } from '../edge-agent/link/traffic-counter.ts'
import type { EventQueue } from '../edge-agent/ports.ts'
import { createEventSender } from '../edge-agent/runtime/send-events.ts'
import { createEventQueue } from '../edge-agent/store/event-queue.ts'
import { SegmentLog } from '../edge-agent/store/segment-log.ts'
import { EVENTS } from '../protocol/events.ts'
import type { DeviceEvents, DeviceHappening } from '../protocol/events.ts'
import { LIMITS } from '../protocol/limits.ts'
import { parse } from '../protocol/shape.ts'
import { TOPICS } from '../protocol/topics.ts'
import { seal } from '../protocol/envelope.ts'
import { FakeClock } from './fakes/clock.ts'
import { FakeDisk } from './fakes/disk.ts'
import { NOW, gateway } from './fixtures/field-state.ts'

const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined }
const event = (message: string): DeviceHappening => ({ type: 'Normal', reason: 'Tried', message, at: '2026-01-01T00:00:00Z' })
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
}

interface Rig {
  readonly clock: FakeClock
  readonly queue: EventQueue
  readonly disk: FakeDisk
}

function rig(disk = new FakeDisk()): Rig {
  const clock = new FakeClock()
  const log = new SegmentLog({ disk, dir: '/q', maxBytes: 100_000 })
  return { clock, disk, queue: createEventQueue(log, { clock, log: QUIET, onStored: () => undefined }) }
}

/** A broker that acknowledges, refuses or is away. */
class Broker {
  up = true
  readonly got: DeviceEvents[] = []
  readonly traffic = (): { readonly events: { readonly up: number; readonly down: number } } => ({ events: { up: this.bytes, down: 0 } })
  bytes = 0
  readonly publishEvents = (batch: DeviceEvents): Promise<boolean> => {
    if (!this.up) return Promise.resolve(false)
    this.got.push(batch)
    return Promise.resolve(true)
  }
}

describe('events', () => {
  it('wait on the disk without a link, also across a restart, and arrive in order', async () => {
    const first = rig()
    for (let index = 1; index <= 120; index += 1) first.queue.record(event(`e${index}`))
    await first.queue.stop()
    const second = rig(first.disk)
    const broker = new Broker()
    broker.up = false
    const sender = createEventSender({ device: 'gw-1', queue: second.queue, link: broker, clock: second.clock })
    sender.wake()
    await settle()
    expect(broker.got).toEqual([])
    broker.up = true
    sender.wake()
    await settle()
    const messages = broker.got.flatMap((batch) => batch.events.map((one) => one.event.message))
    expect(messages).toEqual(Array.from({ length: 120 }, (_, index) => `e${index + 1}`))
    expect(broker.got.every((batch) => parse(EVENTS, batch).ok && batch.events.length <= LIMITS.eventBatch.value)).toBe(true)
    expect(second.queue.stats().waiting).toBe(0)
  })

  it('are sent again when the acknowledgement was lost, with the same numbers', async () => {
    const { queue, clock } = rig()
    queue.record(event('once'))
    await queue.stop()
    const broker = new Broker()
    const lossy = { traffic: broker.traffic, publishEvents: (batch: DeviceEvents) => broker.publishEvents(batch).then(() => false) }
    createEventSender({ device: 'gw-1', queue, link: lossy, clock }).wake()
    await settle()
    createEventSender({ device: 'gw-1', queue, link: broker, clock }).wake()
    await settle()
    expect(broker.got.map((batch) => batch.events.map((one) => one.seq))).toEqual([[1], [1]])
  })

  it('a message of the longest ones fits the broker', async () => {
    const { queue } = rig()
    for (let index = 0; index < LIMITS.eventBatch.value; index += 1) queue.record(event('x'.repeat(1_024)))
    await queue.stop()
    const events = await queue.next(LIMITS.eventBatch.value)
    const bytes = seal('events', 'gw-1', { device: 'gw-1', stream: 'x', dropped: 0, events }, null)
    expect(bytes.byteLength).toBeLessThan(TOPICS.events.maxBytes)
  })

  it('cost no more memory than the table allows while the disk fails, and say how many were lost', async () => {
    const { queue, disk, clock } = rig()
    disk.failing = Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' })
    for (let index = 0; index < 1_000; index += 1) queue.record(event(`e${index}`))
    await queue.stop()
    disk.failing = null
    await clock.advance(LIMITS.storageRetryMaxMs.value)
    await queue.stop()
    await settle()
    expect(queue.stats().dropped).toBe(1_000 - 256)
    expect((await queue.next(500)).at(-1)?.event.message).toBe('e999')
  })
})

describe('the budget', () => {
  it('sends events seldom when it is spent, and says nothing of state', () => {
    const budget = newBudget('metered', 0, 1_000)
    const spent = (bytes: number) => allowance(budget, { status: { up: bytes, down: 0 } })
    expect(spent(10)).toEqual({ eventsEveryMs: 0, telemetryEveryMs: 60_000, spent: 10 })
    expect(spent(999)).toEqual({ eventsEveryMs: 0, telemetryEveryMs: 900_000, spent: 999 })
    expect(spent(1_000)).toEqual({ eventsEveryMs: 900_000, telemetryEveryMs: null, spent: 1_000 })
    expect(allowance(newBudget('unmetered', 0), { status: { up: 1e12, down: 0 } })).toMatchObject({ eventsEveryMs: 0 })
  })

  it('begins anew after 24 hours of monotonic time, however long the device slept', () => {
    const traffic = { status: { up: 5_000, down: 500 } }
    const budget = newBudget('metered', 0, 1_000)
    expect(dayOf(budget, traffic, 86_399_999)).toBe(budget)
    const next = dayOf(budget, traffic, 3.5 * 86_400_000)
    expect(next).toMatchObject({ dayBeganMonoMs: 3 * 86_400_000, spentBefore: 5_500 })
    expect(allowance(next, traffic).spent).toBe(0)
  })

  it('holds events back when it is used up, and lets them go later', async () => {
    const { queue, clock } = rig()
    const broker = new Broker()
    const sender = createEventSender({ device: 'gw-1', queue, link: broker, clock, budget: { class: 'metered', dayBytes: 100 } })
    queue.record(event('first'))
    await queue.stop()
    sender.wake()
    await settle()
    broker.bytes = 500
    queue.record(event('second'))
    await queue.stop()
    sender.wake()
    await settle()
    expect(broker.got).toHaveLength(1)
    await clock.advance(900_001)
    await settle()
    expect(broker.got).toHaveLength(2)
    sender.stop()
  })

  it('counts by channel, both ways', () => {
    const counter = new TrafficCounter(true)
    counter.up('skerry/v1/default/gw-1/status', 100)
    counter.down('skerry/v1/default/gw-1/desired', 50)
    const { status, desired } = counter.read()
    expect(status?.up).toBeGreaterThan(100)
    expect(desired?.up, 'its acknowledgement').toBeGreaterThan(0)
    expect(desired?.down).toBeGreaterThan(50)
  })
})

describe('what happened', () => {
  it('is said once, at the change', () => {
    const before = gateway({ link: { kind: 'up', sinceWallMs: 0 } })
    const down = gateway({ ...before, link: { kind: 'down', sinceWallMs: 0, why: 'no route', nextTryInMs: 1 } })
    expect(happeningsOf(before, down, NOW)).toMatchObject([{ reason: 'LinkLost', message: expect.stringContaining('no route') }])
    expect(happeningsOf(down, { ...down, hostIp: '1.2.3.4' }, NOW)).toEqual([])
    expect(happeningsOf(down, before, NOW)).toMatchObject([{ reason: 'LinkUp' }])
  })

  it('names the pod that restarted, and not what was read from disk', () => {
    const key = 'uid-label-printer/main/aaaaaaaa'
    const before = gateway()
    const entry = before.ledger[key]
    if (entry === undefined) throw new Error('the fixture has an entry')
    const after = { ...before, ledger: { ...before.ledger, [key]: { ...entry, restarts: entry.restarts + 1 } } }
    expect(happeningsOf(before, after, NOW)).toMatchObject([{ reason: 'Restarted', pod: { name: 'label-printer' } }])
    expect(happeningsOf({ ...before, knowledge: 'loading', ledger: {} }, after, NOW)).toEqual([])
  })

  it('tells of overrides with owner and reason', () => {
    const override = { id: 'o', kind: 'hold', pod: null, owner: 'anna', reason: 'belt', sinceWallMs: 0, untilMonoMs: 9, restarts: {} } as const
    const before = gateway()
    const after = { ...before, overrides: [override] }
    expect(happeningsOf(before, after, NOW)).toMatchObject([{ reason: 'OverrideBegan', message: 'hold by anna: belt' }])
    expect(happeningsOf(after, before, NOW)).toMatchObject([{ reason: 'OverrideEnded' }])
  })
})
