/**
 * Retained messages by exact topic. Replaces the two methods of aedes' in-memory persistence that scan every retained message on
 * each SUBSCRIBE: with one message per device, a fleet that reconnects would cost the square of its size. Bounded because
 * only topics of the table are ever stored (topic-rules.ts), each with at most the table's bytes.
 */
import { Readable } from 'node:stream'

export interface RetainedPacket {
  readonly cmd: 'publish'
  readonly topic: string
  readonly payload: Buffer
  readonly qos: number
  readonly retain: true
}

/** The part of aedes' persistence that is replaced. */
export interface RetainedPersistence {
  storeRetained(packet: { readonly topic: string; readonly payload: string | Buffer; readonly qos: number }): Promise<void>
  createRetainedStreamCombi(filters: readonly string[]): Readable
}

export class RetainedMessages implements RetainedPersistence {
  readonly #byTopic = new Map<string, RetainedPacket>()

  storeRetained({ topic, payload, qos }: { readonly topic: string; readonly payload: string | Buffer; readonly qos: number }): Promise<void> {
    if (payload.length === 0) this.#byTopic.delete(topic)
    // a copy: the payload is a view into a whole network chunk, which would be kept with it
    else this.#byTopic.set(topic, { cmd: 'publish', topic, payload: Buffer.from(payload), qos, retain: true })
    return Promise.resolve()
  }

  createRetainedStreamCombi(filters: readonly string[]): Readable {
    return Readable.from(this.#matching(filters))
  }

  *#matching(filters: readonly string[]): Generator<RetainedPacket> {
    for (const filter of filters) {
      if (!/[+#]/.test(filter)) {
        const packet = this.#byTopic.get(filter)
        if (packet !== undefined) yield packet
        continue
      }
      const levels = filter.split('/')
      for (const packet of this.#byTopic.values()) if (matches(levels, packet.topic.split('/'))) yield packet
    }
  }
}

/** aedes has made its own persistence by now; two of its methods give way to ours. */
export function replaceRetained(aedes: object): void {
  const retained = new RetainedMessages()
  const { persistence } = aedes as { readonly persistence: RetainedPersistence }
  persistence.storeRetained = (packet) => retained.storeRetained(packet)
  persistence.createRetainedStreamCombi = (filters) => retained.createRetainedStreamCombi(filters)
}

/** Our topics never start with '$', so the rule that hides those from wildcards is not needed. */
function matches(filter: readonly string[], topic: readonly string[]): boolean {
  for (const [index, level] of filter.entries()) {
    if (level === '#') return true
    if (index >= topic.length || (level !== '+' && level !== topic[index])) return false
  }
  return filter.length === topic.length
}
