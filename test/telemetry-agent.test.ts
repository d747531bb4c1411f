/** Readings on the device: from files to samples, and their way to the cloud with and without a link. */
import { describe, expect, it } from 'vitest'
import type { Allowance } from '../edge-agent/core/data-budget.ts'
import { sampleBetween, thinOut } from '../edge-agent/core/telemetry.ts'
import type { Reading } from '../edge-agent/core/telemetry.ts'
import { createTelemetryReader } from '../edge-agent/inventory/telemetry-reader.ts'
import type { TelemetryQueue } from '../edge-agent/ports.ts'
import { watchTelemetry } from '../edge-agent/runtime/watch-telemetry.ts'
import type { TelemetryWatch } from '../edge-agent/runtime/watch-telemetry.ts'
import { openTelemetryQueue } from '../edge-agent/store/telemetry-queue.ts'
import { LIMITS } from '../protocol/limits.ts'
import { seal } from '../protocol/envelope.ts'
import { parse } from '../protocol/shape.ts'
import { TELEMETRY } from '../protocol/telemetry.ts'
import type { Telemetry, TelemetrySample } from '../protocol/telemetry.ts'
import { TOPICS } from '../protocol/topics.ts'
import { FakeClock } from './fakes/clock.ts'
import { FakeDisk } from './fakes/disk.ts'
import { fakeHost } from './fakes/host.ts'

const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined }
const settle = async (): Promise<void> => {
  for (let turn = 0; turn < 200; turn += 1) await Promise.resolve()
}
const reading = (monoMs: number, more: Partial<Reading> = {}): Reading => ({ monoMs, wallMs: monoMs, device: {}, containers: {}, ...more })
const PODS = new Map([
  ['c1', 'pod-a'],
  ['c2', 'pod-a'],
  ['c3', 'pod-b'],
])

describe('files of the host', () => {
  const v1 = {
    '/sys/fs/cgroup/memory/docker/c1/memory.usage_in_bytes': '5000',
    '/sys/fs/cgroup/memory/docker/c1/memory.stat': 'cache 1\ntotal_inactive_file 1000\n',
    '/sys/fs/cgroup/pids/docker/c1/pids.current': '3',
    '/sys/fs/cgroup/cpuacct/docker/c1/cpuacct.usage': '7000000',
  }
  const v2 = {
    '/sys/fs/cgroup/system.slice/docker-c1.scope/memory.current': '5000',
    '/sys/fs/cgroup/system.slice/docker-c1.scope/memory.stat': 'anon 1\ninactive_file 1000\n',
    '/sys/fs/cgroup/system.slice/docker-c1.scope/pids.current': '3',
    '/sys/fs/cgroup/system.slice/docker-c1.scope/cpu.stat': 'usage_usec 7000\nuser_usec 1\n',
  }
  it.each([
    ['v1', v1],
    ['v2', v2],
  ])('give what a container of cgroup %s uses', async (_version, files) => {
    const read = createTelemetryReader(fakeHost(files))
    const { containers } = await read(['c1', 'gone'], '/', { monoMs: 1, wallMs: 2 })
    expect(containers).toEqual({ c1: { memory: 4000, pids: 3, cpuUs: 7000 }, gone: {} })
  })

  it('give what the device uses, and leave out what they do not say', async () => {
    const host = fakeHost({
      '/proc/stat': 'cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 0 0 0 0 0 0 0\ncpu1 1 0 0 0 0 0 0 0\nintr 5',
      '/proc/meminfo': 'MemTotal:  1000 kB\nMemAvailable:  400 kB',
      '/sys/devices/system/node/node0/meminfo': 'Node 0 MemTotal:  600 kB\nNode 0 MemFree:  100 kB',
      '/sys/devices/system/node/node1/meminfo': 'Node 1 MemTotal:  400 kB\nNode 1 MemFree:  300 kB',
      '/sys/devices/system/node/online': '0-1',
      '/sys/class/thermal/thermal_zone0/temp': '48400',
      '/sys/class/thermal/thermal_zone1/temp': '-274000',
    })
    const { cpu, device, numa } = await createTelemetryReader(host)([], '/', { monoMs: 1, wallMs: 2 })
    expect(cpu).toEqual({ busy: 150, all: 1000, cpus: 2 })
    expect(numa).toEqual({ 0: { total: 600 * 1024, free: 100 * 1024 }, 1: { total: 400 * 1024, free: 300 * 1024 } })
    expect(device).toMatchObject({ memory: 600 * 1024, memoryTotal: 1000 * 1024, temperatureC: 48 })
    expect(await createTelemetryReader(fakeHost({}))([], '/nowhere', { monoMs: 1, wallMs: 2 })).toEqual({
      monoMs: 1,
      wallMs: 2,
      device: {},
      containers: {},
    })
  })
})

