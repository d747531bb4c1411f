/** What `/metrics` on the device answers: made from the state at the moment of the scrape; nothing is kept for it. */
import { renderFamilies } from '../../protocol/exposition.ts'
import type { Family, HistogramSample, Sample } from '../../protocol/exposition.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Accelerator } from '../../protocol/inventory.ts'
import { outageOf } from '../core/contact.ts'
import type { Now, PullTotals } from '../core/model.ts'
import { isConverged } from '../core/report.ts'
import type { AgentState } from '../core/state.ts'
import type { Reading } from '../core/telemetry.ts'
import { AGENT_METRICS } from './metric-table.ts'
import type { AgentMetric } from './metric-table.ts'
import type { TrafficView } from './view-model.ts'
import { fieldView } from './view.ts'

export interface ScrapeExtras {
  readonly traffic: TrafficView | null
  /** null = not read */
  readonly reading: Reading | null
  /** null = the engine does not count */
  readonly pulls: PullTotals | null
  readonly process: { readonly cpuSeconds: number; readonly rssBytes: number }
}

type Samples = { readonly [M in AgentMetric]?: readonly Sample[] }

export function agentMetrics(state: AgentState, now: Now, extras: ScrapeExtras): string {
  const samples: Samples = {
    ...ofAgent(state, now),
    ...ofTraffic(extras.traffic),
    ...ofWorkloads(state, now),
    ...ofReading(state, extras.reading),
    ...ofAccelerators(state),
  }
  const own: Samples = {
    process_cpu_seconds_total: one(extras.process.cpuSeconds),
    process_resident_memory_bytes: one(extras.process.rssBytes),
  }
  const all = { ...samples, ...own }
  const names = Object.keys(AGENT_METRICS) as AgentMetric[]
  return renderFamilies(
    names.map((name): Family => {
      const definition = AGENT_METRICS[name]
      if (name === 'skerry_agent_image_pull_duration_seconds') return { name, definition, histograms: ofPulls(extras.pulls) }
      return { name, definition, samples: (all[name] ?? []).slice(0, LIMITS.metricSeries.value) }
    }),
  )
}

function ofAgent(state: AgentState, now: Now): Samples {
  const { link, engine, storage, desired, knowledge } = state
  const contactMs = link.kind === 'up' ? now.wallMs : (outageOf(link)?.sinceWallMs ?? null)
  const codes = new Set((state.report.last?.causes ?? []).map(({ code }) => code))
  return {
    skerry_agent_info: [{ labels: { device: state.device, version: state.agentVersion }, value: 1 }],
    skerry_agent_cloud_connected: flag(link.kind === 'up'),
    ...(contactMs === null ? {} : { skerry_agent_cloud_last_contact_timestamp_seconds: one(Math.round(contactMs / 1000)) }),
    skerry_agent_engine_reachable: flag(engine.reachable),
    skerry_agent_storage_ok: flag(storage === null),
    skerry_agent_desired_known: flag(knowledge === 'known'),
    skerry_agent_desired_generation: one(desired?.generation ?? 0),
    skerry_agent_converged: flag(isConverged(state)),
    skerry_agent_cause_active: [...codes].slice(0, LIMITS.metricCauses.value).map((code) => ({ labels: { code }, value: 1 })),
    ...(state.own === null ? {} : { skerry_agent_memory_bytes: one(state.own.rssBytes) }),
    ...(typeof state.own?.counter !== 'number' ? {} : { skerry_agent_written_bytes_total: one(state.own.counter) }),
    skerry_agent_image_pulls: one(Object.values(state.pulls ?? {}).filter((pull) => pull.active).length),
    skerry_agent_overrides: counted(state.overrides.map(({ kind }) => kind)),
  }
}

function ofTraffic(traffic: TrafficView | null): Samples {
  if (traffic === null) return {}
  return {
    skerry_agent_events_waiting: one(traffic.waiting),
    skerry_agent_events_dropped_total: one(traffic.dropped),
    ...(traffic.unsent === undefined ? {} : { skerry_agent_outbox_messages: one(traffic.unsent) }),
    skerry_agent_link_bytes_total: Object.entries(traffic.channels).flatMap(([type, { up, down }]) => [
      { labels: { direction: 'up', type }, value: up },
      { labels: { direction: 'down', type }, value: down },
    ]),
  }
}

