/**
 * The value of one device, as a gate measures it: the mean over a span that lies wholly after `sinceMs`. Silence is neither
 * good nor bad: what is missing, old, too short or stamped in the future is not known, which is null.
 */
import { LIMITS } from '../../../protocol/limits.ts'
import type { TelemetrySample } from '../../../protocol/telemetry.ts'
import type { FullMetric, ReadingName } from '../../resources/rollout-metric.ts'
import type { NodeFacts, PodFacts } from './facts.ts'

export interface ReadingTimes {
  /** since when the device is done; what it was before says nothing */
  readonly sinceMs: number
  readonly nowMs: number
}

export function readingOf(
  { reading, forMs }: FullMetric,
  facts: NodeFacts,
  samples: readonly TelemetrySample[],
  { sinceMs, nowMs }: ReadingTimes,
): number | null {
  const pods = podsOf(facts)
  if (pods === null) return null
  if (reading === 'podRestarts') return facts.silentSinceMs !== null || nowMs - sinceMs < forMs ? null : restartsOf(pods, sinceMs)
  const uids = pods.map(({ uid }) => uid)
  const points = samples.flatMap((sample): readonly Point[] => {
    const value = VALUES[reading](sample, uids)
    return value === null ? [] : [{ atMs: Date.parse(sample.at), spanMs: sample.spanSeconds * 1000, value }]
  })
  return meanOf(points, forMs, { sinceMs, nowMs })
}

interface Point {
  readonly atMs: number
  readonly spanMs: number
  readonly value: number
}

function meanOf(points: readonly Point[], forMs: number, { sinceMs, nowMs }: ReadingTimes): number | null {
  const newest = points.at(-1)?.atMs
  if (newest === undefined || newest < nowMs - LIMITS.rolloutReadingStaleMs.value || newest > nowMs + LIMITS.rolloutReadingAheadMs.value) return null
  const from = newest - forMs
  if (from < sinceMs) return null
  let [covered, sum] = [0, 0]
  for (const { atMs, spanMs, value } of points) {
    const ms = Math.min(spanMs, atMs - from)
    if (ms <= 0) continue
    covered += ms
    sum += ms * value
  }
  // a link that swallows some of them is no reason to know nothing
  return covered * 2 < forMs ? null : sum / covered
}

/** null = one of them is not there */
function podsOf({ pods }: NodeFacts): readonly PodFacts[] | null {
  const here = pods.flatMap((pod) => (typeof pod === 'string' || pod.deleting ? [] : [pod]))
  return here.length === pods.filter((pod) => pod !== 'elsewhere').length ? here : null
}

function restartsOf(pods: readonly PodFacts[], sinceMs: number): number {
  return pods.flatMap(({ startedMs }) => startedMs).filter((ms) => ms === null || ms > sinceMs).length
}

type Value = (sample: TelemetrySample, uids: readonly string[]) => number | null

const ofPods =
  (field: 'cpuMilli' | 'memory' | 'pids'): Value =>
  ({ pods = {} }, uids) => {
    const values = uids.map((uid) => pods[uid]?.[field])
    return values.every((value) => value !== undefined) ? values.reduce((sum, value) => sum + value, 0) : null
  }
const share = (used: number | undefined, total: number | undefined): number | null =>
  used === undefined || total === undefined || total === 0 ? null : (100 * used) / total

const VALUES: Readonly<Record<Exclude<ReadingName, 'podRestarts'>, Value>> = {
  podCpu: ofPods('cpuMilli'),
  podMemory: ofPods('memory'),
  podPids: ofPods('pids'),
  deviceCpu: ({ device }) => device?.cpuMilli ?? null,
  deviceMemoryPercent: ({ device }) => share(device?.memory, device?.memoryTotal),
  deviceDiskPercent: ({ device }) => share(device?.disk, device?.diskTotal),
  deviceTemperatureC: ({ device }) => device?.temperatureC ?? null,
}
