/** What the process itself uses, read only when somebody scrapes. */
import { readdirSync } from 'node:fs'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from './metrics.ts'

const NANO = 1e9
const one = (value: number) => [{ labels: {}, value }]

/** The result ends the measuring of the event loop. */
export function collectProcessFacts(metrics: Metrics, nowMs: () => number, version: string): () => void {
  const startedAt = nowMs() / 1000 - process.uptime()
  const lag = monitorEventLoopDelay({ resolution: 20 })
  lag.enable()
  // the timer of the measurement itself is late by its own resolution
  const at = (percent: number): number => Math.max(0, lag.percentile(percent) / NANO - 0.02)
  metrics.collect(() => {
    const { user, system } = process.cpuUsage()
    const lags = { '0.5': at(50), '0.99': at(99), '1': at(100) }
    lag.reset()
    return {
      skerry_build_info: [{ labels: { version, node: process.versions.node }, value: 1 }],
      process_cpu_seconds_total: one((user + system) / 1e6),
      process_resident_memory_bytes: one(process.memoryUsage.rss()),
      process_start_time_seconds: one(startedAt),
      process_open_fds: one(readdirSync('/proc/self/fd').length),
      nodejs_heap_used_bytes: one(process.memoryUsage().heapUsed),
      nodejs_eventloop_lag_seconds: Object.entries(lags).map(([quantile, value]) => ({ labels: { quantile }, value })),
    }
  })
  return () => lag.disable()
}
