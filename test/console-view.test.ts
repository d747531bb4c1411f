import { describe, expect, it } from 'vitest'
import { NO_FACTS, deviceRow } from '../cloud/console/device-row.ts'
import { eventRow } from '../cloud/console/event-row.ts'
import { fleetTables } from '../cloud/console/fleet-tables.ts'
import type { FleetTables } from '../cloud/console/fleet-tables.ts'
import type { MuteView } from '../cloud/console/live-protocol.ts'
import { Mirror } from '../cloud/console/mirror.ts'
import { mutesByProblem } from '../cloud/console/mute-view.ts'
import { podRow } from '../cloud/console/pod-row.ts'
import { parseBlock } from '../cloud/console/web/event-stream.ts'
import type { Event } from '../cloud/resources/event.ts'
import type { Mute } from '../cloud/resources/mute.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import { RULE_WORDS } from '../cloud/console/why-view.ts'
import { PLUGIN_TABLE } from '../cloud/core/scheduler/plugin-table.ts'
import type { PodStatus } from '../cloud/resources/pod-status.ts'
import { openMemoryStore } from '../cloud/store/memory-store.ts'
import { cause } from '../protocol/causes.ts'
import { CRASHING, HOMELESS, NOW_MS, RUNNING, SECRET, event, facts, fillStore, node, pod } from './fixtures/console-fleet.ts'

const ALONE = { workload: 'Deployment/line-2/x', report: null, deviceSilent: false }

function made(status: PodStatus | null, node: string | null): Pod {
  return pod('x', '1', { ...(node === null ? {} : { node }), ...(status === null ? {} : { status }) })
}

function word(status: PodStatus | null, node: string | null = null): string {
  return podRow(made(status, node), ALONE).word
}

const NO_MUTES: ReadonlyMap<string, MuteView> = new Map()
const NO_PODS = { bound: [], rows: [] }

async function filledTables(): Promise<FleetTables> {
  const store = openMemoryStore()
  await fillStore(store)
  const mirror = new Mirror(
    fleetTables(() => NOW_MS),
    facts,
  )
  // pods before the objects that own them: the order of arrival must not matter
  for (const resource of ['pods', 'events', 'nodes', 'replicasets.apps', 'deployments.apps']) {
    const listed = await store.list(resource)
    if (listed.ok) for (const item of listed.items) mirror.put(item)
  }
  mirror.take()
  return mirror.tables
}

describe('device rows', () => {
  it('has a word for each state', () => {
    expect(deviceRow(node('a', 'True'), NO_PODS, NO_FACTS)).toMatchObject({ word: 'online', causes: [] })
    expect(deviceRow(node('a', 'Unknown'), NO_PODS, NO_FACTS)).toMatchObject({ word: 'offline', heardAtMs: NOW_MS - 95 * 60_000 })
    expect(deviceRow(node('a', null), NO_PODS, NO_FACTS)).toMatchObject({ word: 'never-seen', capacity: null, heardAtMs: null })
    const report = { ...(facts('gw-kassel-1').report ?? never()), causes: [cause('storage.degraded', { why: 'ENOSPC' })] }
    expect(deviceRow(node('a', 'True'), NO_PODS, { ...NO_FACTS, quietMs: 9 }), 'a metered link').toMatchObject({ word: 'online', quietMs: 9 })
    const degraded = deviceRow(node('a', 'True'), NO_PODS, { report, heardAtMs: 5 })
    const check = 'Check the disk (full, read-only, worn out).'
    expect(degraded).toMatchObject({ word: 'degraded', tone: 'warn', heardAtMs: 5, causes: [{ code: 'storage.degraded', next: check }] })
  })

  it('adds up what pods ask for', () => {
    const row = deviceRow(node('a', 'True'), { bound: [pod('x', '1'), pod('x', '2', { memory: '1Gi' })], rows: [] }, NO_FACTS)
    expect(row.asked).toMatchObject({ cpuMilli: 1000, memoryBytes: 1.5 * 2 ** 30, pods: 2 })
    expect(row.capacity).toEqual({ cpuMilli: 4000, memoryBytes: 8 * 2 ** 30, pids: 4096, pods: 110 })
  })

  it('makes a row of a node with nothing in it', () => {
    const bare = { apiVersion: 'v1', kind: 'Node', metadata: {} } as const
    expect(deviceRow(bare, NO_PODS, NO_FACTS)).toMatchObject({ name: '', word: 'never-seen', arch: '', labels: {} })
  })
})