describe('two readings', () => {
  it('become one sample: containers add up to their pod, a counter that began anew does not go below zero', () => {
    const before = reading(0, { cpu: { busy: 100, all: 1000, cpus: 4 }, containers: { c1: { cpuUs: 0 }, c2: { cpuUs: 9_000_000 }, c3: {} } })
    const now = reading(10_000, {
      cpu: { busy: 150, all: 1200, cpus: 4 },
      device: { memory: 9 },
      containers: { c1: { cpuUs: 5_000_000, memory: 10, pids: 1 }, c2: { cpuUs: 1_000_000, memory: 5 }, c3: { pids: 2 }, foreign: { pids: 99 } },
    })
    expect(sampleBetween(before, now, PODS)).toEqual([
      {
        at: '1970-01-01T00:00:10Z',
        spanSeconds: 10,
        device: { memory: 9, cpuMilli: 1000 },
        pods: { 'pod-a': { cpuMilli: 600, memory: 15, pids: 1 }, 'pod-b': { pids: 2 } },
      },
    ])
    expect(sampleBetween(now, reading(10_500), PODS)).toEqual([])
  })

  it('of a device full of pods become parts that fit a record', () => {
    const ids = Array.from({ length: 110 }, (_, index) => `${index}`.padStart(36, 'f'))
    const containers = Object.fromEntries(ids.map((id) => [id, { cpuUs: 9e12, memory: 9e12, pids: 4_000_000 }]))
    const parts = sampleBetween(reading(0, { containers }), reading(10_000, { containers }), new Map(ids.map((id) => [id, id])))
    expect(parts.map(({ pods = {} }) => Object.keys(pods).length)).toEqual([32, 32, 32, 14])
    for (const part of parts) expect(JSON.stringify(part).length).toBeLessThan(LIMITS.queueRecordBytes.value)
  })

  it('thinned out keep the mean of the CPU and the peaks of the rest', () => {
    const at = (second: number, cpuMilli: number, memory: number): TelemetrySample => ({
      at: new Date(second * 1000).toISOString(),
      spanSeconds: 10,
      device: { pids: second },
      pods: { a: { cpuMilli, memory } },
    })
    const few = thinOut([at(10, 100, 5), at(20, 300, 9), at(30, 50, 1)], 2)
    expect(few).toEqual([
      { at: at(20, 0, 0).at, spanSeconds: 20, device: { pids: 20 }, pods: { a: { cpuMilli: 200, memory: 9 } } },
      { at: at(30, 0, 0).at, spanSeconds: 10, device: { pids: 30 }, pods: { a: { cpuMilli: 50, memory: 1 } } },
    ])
  })
})

describe('the queue of readings', () => {
  const one = (index: number): TelemetrySample => ({
    at: new Date(index * 60_000).toISOString(),
    spanSeconds: 60,
    pods: { a: { cpuMilli: index, memory: 7 } },
  })
  const batch = (from: number, count: number): readonly TelemetrySample[] => Array.from({ length: count }, (_, index) => one(from + index))
  const drain = async (queue: TelemetryQueue): Promise<readonly TelemetrySample[]> => {
    const all: TelemetrySample[] = []
    for (let next = await queue.next(24); next !== null; next = await queue.next(24)) {
      all.push(...next.samples)
      await next.done()
    }
    return all
  }

  it('survives a restart and gives the oldest first', async () => {
    const disk = new FakeDisk()
    await openTelemetryQueue(disk, '/t').store(batch(0, 50))
    const queue = openTelemetryQueue(disk, '/t')
    expect(await drain(queue)).toEqual(batch(0, 50))
    expect(queue.stats()).toMatchObject({ waiting: 0, dropped: 0 })
  })

  it('thins out before it drops, stays below its cap, and counts what it drops', async () => {
    const queue = openTelemetryQueue(new FakeDisk(), '/t')
    const cap = LIMITS.telemetryQueueBytes.value + LIMITS.telemetryCoarseBytes.value
    for (let round = 0; round < 120; round += 1) {
      await queue.store(batch(round * 50, 50))
      expect(queue.stats().bytes).toBeLessThanOrEqual(cap)
    }
    expect(queue.stats().dropped).toBe(0)
    const kept = await drain(queue)
    const spans = kept.map(({ spanSeconds }) => spanSeconds)
    // all of the time is still covered: the older part by samples of eight minutes
    expect(spans.reduce((sum, span) => sum + span, 0)).toBe(120 * 50 * 60)
    expect(new Set(spans)).toEqual(new Set([480, 60]))
    expect(kept.map(({ at }) => at)).toEqual(kept.map(({ at }) => at).toSorted())
    for (let round = 0; round < 400; round += 1) await queue.store(batch(10_000 + round * 50, 50))
    expect(queue.stats().dropped).toBeGreaterThan(0)
  })
})