function ofWorkloads(state: AgentState, now: Now): Samples {
  // a pod that is on its way out may have several containers: one row for each word
  const rows = new Map(fieldView(state, now).workloads.map((one_) => [`${one_.namespace}/${one_.name}/${one_.word}`, one_]))
  const wanted = [...rows.values()].filter(({ uid }) => uid !== '')
  return {
    skerry_workload_state: [...rows.values()].map(({ namespace, name, word }) => ({ labels: { namespace, pod: name, state: word }, value: 1 })),
    skerry_workload_restarts_total: wanted.map(({ namespace, name, restarts }) => ({ labels: { namespace, pod: name }, value: restarts })),
  }
}

function ofReading(state: AgentState, reading: Reading | null): Samples {
  if (reading === null) return {}
  const { memory, memoryTotal, disk, diskTotal, temperatureC } = reading.device
  const kinds = (used: number | undefined, total: number | undefined): readonly Sample[] =>
    used === undefined || total === undefined
      ? []
      : [
          { labels: { kind: 'used' }, value: used },
          { labels: { kind: 'total' }, value: total },
        ]
  const ofContainers = (value: (held: Reading['containers'][string]) => number | undefined): readonly Sample[] =>
    (state.observed ?? []).flatMap(({ id, namespace, podName, containerName, state: is }) => {
      const held = is === 'running' ? reading.containers[id] : undefined
      const found = held === undefined ? undefined : value(held)
      return found === undefined ? [] : [{ labels: { namespace, pod: podName, container: containerName }, value: found }]
    })
  return {
    skerry_container_cpu_seconds_total: ofContainers(({ cpuUs }) => (cpuUs === undefined ? undefined : cpuUs / 1e6)),
    skerry_container_memory_bytes: ofContainers(({ memory: bytes }) => bytes),
    skerry_container_pids: ofContainers(({ pids }) => pids),
    skerry_device_memory_bytes: kinds(memory, memoryTotal),
    skerry_device_disk_bytes: kinds(disk, diskTotal),
    skerry_numa_memory_bytes: Object.entries(reading.numa ?? {}).flatMap(([node, { total, free }]) => [
      { labels: { node, kind: 'total' }, value: total },
      { labels: { node, kind: 'free' }, value: free },
    ]),
    ...(temperatureC === undefined ? {} : { skerry_device_temperature_celsius: one(temperatureC) }),
  }
}

/** Both from the start on: a rate needs a first value. */
function ofPulls(pulls: PullTotals | null): readonly HistogramSample[] {
  if (pulls === null) return []
  return (['done', 'failed'] as const).map((result) => ({ labels: { result }, counts: pulls[result].counts, sum: pulls[result].seconds }))
}

/** From the inventory: nothing is asked of a driver for a scrape. */
function ofAccelerators({ inventory, desired }: AgentState): Samples {
  const all = inventory?.topology.accelerators ?? []
  const of = (value: (one_: Accelerator) => number | undefined, labels: Readonly<Record<string, string>> = {}): readonly Sample[] =>
    all.flatMap((accelerator) => {
      const found = value(accelerator)
      return found === undefined ? [] : [{ labels: { gpu: accelerator.id, ...labels }, value: found }]
    })
  const given = (id: string): number => desired?.pods.filter(({ placement }) => placement?.gpus?.includes(id) === true).length ?? 0
  return {
    skerry_gpu_info: all.map(({ id, kind, numaNode }) => ({ labels: { gpu: id, kind, node: String(numaNode ?? '') }, value: 1 })),
    skerry_gpu_pods: of(({ id }) => given(id)),
    skerry_gpu_utilization_ratio: of(({ loadPercent }) => (loadPercent === undefined ? undefined : loadPercent / 100)),
    skerry_gpu_memory_bytes: [
      ...of(({ memoryBytes, vramTotalBytes }) => memoryBytes ?? vramTotalBytes, { kind: 'total' }),
      ...of(({ vramUsedBytes }) => vramUsedBytes, { kind: 'used' }),
    ],
    skerry_gpu_temperature_celsius: of(({ temperatureC }) => temperatureC),
  }
}

function one(value: number): readonly Sample[] {
  return [{ labels: {}, value }]
}

function flag(yes: boolean): readonly Sample[] {
  return one(yes ? 1 : 0)
}

function counted(kinds: readonly string[]): readonly Sample[] {
  return [...new Set(kinds)].map((kind) => ({ labels: { kind }, value: kinds.filter((other) => other === kind).length }))
}
