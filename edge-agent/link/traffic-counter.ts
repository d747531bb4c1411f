/** Bytes by channel, as MQTT puts them on the wire: payload, topic, header and acknowledgement. TLS adds about a twentieth. */
import type { Traffic } from '../core/data-budget.ts'

/** fixed header, topic length, packet id, and the four bytes of PUBACK */
const OVERHEAD = 12

export class TrafficCounter {
  readonly #counted = new Map<string, { up: number; down: number }>()

  up(topic: string, bytes: number): void {
    this.#row(topic).up += bytes + topic.length + OVERHEAD
  }

  down(topic: string, bytes: number): void {
    this.#row(topic).down += bytes + topic.length + OVERHEAD
  }

  /** by the last word of the topic; a copy */
  read(): Traffic {
    return Object.fromEntries([...this.#counted].map(([channel, row]) => [channel, { ...row }]))
  }

  #row(topic: string): { up: number; down: number } {
    const channel = topic.slice(topic.lastIndexOf('/') + 1)
    const found = this.#counted.get(channel)
    if (found !== undefined) return found
    const row = { up: 0, down: 0 }
    // channels come from our own table, so this is bounded; anything else shares one row
    if (this.#counted.size >= 16) return row
    this.#counted.set(channel, row)
    return row
  }
}
