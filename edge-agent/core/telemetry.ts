/** Readings -> samples. Pure: counters of two moments become means, containers become pods, many samples become few. */
import { LIMITS } from '../../protocol/limits.ts'
import type { DeviceReading, PodReading, TelemetrySample } from '../../protocol/telemetry.ts'
import { rfc3339 } from './wall-time.ts'

/** What was read at one moment; counters as they stand. A part that could not be read is absent. */
export interface Reading {
  readonly monoMs: number
  readonly wallMs: number
  /** ticks of all CPUs together since boot: those spent working, and all */
  readonly cpu?: { readonly busy: number; readonly all: number; readonly cpus: number }
  readonly device: Omit<DeviceReading, 'cpuMilli'>
  /** memory by NUMA node; absent where the kernel shows none */
  readonly numa?: Readonly<Record<string, { readonly total: number; readonly free: number }>>
  /** by container id; `cpuUs` counts since its cgroup was made */
  readonly containers: Readonly<Record<string, { readonly cpuUs?: number; readonly memory?: number; readonly pids?: number }>>
}

/** One sample for the span between two readings, cut so that each part fits a record. @param pods container id -> pod uid */
export function sampleBetween(before: Reading, now: Reading, pods: ReadonlyMap<string, string>): readonly TelemetrySample[] {
  const spanMs = now.monoMs - before.monoMs
  if (spanMs < 1_000) return []
  const used: Record<string, PodReading> = {}
  for (const [id, held] of Object.entries(now.containers)) {
    const uid = pods.get(id)
    if (uid === undefined) continue
    const cpu = cpuMilli(before.containers[id]?.cpuUs, held.cpuUs, spanMs)
    used[uid] = plus(used[uid] ?? {}, { ...(cpu === null ? {} : { cpuMilli: cpu }), ...partsOf(held) })
  }
  const cpu = deviceCpu(before.cpu, now.cpu)
  const device = { ...now.device, ...(cpu === null ? {} : { cpuMilli: cpu }) }
  return cut({ at: rfc3339(now.wallMs), spanSeconds: Math.max(1, Math.round(spanMs / 1_000)), device, pods: used })
}

/** Each `factor` moments become one: means of CPU, the highest of everything else. */
export function thinOut(samples: readonly TelemetrySample[], factor: number): readonly TelemetrySample[] {
  const moments = new Map<string, TelemetrySample[]>()
  for (const sample of samples) moments.set(sample.at, [...(moments.get(sample.at) ?? []), sample])
  const all = [...moments.values()]
  const groups = Array.from({ length: Math.ceil(all.length / factor) }, (_, index) => all.slice(index * factor, (index + 1) * factor))
  return groups.flatMap((group) => {
    const last = group.at(-1)?.[0]
    if (last === undefined) return []
    const parts = group.flat()
    const pods: Record<string, PodReading> = {}
    for (const uid of new Set(parts.flatMap((part) => Object.keys(part.pods ?? {}))))
      pods[uid] = together(parts.flatMap((part) => part.pods?.[uid] ?? []))
    const devices = parts.flatMap((part) => part.device ?? [])
    const spanSeconds = group.reduce((sum, [first]) => sum + (first?.spanSeconds ?? 0), 0)
    return cut({ at: last.at, spanSeconds, ...(devices.length === 0 ? {} : { device: together(devices) }), pods })
  })
}

/** The pods of one moment in parts of as many as one record holds; the device comes with the first. */
function cut(sample: TelemetrySample): readonly TelemetrySample[] {
  const { pods = {}, device, ...moment } = sample
  const entries = Object.entries(pods)
  const max = LIMITS.telemetryPodsPerSample.value
  return Array.from({ length: Math.max(1, Math.ceil(entries.length / max)) }, (_, index) => ({
    ...moment,
    ...(index === 0 && device !== undefined ? { device } : {}),
    ...(entries.length === 0 ? {} : { pods: Object.fromEntries(entries.slice(index * max, (index + 1) * max)) }),
  }))
}

/** A counter that fell began anew: the container was started again. */
function cpuMilli(before: number | undefined, now: number | undefined, spanMs: number): number | null {
  if (before === undefined || now === undefined) return null
  return Math.round((now >= before ? now - before : now) / spanMs)
}

function deviceCpu(before: Reading['cpu'], now: Reading['cpu']): number | null {
  if (before === undefined || now === undefined || now.all <= before.all) return null
  return Math.max(0, Math.round(((now.busy - before.busy) / (now.all - before.all)) * now.cpus * 1_000))
}

function partsOf({ memory, pids }: PodReading): PodReading {
  return { ...(memory === undefined ? {} : { memory }), ...(pids === undefined ? {} : { pids }) }
}

function plus(a: PodReading, b: PodReading): PodReading {
  return merge([a, b], (values) => values.reduce((sum, value) => sum + value, 0))
}

function together<T extends PodReading | DeviceReading>(readings: readonly T[]): T {
  return merge(readings, (values, name) =>
    name === 'cpuMilli' ? Math.round(values.reduce((sum, value) => sum + value, 0) / values.length) : Math.max(...values),
  )
}

/** field by field, of those that have it */
function merge<T extends PodReading | DeviceReading>(readings: readonly T[], of: (values: readonly number[], name: string) => number): T {
  const fields = new Map<string, number[]>()
  for (const reading of readings) {
    for (const [name, value] of Object.entries(reading) as [string, number | undefined][]) {
      if (value !== undefined) fields.set(name, [...(fields.get(name) ?? []), value])
    }
  }
  return Object.fromEntries([...fields].map(([name, values]) => [name, of(values, name)])) as T
}
