/**
 * Bytes by channel as a data plan counts them: MQTT, TLS, and the headers of TCP and IP. What is below MQTT is reckoned, not
 * measured; `scripts/bench` holds it against the counters of a network interface.
 */
import type { Traffic } from '../core/data-budget.ts'

/** fixed header, lengths and packet id of a message; its acknowledgement */
const MQTT = { message: 8, ack: 4, ping: 2 }
/** IPv4, and TCP with time stamps */
const SEGMENT = { header: 52, payload: 1_400 }
/** TLS 1.3: header, content type and tag */
const RECORD = { header: 22, payload: 16_384 }
/** both hellos, a chain of one or two ECDSA certificates and their answers; then CONNECT, SUBSCRIBE and what they are answered with */
const CONNECT = { tcp: 460, tls: 2_300, mqtt: 900 }

export class TrafficCounter {
  readonly #tls: boolean
  readonly #counted = new Map<string, { up: number; down: number }>()

  /** @param tls false = plain TCP */
  constructor(tls: boolean) {
    this.#tls = tls
  }

  up(topic: string, bytes: number): void {
    this.#exchange(topic, 'up', topic.length + bytes)
  }

  down(topic: string, bytes: number): void {
    this.#exchange(topic, 'down', topic.length + bytes)
  }

  /** asked and answered */
  ping(): void {
    const row = this.#row('keepalive')
    row.up += this.#wire(MQTT.ping) + SEGMENT.header
    row.down += this.#wire(MQTT.ping)
  }

  /** one try; most of it is the certificate of the other side */
  connect(): void {
    const row = this.#row('connect')
    row.up += (CONNECT.tcp + CONNECT.mqtt) / 2 + (this.#tls ? CONNECT.tls / 4 : 0)
    row.down += (CONNECT.tcp + CONNECT.mqtt) / 2 + (this.#tls ? (CONNECT.tls * 3) / 4 : 0)
  }

  /** by the last word of the topic; a copy */
  read(): Traffic {
    return Object.fromEntries([...this.#counted].map(([channel, row]) => [channel, { ...row }]))
  }

  /** A message one way, its acknowledgement the other way, and TCP's own for that. */
  #exchange(topic: string, way: 'up' | 'down', bytes: number): void {
    const row = this.#row(topic.slice(topic.lastIndexOf('/') + 1))
    row[way] += this.#wire(MQTT.message + bytes) + SEGMENT.header
    row[way === 'up' ? 'down' : 'up'] += this.#wire(MQTT.ack)
  }

  #wire(bytes: number): number {
    const inRecords = this.#tls ? bytes + Math.ceil(bytes / RECORD.payload) * RECORD.header : bytes
    return inRecords + Math.ceil(inRecords / SEGMENT.payload) * SEGMENT.header
  }

  #row(channel: string): { up: number; down: number } {
    const found = this.#counted.get(channel)
    if (found !== undefined) return found
    const row = { up: 0, down: 0 }
    // channels come from our own table, so this is bounded; anything else shares one row
    if (this.#counted.size >= 16) return row
    this.#counted.set(channel, row)
    return row
  }
}
