/**
 * What is said over one connection to a broker. INVARIANTS
 * - Whatever is published is acknowledged within the table's time, or the connection is given up.
 * - After `leave` nothing that the connection still says counts, and nobody waits for it.
 */
import type { MqttClient } from 'mqtt'
import { LIMITS } from '../../protocol/limits.ts'
import { topicOf, TOPICS } from '../../protocol/topics.ts'
import type { Channel } from '../../protocol/topics.ts'
import type { Clock } from '../ports.ts'
import { AckDeadlines } from './ack-deadlines.ts'
import type { MqttLinkOptions } from './client-options.ts'
import type { TrafficCounter } from './traffic-counter.ts'

export interface ConnectionDeps {
  readonly clock: Clock
  readonly traffic: TrafficCounter
  /** the broker acknowledged something */
  heard(): void
  lost(why: string): void
}

const SUBACK_REFUSED = 128

export class Connection {
  readonly client: MqttClient
  readonly #who: Pick<MqttLinkOptions, 'tenant' | 'device'>
  readonly #deps: ConnectionDeps
  readonly #deadlines: AckDeadlines
  /** calls that wait for the broker's answer */
  readonly #waiting = new Set<() => void>()
  #left = false

  constructor(client: MqttClient, who: Pick<MqttLinkOptions, 'tenant' | 'device'>, deps: ConnectionDeps) {
    this.client = client
    this.#who = who
    this.#deps = deps
    this.#deadlines = new AckDeadlines(deps.clock)
  }

  subscribe(topics: readonly string[], done: () => void): void {
    const cancel = this.#deadlines.begin((why) => this.#deps.lost(why))
    this.client.subscribe([...topics], { qos: 1 }, (error, _granted, packet) => {
      cancel()
      if (this.#left) return
      const refused = topics.find((_topic, index) => packet?.granted[index] === SUBACK_REFUSED)
      if (refused !== undefined) this.#deps.lost(`the broker refused the subscription to ${refused}`)
      else if (error !== null) this.#deps.lost(`subscribing failed: ${error.message}`)
      else done()
    })
  }

  /** @param heard what an acknowledgement means beside; a sign of life is only an answer */
  publish(channel: Channel, bytes: Uint8Array, done: (acknowledged: boolean) => void = () => {}, heard = () => this.#deps.heard()): void {
    const { qos, retain } = TOPICS[channel]
    const topic = topicOf(this.#who.tenant, this.#who.device, channel)
    const cancel = this.#deadlines.begin((why) => this.#deps.lost(why))
    this.#deps.traffic.up(topic, bytes.byteLength)
    this.client.publish(topic, Buffer.from(bytes), { qos, retain }, (error) => {
      cancel()
      const acknowledged = error === undefined || error === null
      if (acknowledged && !this.#left) heard()
      done(acknowledged)
      if (!acknowledged) this.#deps.lost('the broker did not take a message')
    })
  }

  /** true when the broker has it */
  deliver(channel: Channel, bytes: Uint8Array): Promise<boolean> {
    return new Promise((resolve) => {
      // a connection that ends calls back with an error, or not at all: the next one sends again
      const abandoned = (): void => resolve(false)
      this.#waiting.add(abandoned)
      this.publish(channel, bytes, (acknowledged) => {
        this.#waiting.delete(abandoned)
        resolve(acknowledged)
      })
    })
  }

  /** Resolves when that is said and the connection has ended, or when it takes too long. */
  sayGoodbye(presence: Uint8Array): Promise<void> {
    const { clock } = this.#deps
    return new Promise((resolve) => {
      const cancel = clock.at(clock.now().monoMs + LIMITS.mqttGoodbyeMs.value, resolve)
      this.publish('presence', presence, () => {
        cancel()
        this.client.end(false, {}, () => resolve())
      })
    })
  }

  ping(): void {
    this.#deps.traffic.ping()
    this.client.sendPing()
    this.putOffOwnPing()
  }

  /** The library's ping would come beside ours. */
  putOffOwnPing(): void {
    this.client.reschedulePing(true)
  }

  leave(): void {
    this.#left = true
    for (const abandoned of this.#waiting) abandoned()
    this.#waiting.clear()
    this.#deadlines.cancelAll()
  }
}
