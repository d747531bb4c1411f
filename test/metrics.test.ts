import { describe, expect, it } from 'vitest'
import { METRICS } from '../cloud/core/metric-table.ts'
import type { MetricName } from '../cloud/core/metric-table.ts'
import { createLog as cloudLog } from '../cloud/log.ts'
import { createLog as agentLog } from '../edge-agent/log.ts'
import { Metrics } from '../cloud/metrics/metrics.ts'
import type { MetricDefinition } from '../protocol/exposition.ts'
import { LIMITS } from '../protocol/limits.ts'
import { readExposition } from './fakes/exposition.ts'

const SILENT = { info: () => undefined, warn: () => undefined, error: () => undefined }
const TABLE = Object.entries(METRICS) as [MetricName, MetricDefinition][]

describe('the table of metrics', () => {
  it('names by the rules of Prometheus: one prefix, base units, _total for counters only', () => {
    for (const [name, { kind }] of TABLE) {
      expect(name, name).toMatch(/^(skerry|process|nodejs)_[a-z0-9_]+$/)
      expect(name.endsWith('_total'), name).toBe(kind === 'counter')
      if (kind === 'histogram') expect(name, name).toMatch(/_(seconds|bytes)$/)
      expect(name, name).not.toMatch(/_(ms|millis|kb|mb|percent)(_|$)/)
    }
  })

  it('has no label whose values could grow without end', () => {
    for (const [name, { labels }] of TABLE) {
      let series = 1
      for (const [label, bound] of Object.entries(labels)) {
        expect(label, `${name}{${label}}`).not.toMatch(/^(device|node_name|pod|uid|instance|id|path|user|message|le|job)$/)
        if (!('max' in bound)) series *= bound.length + 1
        else expect([bound.max <= 1_000, bound.why.length > 10 || bound.max === 1], `${name}{${label}}`).toEqual([true, true])
      }
      expect(series, name).toBeLessThan(200)
    }
  })
})

describe('metrics', () => {
  it('are written as Prometheus reads them', () => {
    const metrics = new Metrics(SILENT)
    metrics.count('skerry_device_messages_total', { direction: 'in', type: 'status' })
    metrics.count('skerry_device_messages_total', { direction: 'in', type: 'status' }, 2)
    for (const seconds of [0.0004, 0.003, 100]) metrics.observe('skerry_store_write_duration_seconds', seconds)
    metrics.collect(() => ({ skerry_workload_instances: [{ labels: { namespace: 'a"b\\c\nd', workload: 'x', phase: 'ready' }, value: 7 }] }))
    const text = metrics.render()
    const read = readExposition(text)
    expect(read.value('skerry_device_messages_total', { direction: 'in', type: 'status' })).toBe(3)
    expect(read.value('skerry_store_write_duration_seconds_bucket', { le: '0.0005' })).toBe(1)
    expect(read.value('skerry_store_write_duration_seconds_bucket', { le: '0.005' })).toBe(2)
    expect(read.value('skerry_store_write_duration_seconds_bucket', { le: '+Inf' })).toBe(3)
    expect(read.value('skerry_store_write_duration_seconds_count', {})).toBe(3)
    expect(read.value('skerry_workload_instances', { namespace: 'a"b\\c\nd', workload: 'x', phase: 'ready' })).toBe(7)
    expect(read.value('skerry_placement_decisions_total', { result: 'placed' })).toBe(0)
  })

  it('never grow with what comes in', () => {
    const metrics = new Metrics(SILENT)
    for (let index = 0; index < 3 * LIMITS.metricSeries.value; index += 1) {
      metrics.observe('skerry_api_request_duration_seconds', 0.1, { route: `made-up-${index}`, method: `M${index}`, code: '200' })
      metrics.count('skerry_device_messages_total', { direction: 'in', type: `made-up-${index}` })
    }
    metrics.collect(() => ({
      skerry_store_objects: Array.from({ length: 3 * LIMITS.metricSeries.value }, (_, index) => ({ labels: { resource: `r${index}` }, value: 1 })),
    }))
    const { samples } = readExposition(metrics.render())
    const count = (name: string): number => samples.filter((sample) => sample.name === name).length
    expect(count('skerry_api_request_duration_seconds_count')).toBe(LIMITS.metricSeries.value + 1)
    expect(count('skerry_store_objects')).toBe(LIMITS.metricSeries.value)
    const read = readExposition(metrics.render())
    expect(read.value('skerry_device_messages_total', { direction: 'in', type: 'other' })).toBe(3 * LIMITS.metricSeries.value)
  })

  it('leave out what could not be looked up, and say so in the log', () => {
    const said: string[] = []
    const metrics = new Metrics({ ...SILENT, error: (msg) => said.push(msg) })
    metrics.collect(() => {
      throw new Error('no')
    })
    metrics.collect(() => ({ skerry_sse_clients: [{ labels: {}, value: 2 }] }))
    expect(readExposition(metrics.render()).value('skerry_sse_clients', {})).toBe(2)
    expect(said).toEqual(['metrics could not be collected'])
  })
})

describe('logs', () => {
  it('have the same names on both sides, and mask what looks like a secret', () => {
    const cloud: string[] = []
    const agent: string[] = []
    cloudLog((line) => cloud.push(line)).warn('said', { device: 'gw-1', token: 'abcdefgh' })
    agentLog({ write: (line) => agent.push(line), wallMs: () => 0, secrets: [] }).warn('said', { device: 'gw-1', token: 'abcdefgh' })
    const keys = (lines: readonly string[]): readonly string[] => Object.keys(JSON.parse(lines[0] ?? '') as object)
    expect(keys(cloud)).toEqual(['time', 'level', 'msg', 'device', 'token'])
    expect(keys(agent)).toEqual(keys(cloud))
    expect([...cloud, ...agent].join('')).not.toContain('abcdefgh')
    expect([...cloud, ...agent].every((line) => line.includes('"level":"warn"') && line.endsWith('\n'))).toBe(true)
  })
})