class Rig {
  readonly clock = new FakeClock()
  readonly disk = new FakeDisk()
  readonly got: Telemetry[] = []
  readonly samples = (): readonly TelemetrySample[] => this.got.flatMap(({ samples }) => samples)
  up = true
  reads = 0
  allowed: Allowance = { eventsEveryMs: 0, telemetryEveryMs: 0, spent: 0 }
  readonly watch: TelemetryWatch = watchTelemetry({
    device: 'gw-1',
    clock: this.clock,
    log: QUIET,
    queue: openTelemetryQueue(this.disk, '/t'),
    link: {
      publishTelemetry: (readings) => {
        if (this.up) this.got.push(readings)
        return Promise.resolve(this.up)
      },
    },
    allowance: () => this.allowed,
    read: () => {
      this.reads += 1
      return Promise.resolve(reading(this.clock.now().monoMs, { device: { pids: this.reads } }))
    },
    pods: () => PODS,
  })

  async pass(seconds: number): Promise<void> {
    for (let second = 0; second < seconds; second += 5) {
      await this.clock.advance(5_000)
      await settle()
    }
  }
}

describe('the watch', () => {
  it('reads nothing while nobody wants any', async () => {
    const rig = new Rig()
    await rig.pass(600)
    expect(rig.reads).toBe(0)
    rig.watch.wish(60)
    rig.watch.wish(null)
    await rig.pass(600)
    expect(rig.reads).toBe(0)
  })

  it('with a link sends each sample at once and never touches the disk', async () => {
    const rig = new Rig()
    rig.watch.wish(10)
    await rig.pass(100)
    expect(rig.samples().length).toBeGreaterThanOrEqual(8)
    expect(rig.got.every((message) => parse(TELEMETRY, message).ok)).toBe(true)
    expect(rig.disk.operations).toBe(0)
    expect(rig.reads).toBeLessThanOrEqual(11)
  })

  it('looks for a while, and not longer', async () => {
    const rig = new Rig()
    rig.watch.look({ everySeconds: 10, forSeconds: 60 })
    await rig.pass(90)
    const { reads } = rig
    expect(reads).toBeGreaterThanOrEqual(5)
    await rig.pass(600)
    expect(rig.reads).toBe(reads)
  })

  it('without a link keeps them, over a restart, and sends them oldest first when it returns', async () => {
    const rig = new Rig()
    rig.up = false
    rig.watch.wish(30)
    await rig.pass(1_800)
    expect(rig.got).toEqual([])
    // seldom enough for a card
    expect(rig.disk.operations).toBeLessThan(40)
    rig.up = true
    rig.watch.wake()
    await settle()
    await rig.pass(10)
    const at = rig.samples().map((one) => one.at)
    expect(at.length).toBeGreaterThanOrEqual(55)
    expect(at).toEqual(at.toSorted())
    expect(new Set(at).size).toBe(at.length)
    expect(rig.got.every((message) => seal('telemetry', 'gw-1', message, null).byteLength < TOPICS.telemetry.maxBytes)).toBe(true)
  })

  it('gives readings up first when the data of the day is used up, and catches up the day after', async () => {
    const rig = new Rig()
    rig.allowed = { eventsEveryMs: 900_000, telemetryEveryMs: null, spent: 9 }
    rig.watch.wish(60)
    await rig.pass(1_200)
    expect(rig.got).toEqual([])
    rig.allowed = { eventsEveryMs: 0, telemetryEveryMs: 60_000, spent: 0 }
    await rig.pass(400)
    expect(rig.samples().length).toBeGreaterThanOrEqual(20)
  })

  it('lives on with a dead disk: memory stays bounded, losses are told, the link still gets the newest', async () => {
    const rig = new Rig()
    rig.disk.failing = Object.assign(new Error('EIO'), { code: 'EIO' })
    rig.up = false
    rig.watch.wish(10)
    await rig.pass(2_000)
    rig.up = true
    await rig.pass(20)
    expect(rig.samples().length).toBeLessThanOrEqual(LIMITS.telemetryPending.value + 3)
    expect(rig.got.at(-1)?.dropped).toBeGreaterThan(100)
  })
})
