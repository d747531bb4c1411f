import { request } from 'node:http'
import { describe, expect, it } from 'vitest'
import type { PullTotals } from '../edge-agent/core/model.ts'
import type { FetchOutcome } from '../edge-agent/engine/image-fetch.ts'
import { createPullBoard } from '../edge-agent/engine/image-pulls.ts'
import { agentMetrics } from '../edge-agent/local-page/metrics.ts'
import { AGENT_METRICS } from '../edge-agent/local-page/metric-table.ts'
import { startLocalPage } from '../edge-agent/local-page/server.ts'
import type { MetricDefinition } from '../protocol/exposition.ts'
import { cause } from '../protocol/causes.ts'
import { LIMITS } from '../protocol/limits.ts'
import { FakeClock } from './fakes/clock.ts'
import { container, gateway, NOW, pod, SECRET } from './fixtures/field-state.ts'
import { readExposition } from './fakes/exposition.ts'

const EXTRAS = { traffic: null, reading: null, pulls: null, process: { cpuSeconds: 1.5, rssBytes: 50_000_000 } }
const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined }

/** What the meter of pulls tells after attempts of so many seconds. */
async function pullsOf(done: readonly number[], failed: readonly number[]): Promise<PullTotals> {
  const clock = new FakeClock()
  const board = createPullBoard(clock, () => undefined)
  const signal = new AbortController().signal
  for (const [seconds, outcome] of [
    ...done.map((one): [number, FetchOutcome] => [one, { ok: true, fetched: { id: 'sha256:a', reference: 'web:1' } }]),
    ...failed.map((one): [number, FetchOutcome] => [one, { ok: false, cause: cause('image.absent', { image: 'web:1' }) }]),
  ]) {
    const run = board.run(
      'web:1',
      1,
      signal,
      () => new Promise((resolve) => void clock.at(clock.now().monoMs + seconds * 1000, () => resolve(outcome))),
    )
    await clock.advance(seconds * 1000)
    await run
  }
  return board.totals()
}

