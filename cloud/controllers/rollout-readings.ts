/**
 * Readings that gates of rollouts wait for: devices are asked as when a person looks at them, again and again as long as a gate
 * waits. INVARIANTS: nothing is stored, so a cloud that restarts asks anew; what no gate waits for is not asked for; readings of
 * these devices are not dropped for those of others.
 */
import type { TelemetrySample } from '../../protocol/telemetry.ts'
import { TelemetryBook } from './telemetry-book.ts'
import { telemetryLooks } from './telemetry-looks.ts'

export class RolloutReadings {
  /** key of a rollout -> devices */
  readonly #asked = new Map<string, ReadonlySet<string>>()
  readonly #samples: (device: string) => readonly TelemetrySample[]
  readonly #lookAt: (device: string) => void
  /** since when devices can be heard */
  readonly listensMs: number

  constructor(samples: (device: string) => readonly TelemetrySample[], lookAt: (device: string) => void, listensMs: number) {
    this.#samples = samples
    this.#lookAt = lookAt
    this.listensMs = listensMs
  }

  samples(device: string): readonly TelemetrySample[] {
    return this.#samples(device)
  }

  /** All that this rollout waits for; it takes the place of what it waited for before. */
  ask(rollout: string, devices: readonly string[]): void {
    if (devices.length === 0) this.#asked.delete(rollout)
    else this.#asked.set(rollout, new Set(devices))
    for (const device of devices) this.#lookAt(device)
  }

  needs(device: string): boolean {
    for (const devices of this.#asked.values()) if (devices.has(device)) return true
    return false
  }
}

/** The book of readings, with who is asked for them: by gates, and by people. */
export function keepReadings(deps: Parameters<typeof telemetryLooks>[0]): {
  readonly readings: RolloutReadings
  readonly telemetry: TelemetryBook
  readonly lookAt: (device: string) => void
} {
  const lookAt = telemetryLooks(deps)
  const readings: RolloutReadings = new RolloutReadings((device) => telemetry.samples(device), lookAt, deps.clock.nowMs())
  const telemetry: TelemetryBook = new TelemetryBook((device) => readings.needs(device))
  return { readings, telemetry, lookAt }
}