describe('pod rows', () => {
  it('has one word for each state', () => {
    expect(word(null)).toBe('pending')
    expect(word(HOMELESS)).toBe('not-placed')
    expect(word(null, 'a')).toBe('pending')
    expect(word(RUNNING, 'a')).toBe('running')
    expect(word(CRASHING, 'a')).toBe('restarting')
    expect(word({ phase: 'Pending', containerStatuses: [{ name: 'm', state: { waiting: { reason: 'ContainerCreating' } } }] }, 'a')).toBe('starting')
    expect(word({ phase: 'Failed' }, 'a')).toBe('stopped')
    expect(podRow(made(RUNNING, 'a'), { ...ALONE, deviceSilent: true }).word).toBe('unknown')
  })

  it('says that the revision before runs on, and why', () => {
    const applied = (reason: string): PodStatus => ({
      ...RUNNING,
      conditions: [{ type: 'skerry.dev/RevisionApplied', status: 'False', reason, message: 'the window opens at 22:00' }],
    })
    expect(podRow(made(applied('WindowClosed'), 'a'), ALONE)).toMatchObject({
      word: 'updating',
      tone: 'busy',
      cause: { says: 'The window opens at 22:00.' },
    })
    expect(word(applied('Downloading'), 'a')).toBe('pulling')
    expect(podRow(made(applied('RolledBack'), 'a'), ALONE)).toMatchObject({ word: 'rolled-back', tone: 'bad' })
  })

  it('has words for every rule of the scheduler that can refuse a device, and for no other', () => {
    const refusing = PLUGIN_TABLE.filter((one) => {
      const made = one.create(undefined)
      return made.ok && (made.parts.filter !== undefined || made.parts.worldFilter !== undefined)
    })
    expect(refusing.map(({ name }) => name).toSorted()).toEqual(Object.keys(RULE_WORDS).toSorted())
  })

  it('says why and what to do', () => {
    expect(podRow(made(HOMELESS, null), ALONE).cause).toEqual({
      code: 'placement.none',
      says: '0 of 3 devices can take this pod: 1 too little memory (needs 16Gi, most free 7Gi).',
      next: 'Free or add what is missing, or ask for less.',
    })
    const report = facts('gw-kassel-1').report?.pods[0] ?? null
    expect(podRow(made(CRASHING, 'a'), { ...ALONE, report }).cause).toMatchObject({ code: 'container.crash-loop', next: 'Read its log.' })
  })

  it('calls a pod that ended well fine', () => {
    expect(podRow(made({ phase: 'Succeeded' }, 'a'), ALONE)).toMatchObject({ word: 'stopped', tone: 'ok', cause: null })
  })
})

describe('the standing of a device', () => {
  const standing = (...rows: readonly (readonly [PodStatus, string | null])[]): string =>
    deviceRow(node('a', 'True'), { bound: [], rows: rows.map(([status, at]) => podRow(made(status, at), ALONE)) }, NO_FACTS).standing

  it('is the worst of what runs there', () => {
    expect(standing()).toBe('ok')
    expect(standing([RUNNING, 'a'], [{ phase: 'Pending' }, 'a'])).toBe('updating')
    expect(standing([RUNNING, 'a'], [HOMELESS, null])).toBe('not-placed')
    expect(standing([HOMELESS, null], [CRASHING, 'a'])).toBe('failed')
  })

  it('says nothing of pods while the device is silent', () => {
    const rows = [podRow(made(CRASHING, 'a'), ALONE)]
    expect(deviceRow(node('a', 'Unknown'), { bound: [], rows }, NO_FACTS).standing).toBe('offline')
  })
})

