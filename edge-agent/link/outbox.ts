/**
 * What the device last said, one value a channel. Not a queue: a newer value replaces an older one that was not sent yet.
 *
 * INVARIANTS
 * - Memory is bounded by the channels: one value each.
 * - At most one value of a channel is in flight on a connection.
 * - A value counts as sent only when the broker acknowledged it on the connection that is up now.
 * - After each new connection every last value is sent again: the broker may have lost what it had.
 */
export type OutboxChannel = 'status' | 'inventory'

/** Publishes on one connection and calls back once: true = acknowledged. After false the connection is given up. */
export type Send = (channel: OutboxChannel, bytes: Uint8Array, done: (acknowledged: boolean) => void) => void

interface Slot {
  bytes: Uint8Array
  sent: boolean
  inFlight: boolean
}

export class Outbox {
  readonly #slots = new Map<OutboxChannel, Slot>()
  #send: Send | null = null

  put(channel: OutboxChannel, bytes: Uint8Array): void {
    const slot = this.#slots.get(channel)
    if (slot === undefined) this.#slots.set(channel, { bytes, sent: false, inFlight: false })
    else {
      slot.bytes = bytes
      slot.sent = false
    }
    this.#flush(channel)
  }

  connected(send: Send): void {
    this.#send = send
    for (const [channel, slot] of this.#slots) {
      slot.sent = false
      slot.inFlight = false
      this.#flush(channel)
    }
  }

  unsent(): number {
    return [...this.#slots.values()].filter(({ sent }) => !sent).length
  }

  disconnected(): void {
    this.#send = null
  }

  #flush(channel: OutboxChannel): void {
    const send = this.#send
    const slot = this.#slots.get(channel)
    if (send === null || slot === undefined || slot.sent || slot.inFlight) return
    const bytes = slot.bytes
    slot.inFlight = true
    send(channel, bytes, (acknowledged) => {
      // an answer from a connection that is gone says nothing about this one
      if (this.#send !== send) return
      slot.inFlight = false
      if (!acknowledged) return
      slot.sent = slot.bytes === bytes
      this.#flush(channel)
    })
  }
}
