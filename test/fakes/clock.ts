/** A clock that a test turns by hand. Callbacks run in the order of their moments; promises get their turn between them. */
import type { Clock } from '../../edge-agent/ports.ts'
import type { Now } from '../../edge-agent/core/model.ts'

interface Alarm {
  readonly monoMs: number
  readonly order: number
  readonly run: () => void
}

export class FakeClock implements Clock {
  #monoMs = 1_000
  #wallMs = Date.UTC(2026, 0, 1)
  #order = 0
  readonly #alarms = new Set<Alarm>()

  now(): Now {
    return { monoMs: this.#monoMs, wallMs: this.#wallMs }
  }

  at(monoMs: number, run: () => void): () => void {
    this.#order += 1
    const alarm = { monoMs, order: this.#order, run }
    this.#alarms.add(alarm)
    return () => void this.#alarms.delete(alarm)
  }

  /** how many callbacks wait */
  get waiting(): number {
    return this.#alarms.size
  }

  /** only the wall clock jumps, as when a device without a battery learns the time */
  jumpWall(ms: number): void {
    this.#wallMs += ms
  }

  /** Lets everything happen that is due within `ms`. */
  async advance(ms: number): Promise<void> {
    const end = this.#monoMs + ms
    await settle()
    for (let next = this.#due(end); next !== null; next = this.#due(end)) {
      this.#alarms.delete(next)
      this.#moveTo(Math.max(next.monoMs, this.#monoMs))
      next.run()
      await settle()
    }
    this.#moveTo(end)
  }

  #moveTo(monoMs: number): void {
    this.#wallMs += monoMs - this.#monoMs
    this.#monoMs = monoMs
  }

  #due(end: number): Alarm | null {
    let first: Alarm | null = null
    for (const alarm of this.#alarms) {
      if (alarm.monoMs <= end && (first === null || alarm.monoMs < first.monoMs || (alarm.monoMs === first.monoMs && alarm.order < first.order)))
        first = alarm
    }
    return first
  }
}

/** Promise chains of the code under test run to their end. */
export async function settle(): Promise<void> {
  for (let round = 0; round < 3; round += 1) await new Promise((resolve) => setImmediate(resolve))
}
