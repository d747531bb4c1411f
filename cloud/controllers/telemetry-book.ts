/**
 * The newest readings of each device, in memory only: a curve for people, and CPU peaks for the scheduler. INVARIANTS: per
 * device and in all no more than the table allows; what comes twice or late changes nothing that is newer; samples of one
 * device are in the order of its clock.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { Telemetry, TelemetrySample } from '../../protocol/telemetry.ts'

interface Kept {
  samples: TelemetrySample[]
  readonly cpu: Map<string, number[]>
  /** readings of the five minutes that are not over yet, by pod */
  open: { readonly span: number; readonly byPod: Map<string, number[]> } | null
  dropped: number
}

export class TelemetryBook {
  /** in the order of their last message */
  readonly #devices = new Map<string, Kept>()
  readonly #isNeeded: (device: string) => boolean

  /** @param isNeeded who must not go for others */
  constructor(isNeeded: (device: string) => boolean = () => false) {
    this.#isNeeded = isNeeded
  }

  take({ device, dropped, samples }: Telemetry): void {
    const kept = this.#devices.get(device) ?? { samples: [], cpu: new Map(), open: null, dropped: 0 }
    this.#devices.delete(device)
    this.#devices.set(device, kept)
    kept.dropped = dropped
    for (const sample of samples) takeSample(kept, sample)
    if (this.#devices.size > LIMITS.telemetryDevices.value) this.#dropOne()
  }

  /** One that is needed goes to the end of the line instead, so that it is looked at once a round. */
  #dropOne(): void {
    for (let looks = this.#devices.size; looks > 0; looks -= 1) {
      const [oldest] = this.#devices
      if (oldest === undefined) return
      const [device, kept] = oldest
      this.#devices.delete(device)
      if (!this.#isNeeded(device)) return
      this.#devices.set(device, kept)
    }
  }

  /** Oldest first; pods of one moment together. Empty while nobody wanted any. */
  samples(device: string): readonly TelemetrySample[] {
    return this.#devices.get(device)?.samples ?? []
  }

  /** CPU in milli of each pod by uid: the 90th percentile of each five minutes that are over, oldest first. */
  podCpu(device: string): ReadonlyMap<string, readonly number[]> {
    return this.#devices.get(device)?.cpu ?? new Map()
  }

  /** samples that the device gave up for space since its agent started */
  dropped(device: string): number {
    return this.#devices.get(device)?.dropped ?? 0
  }

  forget(device: string): void {
    this.#devices.delete(device)
  }
}

function takeSample(kept: Kept, sample: TelemetrySample): void {
  const atMs = Date.parse(sample.at)
  if (!Number.isFinite(atMs)) return
  const index = kept.samples.findLastIndex((one) => one.at <= sample.at)
  const same = kept.samples[index]
  if (same?.at === sample.at) kept.samples[index] = { ...same, ...sample, pods: { ...same.pods, ...sample.pods } }
  else kept.samples.splice(index + 1, 0, sample)
  kept.samples = kept.samples.slice(-LIMITS.telemetryKept.value)
  takeCpu(kept, Math.floor(atMs / LIMITS.telemetryCpuSpanMs.value), sample)
}

function takeCpu(kept: Kept, span: number, { pods = {} }: TelemetrySample): void {
  if (kept.open !== null && span < kept.open.span) return
  if (kept.open === null || span > kept.open.span) {
    for (const [uid, values] of kept.open?.byPod ?? []) {
      kept.cpu.set(uid, [...(kept.cpu.get(uid) ?? []), peakOf(values)].slice(-LIMITS.telemetryCpuKept.value))
    }
    // a pod that was not seen in the last span is gone
    if (kept.open !== null) for (const uid of kept.cpu.keys()) if (!kept.open.byPod.has(uid)) kept.cpu.delete(uid)
    kept.open = { span, byPod: new Map() }
  }
  for (const [uid, { cpuMilli }] of Object.entries(pods)) {
    if (cpuMilli === undefined) continue
    const values = kept.open.byPod.get(uid) ?? []
    if (values.length < VALUES_MAX) values.push(cpuMilli)
    kept.open.byPod.set(uid, values)
  }
}

/** five minutes at the fastest, and each of them twice */
const VALUES_MAX = 60

/** 90th percentile, nearest rank */
function peakOf(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b)
  return sorted[Math.max(0, Math.ceil(0.9 * sorted.length) - 1)] ?? 0
}
