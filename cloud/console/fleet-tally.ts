/** Counts over the whole fleet, kept up to date row by row, with a day of samples. */
import type { SummaryPart } from './live-protocol.ts'
import type { DeviceRow, PodRow, Standing, WorkloadRow } from './view-model.ts'
import { STANDING_ORDER } from './vocabulary.ts'

export const SAMPLE_MS = 600_000
const SAMPLES = 144
const NEW_MS = 3_600_000
/** A label with more values than this groups nothing. */
const MOST_VALUES = 2000

const PLACES = ['site', 'zone', 'region', 'fleet', 'line', 'model']

type WorkloadWord = keyof SummaryPart['workloads']

export class FleetTally {
  readonly #standings = Object.fromEntries(STANDING_ORDER.map((one) => [one, 0])) as Record<Standing, number>
  readonly #workloads: Record<WorkloadWord, number> = { trouble: 0, unknown: 0, changing: 0, fine: 0 }
  readonly #labels = new Map<string, Map<string, number>>()
  readonly #offline = new Map<string, number>()
  readonly #held = new Map<string, DeviceRow>()
  #devices = 0
  #notPlaced = 0
  #samples: { readonly standings: Readonly<Record<Standing, number>>; readonly notPlaced: number }[] = []

  device(before: DeviceRow | null, after: DeviceRow | null): void {
    this.#devices += (after === null ? 0 : 1) - (before === null ? 0 : 1)
    if (before !== null) this.#standings[before.standing] -= 1
    if (after !== null) this.#standings[after.standing] += 1
    if (before !== null && after?.standing !== 'offline') this.#offline.delete(before.name)
    if (after?.standing === 'offline') this.#offline.set(after.name, after.heardAtMs ?? 0)
    if (before !== null) this.#held.delete(before.name)
    if (after !== null && after.held > 0) this.#held.set(after.name, after)
    if (before?.labels === after?.labels) return
    for (const [key, value] of Object.entries(before?.labels ?? {})) this.#label(key, value, -1)
    for (const [key, value] of Object.entries(after?.labels ?? {})) this.#label(key, value, 1)
  }

  pod(before: PodRow | null, after: PodRow | null): void {
    this.#notPlaced += (after?.word === 'not-placed' ? 1 : 0) - (before?.word === 'not-placed' ? 1 : 0)
  }

  workload(before: WorkloadRow | null, after: WorkloadRow | null): void {
    if (before !== null) this.#workloads[before.word] -= 1
    if (after !== null) this.#workloads[after.word] += 1
  }

  sample(): void {
    this.#samples = [...this.#samples, { standings: { ...this.#standings }, notPlaced: this.#notPlaced }].slice(-SAMPLES)
  }

  part(nowMs: number, waiting: number): SummaryPart {
    let newlyOffline = 0
    for (const since of this.#offline.values()) if (nowMs - since < NEW_MS) newlyOffline += 1
    const row = (standing: Standing): readonly number[] => this.#samples.map((one) => one.standings[standing])
    return {
      devices: this.#devices,
      standings: { ...this.#standings },
      workloads: { ...this.#workloads },
      podsNotPlaced: this.#notPlaced,
      newlyOffline,
      waiting,
      labels: this.groupingLabels(),
      history: {
        stepMs: SAMPLE_MS,
        standings: { failed: row('failed'), offline: row('offline'), updating: row('updating'), ok: row('ok') },
        notPlaced: this.#samples.map((one) => one.notPlaced),
      },
    }
  }

  /** Devices where people on site decided something. */
  held(): Iterable<DeviceRow> {
    return this.#held.values()
  }

  /** Label keys that tell devices apart, those of places first. */
  groupingLabels(): readonly { readonly key: string; readonly values: number }[] {
    return [...this.#labels]
      .filter(
        ([key, counts]) =>
          counts.size <= MOST_VALUES && key !== 'kubernetes.io/hostname' && (counts.size > 1 ? counts.size < this.#devices : isPlace(key)),
      )
      .map(([key, counts]) => ({ key, values: counts.size }))
      .sort((a, b) => rank(a.key) - rank(b.key) || a.values - b.values || (a.key < b.key ? -1 : 1))
      .slice(0, 40)
  }

  #label(key: string, value: string, by: 1 | -1): void {
    const counts = this.#labels.get(key) ?? new Map<string, number>()
    const count = (counts.get(value) ?? 0) + by
    if (count > 0) counts.set(value, count)
    else counts.delete(value)
    if (counts.size === 0) this.#labels.delete(key)
    else this.#labels.set(key, counts)
  }
}

function rank(key: string): number {
  const place = PLACES.indexOf(key.split('/').at(-1) ?? '')
  if (place >= 0) return place
  // what a machine says of its own hardware groups a fleet last
  return key.startsWith('feature.node.kubernetes.io/') ? PLACES.length + 1 : PLACES.length
}

function isPlace(key: string): boolean {
  return rank(key) < PLACES.length
}
