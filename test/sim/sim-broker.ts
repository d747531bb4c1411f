/** A broker as MQTT 3.1.1 promises it, no more: retained messages, wills, QoS 1 that may duplicate, and it may forget everything. */
import { deviceMayPublish, deviceMaySubscribe, parseTopic } from '../../protocol/topics.ts'
import type { Prng } from './prng.ts'
import type { VirtualTime } from './virtual-time.ts'

export interface SimClient {
  readonly id: string
  readonly role: 'cloud' | 'device'
  onMessage(topic: string, bytes: Uint8Array, retain: boolean): void
  onGone(): void
}

interface Session {
  readonly client: SimClient
  readonly filters: Set<string>
  readonly will: { readonly topic: string; readonly bytes: Uint8Array } | null
}

export interface BrokerFaults {
  /** a message is delivered twice */
  duplicate: number
  /** a message takes much longer and is overtaken */
  delay: number
  /** a retained message is forgotten */
  forget: number
}

const TENANT = 'default'

export class SimBroker {
  readonly #time: VirtualTime
  readonly #random: Prng
  readonly #sessions = new Map<string, Session>()
  readonly #retained = new Map<string, Uint8Array>()
  readonly #cut = new Set<string>()
  readonly faults: BrokerFaults = { duplicate: 0, delay: 0, forget: 0 }
  up = true
  /** status messages vanish: for the proof that the checks bite */
  deaf = false
  /** a client wrote or read where it may not: invariant I10 */
  readonly trespasses: string[] = []
  /** sees what clients really wrote, before the broker handles it */
  onPublish: (topic: string, bytes: Uint8Array) => void = () => undefined

  constructor(time: VirtualTime, random: Prng) {
    this.#time = time
    this.#random = random
  }

  reachable(id: string): boolean {
    return this.up && !this.#cut.has(id)
  }

  connect(client: SimClient, will: Session['will']): boolean {
    if (!this.reachable(client.id)) return false
    this.#drop(client.id, true)
    this.#sessions.set(client.id, { client, filters: new Set(), will })
    return true
  }

  /** without a will when the client says good-bye, with it when it vanished */
  disconnect(client: SimClient, clean: boolean): void {
    if (this.#sessions.get(client.id)?.client === client) this.#drop(client.id, !clean)
  }

  /** The client's process died: its sockets are closed by the kernel, so the will comes at once. */
  died(id: string): void {
    if (!this.#cut.has(id)) this.#drop(id, true)
  }

  subscribe(client: SimClient, filters: readonly string[]): void {
    const session = this.#sessions.get(client.id)
    if (session?.client !== client) return
    for (const filter of filters) {
      if (client.role === 'device' && !deviceMaySubscribe(TENANT, client.id, filter)) this.trespasses.push(`${client.id} subscribed to ${filter}`)
      session.filters.add(filter)
      for (const [topic, bytes] of this.#retained) if (covers(filter, topic)) this.#deliver(session, topic, bytes, true)
    }
  }

  /** @returns true when the broker took it (the publisher sees the acknowledgement later, or never) */
  publish(client: SimClient, topic: string, bytes: Uint8Array, retain: boolean, done: (acknowledged: boolean) => void): void {
    this.#time.after(this.#random.int(1, 40), () => this.#take(client, topic, bytes, retain, done))
  }

  #take(client: SimClient, topic: string, bytes: Uint8Array, retain: boolean, done: (acknowledged: boolean) => void): void {
    if (this.#sessions.get(client.id)?.client !== client) return done(false)
    // TCP sends again until the cable is back or somebody gives the connection up
    if (!this.reachable(client.id)) return void this.#time.after(RETRANSMIT_MS, () => this.#take(client, topic, bytes, retain, done))
    if (client.role === 'device' && !deviceMayPublish(TENANT, client.id, topic)) this.trespasses.push(`${client.id} published to ${topic}`)
    this.onPublish(topic, bytes)
    if (this.deaf && topic.endsWith('/status')) return done(true)
    this.inject(topic, bytes, retain)
    // the acknowledgement itself may get lost: the publisher then sends again
    this.#time.after(this.#random.int(1, 20), () => done(this.reachable(client.id) && this.#sessions.get(client.id)?.client === client))
  }

  /** A message that appears at the broker, whoever wrote it: also an attacker's. */
  inject(topic: string, bytes: Uint8Array, retain: boolean): void {
    if (retain && !this.#random.chance(this.faults.forget)) {
      if (bytes.byteLength === 0) this.#retained.delete(topic)
      else this.#retained.set(topic, bytes)
    }
    for (const session of this.#sessions.values())
      if ([...session.filters].some((filter) => covers(filter, topic))) this.#deliver(session, topic, bytes, false)
  }

  /** the retained message as it is, for an attacker to replay */
  retained(topic: string): Uint8Array | undefined {
    return this.#retained.get(topic)
  }

  cut(id: string): void {
    this.#cut.add(id)
    // neither side is told; each notices by its keepalive
    const session = this.#sessions.get(id)
    this.#time.after(this.#random.int(5_000, 70_000), () => {
      if (this.#cut.has(id) && this.#sessions.get(id) === session && session !== undefined) this.#drop(id, true)
    })
  }

  heal(id: string): void {
    this.#cut.delete(id)
  }

  isCut(id: string): boolean {
    return this.#cut.has(id)
  }

  /** Restarted with nothing: sessions, subscriptions and retained messages are gone. */
  wipe(): void {
    this.#retained.clear()
    for (const id of Array.from(this.#sessions.keys())) this.#drop(id, false)
  }

  #drop(id: string, withWill: boolean): void {
    const session = this.#sessions.get(id)
    if (session === undefined) return
    this.#sessions.delete(id)
    session.client.onGone()
    if (withWill && session.will !== null) this.inject(session.will.topic, session.will.bytes, true)
  }

  #deliver(session: Session, topic: string, bytes: Uint8Array, retain: boolean): void {
    const copies = this.#random.chance(this.faults.duplicate) ? 2 : 1
    for (let copy = 0; copy < copies; copy += 1) {
      const latency = this.#random.chance(this.faults.delay) ? this.#random.int(500, 20_000) : this.#random.int(1, 40)
      this.#time.after(latency, () => this.#hand(session, topic, bytes, retain))
    }
  }

  #hand(session: Session, topic: string, bytes: Uint8Array, retain: boolean): void {
    if (this.#sessions.get(session.client.id) !== session) return
    if (this.reachable(session.client.id)) session.client.onMessage(topic, bytes, retain)
    else this.#time.after(RETRANSMIT_MS, () => this.#hand(session, topic, bytes, retain))
  }
}

const RETRANSMIT_MS = 1_000

/** Exact topics, and `+` for one level: all that our own filters use. */
function covers(filter: string, topic: string): boolean {
  if (parseTopic(topic) === null) return false
  const wanted = filter.split('/')
  const levels = topic.split('/')
  return wanted.length === levels.length && wanted.every((level, index) => level === '+' || level === levels[index])
}