describe('the mirror', () => {
  it('finds the workload of each pod in any order of arrival, and counts', async () => {
    const tables = await filledTables()
    expect(Object.fromEntries([...tables.workloads.values()].map((row) => [row.name, `${row.ready}/${row.desired} ${row.says}`]))).toEqual({
      'modbus-bridge': '1/2 1 on silent devices',
      'label-printer': '0/1 1 in trouble',
      'vision-qc': '0/1 1 not placed',
    })
  })

  it('never carries environment values', async () => {
    const { devices, pods, workloads, events } = await filledTables()
    expect(JSON.stringify([devices, pods, workloads, events].map((table) => [...table.values()]))).not.toContain(SECRET)
  })

  it('changes only rows that differ, and takes out those that are gone', async () => {
    const store = openMemoryStore()
    await fillStore(store)
    const tables = fleetTables(() => NOW_MS)
    const mirror = new Mirror(tables, facts)
    const stop = store.watch(null, 0, { onChange: (change) => mirror.apply(change), onExpired: never })
    await delivered()
    expect(mirror.take()).toBe(true)
    expect(tables.devices.size).toBe(3)
    expect(mirror.take()).toBe(false)

    const before = tables.devices.get('gw-kassel-1')
    await store.update('nodes', { ...node('gw-kassel-1', 'True'), spec: {} }, null)
    await delivered()
    expect(mirror.take()).toBe(false)
    expect(tables.devices.get('gw-kassel-1')).toBe(before)

    await store.delete('pods', 'line-2', 'label-printer-7d4b9-a1', null)
    await delivered()
    expect(mirror.take()).toBe(true)
    expect(tables.pods.get('line-2/label-printer-7d4b9-a1')).toBeUndefined()
    expect(tables.workloads.get('Deployment/line-2/label-printer')).toMatchObject({ troubled: 0 })
    expect(tables.devices.get('gw-kassel-1')).toMatchObject({ asked: { pods: 1 }, standing: 'ok' })
    stop()
  })
})

describe('events and problems', () => {
  it('reads an event, and one with nothing in it', () => {
    expect(eventRow(event('e', 4, 'Pulled', 'done') as Event)).toMatchObject({
      about: 'Pod line-2/vision-qc-7d4b9-x1',
      count: 3,
      atMs: NOW_MS - 240_000,
    })
    expect(eventRow({ apiVersion: 'v1', kind: 'Event', metadata: {}, involvedObject: {} })).toMatchObject({ reason: '', count: 1, atMs: 0 })
  })

  it('groups trouble by cause, the worst first, and forgets what is over', async () => {
    const { causes, pods } = await filledTables()
    const told = (): readonly string[] => causes.part(NO_MUTES).groups.map((one) => `${one.key} ${one.devices}+${one.pods}`)
    expect(told()).toEqual(['container.crash-loop 0+1', 'placement.none 0+1', 'node.never-seen 1+0', 'node.silent 1+0'])
    pods.remove('line-2/label-printer-7d4b9-a1')
    expect(told()).not.toContain('container.crash-loop 0+1')
  })

  it('tells muted problems last, until the time of the mute that lasts longest', async () => {
    const mute = (name: string, until: string): Mute => ({
      apiVersion: 'skerry.dev/v1',
      kind: 'Mute',
      metadata: { name },
      spec: { problem: 'container.crash-loop', until, reason: 'known, mended on Monday' },
      by: 'admin',
    })
    const mutes = [mute('a', '2026-03-04T11:00:00Z'), mute('b', '2026-03-04T12:00:00Z'), mute('c', '2026-03-04T09:59:59Z')]
    const held = mutesByProblem(mutes, NOW_MS)
    expect(held.get('container.crash-loop')).toMatchObject({ name: 'b', by: 'admin', untilMs: NOW_MS + 7_200_000 })
    expect(mutesByProblem(mutes, NOW_MS + 7_200_001).size).toBe(0)
    const { causes } = await filledTables()
    expect(causes.part(NO_MUTES).groups.at(-1)?.key).not.toBe('container.crash-loop')
    expect(causes.part(held).groups.at(-1)).toMatchObject({ key: 'container.crash-loop', mute: { name: 'b' } })
  })

  it('reads the stream of events', () => {
    expect(parseBlock('id: 7\nevent: delta\ndata: {"a":1}')).toEqual({ id: '7', event: 'delta', data: '{"a":1}' })
    expect(parseBlock(': ping')).toBeNull()
  })
})

/** Watchers are told after the write, in a later task. */
function delivered(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function never(): never {
  throw new Error('not expected here')
}
