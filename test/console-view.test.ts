import { describe, expect, it } from 'vitest'
import { NO_FACTS, deviceRow } from '../cloud/console/device-row.ts'
import { eventRow } from '../cloud/console/event-row.ts'
import { Mirror } from '../cloud/console/mirror.ts'
import { podRow } from '../cloud/console/pod-row.ts'
import { parseBlock } from '../cloud/console/web/event-stream.ts'
import { problemsOf } from '../cloud/console/web/problems.ts'
import type { Tables } from '../cloud/console/view-model.ts'
import type { Event } from '../cloud/resources/event.ts'
import type { Pod } from '../cloud/resources/pod.ts'
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

async function fleetTables(): Promise<{ readonly mirror: Mirror; readonly tables: Tables }> {
  const store = openMemoryStore()
  await fillStore(store)
  const mirror = new Mirror(facts)
  // pods before the objects that own them: the order of arrival must not matter
  for (const resource of ['pods', 'events', 'nodes', 'replicasets.apps', 'deployments.apps']) {
    const listed = await store.list(resource)
    if (listed.ok) for (const item of listed.items) mirror.put(item)
  }
  mirror.take(1)
  return { mirror, tables: mirror.tables() }
}

describe('device rows', () => {
  it('has a word for each state', () => {
    expect(deviceRow(node('a', 'True'), [], NO_FACTS)).toMatchObject({ word: 'online', causes: [] })
    expect(deviceRow(node('a', 'Unknown'), [], NO_FACTS)).toMatchObject({ word: 'offline', heardAtMs: NOW_MS - 95 * 60_000 })
    expect(deviceRow(node('a', null), [], NO_FACTS)).toMatchObject({ word: 'never-seen', capacity: null, heardAtMs: null })
    const report = { ...(facts('gw-kassel-1').report ?? never()), causes: [cause('storage.degraded', { why: 'ENOSPC' })] }
    const degraded = deviceRow(node('a', 'True'), [], { report, heardAtMs: 5 })
    const check = 'Check the disk (full, read-only, worn out).'
    expect(degraded).toMatchObject({ word: 'degraded', tone: 'warn', heardAtMs: 5, causes: [{ code: 'storage.degraded', next: check }] })
  })

  it('adds up what pods ask for', () => {
    const row = deviceRow(node('a', 'True'), [pod('x', '1'), pod('x', '2', { memory: '1Gi' })], NO_FACTS)
    expect(row.asked).toMatchObject({ cpuMilli: 1000, memoryBytes: 1.5 * 2 ** 30, pods: 2 })
    expect(row.capacity).toEqual({ cpuMilli: 4000, memoryBytes: 8 * 2 ** 30, pids: 4096, pods: 110 })
  })

  it('makes a row of a node with nothing in it', () => {
    const bare = { apiVersion: 'v1', kind: 'Node', metadata: {} } as const
    expect(deviceRow(bare, [], NO_FACTS)).toMatchObject({ name: '', word: 'never-seen', arch: '', labels: {} })
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

describe('the mirror', () => {
  it('finds the workload of each pod in any order of arrival, and counts', async () => {
    const { tables } = await fleetTables()
    expect(Object.fromEntries(tables.workloads.map((row) => [row.name, `${row.ready}/${row.desired} ${row.says}`]))).toEqual({
      'modbus-bridge': '1/2 1 on silent devices',
      'label-printer': '0/1 1 in trouble',
      'vision-qc': '0/1 1 not placed',
    })
  })

  it('never carries environment values', async () => {
    const { tables } = await fleetTables()
    expect(JSON.stringify(tables)).not.toContain(SECRET)
  })

  it('tells only rows that differ, and the keys of those that are gone', async () => {
    const store = openMemoryStore()
    await fillStore(store)
    const mirror = new Mirror(facts)
    const stop = store.watch(null, 0, { onChange: (change) => mirror.apply(change), onExpired: never })
    await delivered()
    expect(mirror.take(1)?.changed.devices).toHaveLength(3)
    expect(mirror.take(1)).toBeNull()

    await store.update('nodes', { ...node('gw-kassel-1', 'True'), spec: {} }, null)
    await delivered()
    expect(mirror.take(2)).toBeNull()

    await store.delete('pods', 'line-2', 'label-printer-7d4b9-a1', null)
    await delivered()
    const delta = mirror.take(3)
    expect(delta?.gone).toEqual({ pods: ['line-2/label-printer-7d4b9-a1'] })
    expect(delta?.changed.workloads).toMatchObject([{ name: 'label-printer', troubled: 0 }])
    expect(delta?.changed.devices).toMatchObject([{ name: 'gw-kassel-1', asked: { pods: 1 } }])
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

  it('groups trouble by cause, the worst first', async () => {
    const { tables } = await fleetTables()
    const problems = problemsOf(tables.devices, tables.pods)
    const told = problems.map((one) => `${one.cause.code} ${one.members.length}`)
    expect(told).toEqual(['container.crash-loop 1', 'node.silent 1', 'placement.none 1', 'node.never-seen 1'])
    expect(problemsOf([], [])).toEqual([])
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
