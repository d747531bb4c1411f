/**
 * Counts what a connection sends before anything buffers or parses it: MQTT framing is one header byte, one to four length
 * bytes, then the body. aedes has no size limit of its own, and its parser would collect 256 MB.
 */
export type GateRefusal = 'pre-auth-bytes' | 'packet-bytes' | 'length-malformed'

export interface GateLimits {
  /** all bytes of a connection until it is authenticated */
  readonly preAuthBytes: number
  /** body of one packet after that */
  readonly packetBytes: number
}

export class PacketGate {
  readonly #limits: GateLimits
  #authenticated = false
  #total = 0
  /** bytes of the current body still to come */
  #body = 0
  /** length bytes read of the current header; -1 = the next byte is a header byte */
  #lengthBytes = -1
  #length = 0

  constructor(limits: GateLimits) {
    this.#limits = limits
  }

  authenticated(): void {
    this.#authenticated = true
  }

  /** Looks at bytes in the order they come. Not null: close the connection, and pass none of these bytes on. */
  refusalOf(chunk: Uint8Array): GateRefusal | null {
    if (!this.#authenticated) {
      this.#total += chunk.byteLength
      if (this.#total > this.#limits.preAuthBytes) return 'pre-auth-bytes'
    }
    for (let at = 0; at < chunk.byteLength;) {
      if (this.#body > 0) {
        const skipped = Math.min(this.#body, chunk.byteLength - at)
        this.#body -= skipped
        at += skipped
        continue
      }
      const refusal = this.#header(chunk[at] ?? 0)
      if (refusal !== null) return refusal
      at += 1
    }
    return null
  }

  #header(byte: number): GateRefusal | null {
    if (this.#lengthBytes < 0) {
      this.#lengthBytes = 0
      this.#length = 0
      return null
    }
    if (this.#lengthBytes === 4) return 'length-malformed'
    this.#length += (byte & 0x7f) * 128 ** this.#lengthBytes
    this.#lengthBytes += 1
    if (this.#length > this.#limits.packetBytes) return 'packet-bytes'
    if ((byte & 0x80) !== 0) return null
    this.#body = this.#length
    this.#lengthBytes = -1
    return null
  }
}
