/** How long a broker may take to acknowledge: pings may be answered by one that does nothing else. */
import { LIMITS } from '../../protocol/limits.ts'
import type { Clock } from '../ports.ts'

export class AckDeadlines {
  readonly #clock: Clock
  readonly #running = new Set<() => void>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  /** Calls back when nothing came in the table's time; the result ends it. */
  begin(late: (why: string) => void): () => void {
    const { value } = LIMITS.mqttAckMs
    const cancel = this.#clock.at(this.#clock.now().monoMs + value, () => {
      this.#running.delete(cancel)
      late(`the broker acknowledged nothing for ${value / 1000} s`)
    })
    this.#running.add(cancel)
    return () => {
      this.#running.delete(cancel)
      cancel()
    }
  }

  cancelAll(): void {
    for (const cancel of this.#running) cancel()
    this.#running.clear()
  }
}