describe('metrics of the agent', () => {
  it('say how the device stands', async () => {
    const traffic = {
      todayBytes: 0,
      budgetBytes: null,
      channels: { status: { up: 700, down: 0 } },
      waiting: 3,
      dropped: 1,
      queueBytes: 0,
      unsent: 2,
    }
    const reading = {
      monoMs: 0,
      wallMs: 0,
      device: { memory: 10, memoryTotal: 20 },
      numa: { 0: { total: 64, free: 16 }, 1: { total: 64, free: 48 } },
      containers: { 'id-modbus-bridge': { cpuUs: 2_500_000, memory: 77, pids: 4 } },
    }
    const read = readExposition(agentMetrics(gateway(), NOW, { ...EXTRAS, traffic, reading, pulls: await pullsOf([1, 4, 7, 50_000], [2]) }))
    const told = (name: string, labels: Readonly<Record<string, string>> = {}): number | null => read.value(name, labels)
    expect(told('skerry_agent_info', { device: 'gw-004217', version: '0.1.0' })).toBe(1)
    expect(told('skerry_agent_cloud_connected')).toBe(0)
    expect(told('skerry_agent_cloud_last_contact_timestamp_seconds')).toBe(NOW.wallMs / 1000 - 3.2 * 3600)
    // also while it tries again: an alert on its age would begin anew with each try
    const again = gateway({ link: { kind: 'connecting', after: { sinceWallMs: 5_000, why: 'refused' } } })
    expect(readExposition(agentMetrics(again, NOW, EXTRAS)).value('skerry_agent_cloud_last_contact_timestamp_seconds', {})).toBe(5)
    expect(told('skerry_agent_desired_generation')).toBe(41)
    expect(told('skerry_workload_state', { pod: 'modbus-bridge', state: 'running' })).toBe(1)
    expect(told('skerry_workload_state', { pod: 'old-demo', state: 'removing' })).toBe(1)
    expect(told('skerry_workload_restarts_total', { pod: 'label-printer' })).toBe(6)
    expect(told('skerry_container_cpu_seconds_total', { pod: 'modbus-bridge', container: 'main' })).toBe(2.5)
    expect(told('skerry_device_memory_bytes', { kind: 'total' })).toBe(20)
    expect(told('skerry_agent_link_bytes_total', { direction: 'up', type: 'status' })).toBe(700)
    expect(told('skerry_agent_events_waiting')).toBe(3)
    expect(told('skerry_agent_outbox_messages')).toBe(2)
    expect(told('skerry_numa_memory_bytes', { node: '1', kind: 'free' })).toBe(48)
    const pulls = 'skerry_agent_image_pull_duration_seconds'
    expect(told(`${pulls}_count`, { result: 'failed' })).toBe(1)
    expect(told(`${pulls}_bucket`, { result: 'done', le: '5' })).toBe(2)
    expect(told(`${pulls}_bucket`, { result: 'done', le: '+Inf' })).toBe(4)
    expect(told(`${pulls}_sum`, { result: 'done' })).toBe(50_012)
    expect(told('skerry_gpu_info', {})).toBeNull()
  })

  it('say which accelerators there are, who has them, and what their drivers tell', () => {
    const { desired, inventory } = gateway()
    if (desired === null || inventory === null) throw new Error('a gateway has both')
    const [first] = desired.pods
    if (first === undefined) throw new Error('and pods')
    const accelerators = [
      { id: '0000:65:00.0', kind: 'gpu', numaNode: 1, vramTotalBytes: 800, vramUsedBytes: 200, loadPercent: 35, temperatureC: 61 },
      { id: 'GPU-1', kind: 'gpu', memoryBytes: 900 },
    ] as const
    const state = gateway({
      inventory: { ...inventory, topology: { ...inventory.topology, accelerators } },
      desired: { ...desired, pods: [{ ...first, placement: { gpus: ['GPU-1'] } }] },
    })
    const read = readExposition(agentMetrics(state, NOW, EXTRAS))
    const told = (name: string, labels: Readonly<Record<string, string>>): number | null => read.value(name, labels)
    expect(told('skerry_gpu_info', { gpu: '0000:65:00.0', kind: 'gpu', node: '1' })).toBe(1)
    expect([told('skerry_gpu_pods', { gpu: '0000:65:00.0' }), told('skerry_gpu_pods', { gpu: 'GPU-1' })]).toEqual([0, 1])
    expect(told('skerry_gpu_utilization_ratio', { gpu: '0000:65:00.0' })).toBe(0.35)
    expect(told('skerry_gpu_utilization_ratio', { gpu: 'GPU-1' })).toBeNull()
    expect(told('skerry_gpu_memory_bytes', { gpu: '0000:65:00.0', kind: 'used' })).toBe(200)
    expect(told('skerry_gpu_memory_bytes', { gpu: 'GPU-1', kind: 'total' })).toBe(900)
  })

  it('hold no secret and nothing of what programs are given', () => {
    expect(agentMetrics(gateway(), NOW, EXTRAS)).not.toContain(SECRET)
  })

  it('stay bounded on a device that is full, and name every bound', () => {
    const names = Array.from({ length: 3_000 }, (_, index) => `p${index}`)
    const desired = gateway().desired
    const state = gateway({
      desired: desired === null ? null : { ...desired, pods: names.map((name) => pod(name, 'x:1')) },
      observed: names.map((name) => container(name)),
    })
    const { samples } = readExposition(agentMetrics(state, NOW, EXTRAS))
    expect(samples.filter(({ name }) => name === 'skerry_workload_state')).toHaveLength(LIMITS.metricSeries.value)
    const table: Readonly<Record<string, MetricDefinition>> = AGENT_METRICS
    for (const [name, { kind, labels }] of Object.entries(table)) {
      expect(name.endsWith('_total'), name).toBe(kind === 'counter')
      for (const [label, bound] of Object.entries(labels)) {
        if ('max' in bound) expect(bound.max, `${name}{${label}}`).toBeLessThanOrEqual(LIMITS.podsPerDevice.value)
        expect(label, name).not.toMatch(/^(uid|id|image|message|path|le)$/)
      }
    }
  })

  it('are served under the rules of the page: own host names, reading only, the PIN where the summary needs it', async () => {
    const open = (summaryIsOpen: boolean) =>
      startLocalPage({
        host: '127.0.0.1',
        port: 0,
        page: () => Promise.resolve('<!doctype html>'),
        state: () => gateway(),
        now: () => NOW,
        log: QUIET,
        logs: () => Promise.resolve(''),
        agentLog: () => [],
        actions: {
          pin: '48151623',
          summaryIsOpen,
          dispatch: () => undefined,
          checkPath: () => Promise.resolve([]),
          bundle: () => Promise.resolve(new Uint8Array()),
          onAction: () => undefined,
        },
      })
    const shown = await open(true)
    const hidden = await open(false)
    const ask = (port: number, method: string, host?: string): Promise<{ readonly status: number; readonly body: string; readonly type: string }> =>
      new Promise((resolve, reject) => {
        const headers = host === undefined ? {} : { host }
        const call = request({ host: '127.0.0.1', port, method, path: '/metrics', headers }, (answer) => {
          let body = ''
          answer.on('data', (chunk: Buffer) => (body += chunk.toString('utf8')))
          answer.on('end', () => resolve({ status: answer.statusCode ?? 0, body, type: answer.headers['content-type'] ?? '' }))
        })
        call.on('error', reject)
        call.end()
      })
    const answer = await ask(shown.address.port, 'GET')
    expect([answer.status, answer.type]).toEqual([200, 'text/plain; version=0.0.4; charset=utf-8'])
    expect(readExposition(answer.body).value('skerry_agent_engine_reachable', {})).toBe(1)
    expect((await ask(shown.address.port, 'GET', 'evil.example')).status).toBe(421)
    expect((await ask(shown.address.port, 'DELETE')).status).toBe(405)
    expect((await ask(hidden.address.port, 'GET')).status).toBe(401)
    await Promise.all([shown.close(), hidden.close()])
  })
})
