/**
 * The broker inside the cloud process: aedes (MQTT 3.1.1) behind our own doors.
 *
 * INVARIANTS
 * - A connection is nobody until `authenticate` has named it, and its client id is then that name: no one else can take it over.
 * - Every byte passes the packet gate before aedes sees it.
 * - A refused publish is turned into an empty one on a topic that nobody can subscribe to, and acknowledged: MQTT 3.1.1 has no
 *   other way to refuse without closing the connection, and a device with one bad message must still hear us.
 * - All sessions are clean. The broker queues for nobody who is away: documents are retained, the rest is asked for again.
 */
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { Aedes } from 'aedes'
import type { AedesOptions, Client } from 'aedes'
import { LIMITS } from '../../protocol/limits.ts'
import type { Log } from '../ports.ts'
import type { Authenticate } from './device-credentials.ts'
import { Doors } from './doors.ts'
import type { Door, TlsPair } from './doors.ts'
import { joinedPair } from './joined-pair.ts'
import { PacketGate } from './packet-gate.ts'
import { Refusals } from './refusals.ts'
import { replaceRetained } from './retained-messages.ts'
import { mayReceive, maySubscribe, publishRefusal } from './topic-rules.ts'
import type { Identity } from './topic-rules.ts'

export interface EmbeddedBrokerOptions {
  readonly doors: readonly Door[]
  readonly tenant: string
  readonly authenticate: Authenticate
  readonly log: Log
  /** default LIMITS.mqttConnectionsPerAddress */
  readonly connectionsPerAddress?: number
}

export interface EmbeddedBroker {
  /** of the first door of a broker that listens */
  readonly port: number
  /** another certificate at the doors with TLS; who is connected stays so */
  show(tls: TlsPair): void
  /** lets devices in. Rejects when the address cannot be had */
  listen(): Promise<void>
  /** a connection of this process itself, which needs no network: half of a busy broker's system calls are its own cloud's */
  connectInside(): Duplex
  /** clients that are connected and known by name */
  connections(): number
  /** refused connections, publishes and subscriptions by reason */
  refusals(): Readonly<Record<string, number>>
  /** closes a device's connection, if it has one: for revocation */
  disconnect(device: string): void
  close(): Promise<void>
}

/** Works, for this process alone until it is told to listen. */
export async function openEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const broker = new Broker(options)
  await broker.open()
  return broker
}

/** Resolves when it listens. Rejects when the address cannot be had. */
export async function startEmbeddedBroker(options: EmbeddedBrokerOptions): Promise<EmbeddedBroker> {
  const broker = await openEmbeddedBroker(options)
  await broker.listen()
  return broker
}

const GATE = { preAuthBytes: LIMITS.mqttPreAuthBytes.value, packetBytes: LIMITS.mqttPacketBytes.value }

class Broker implements EmbeddedBroker {
  readonly #options: EmbeddedBrokerOptions
  readonly #refusals = new Refusals()
  readonly #identities = new WeakMap<Client, Identity>()
  readonly #clients = new Map<string, Client>()
  readonly #gates = new WeakMap<object, PacketGate>()
  readonly #inside = new Set<Duplex>()
  readonly #aedes: Aedes
  readonly #doors: Doors

  constructor(options: EmbeddedBrokerOptions) {
    this.#options = options
    this.#aedes = new Aedes(this.#aedesOptions())
    this.#aedes.on('client', (client) => this.#clients.set(client.id, client))
    this.#aedes.on('clientDisconnect', (client) => {
      if (this.#clients.get(client.id) === client) this.#clients.delete(client.id)
    })
    this.#aedes.on('connectionError', () => this.#refusals.count('connection'))
    this.#aedes.on('clientError', () => this.#refusals.count('client'))
    // not in its types: a failure of its own parts, which must not end the process
    const emitter: NodeJS.EventEmitter = this.#aedes
    emitter.on('error', (error) => options.log.error('the broker had a fault', { error: String(error) }))
    this.#doors = new Doors(options.doors, {
      log: options.log,
      perAddress: options.connectionsPerAddress ?? LIMITS.mqttConnectionsPerAddress.value,
      refused: (why) => this.#refusals.count(why),
      serve: (socket) => this.#serve(socket),
    })
  }

  get port(): number {
    return this.#doors.ports()[0] ?? 0
  }

  async open(): Promise<void> {
    await this.#aedes.listen()
    replaceRetained(this.#aedes)
  }

  async listen(): Promise<void> {
    await this.#doors.listen().catch(async (error: unknown) => {
      await this.#closeAedes()
      throw error
    })
  }

  show(tls: TlsPair): void {
    this.#doors.show(tls)
  }

  connectInside(): Duplex {
    const [ours, theirs] = joinedPair()
    if (this.#aedes.closed) return ours.destroy()
    theirs.on('close', () => this.#inside.delete(theirs))
    this.#inside.add(theirs)
    this.#aedes.handle(theirs)
    return ours
  }

  connections(): number {
    return this.#clients.size
  }

  refusals(): Readonly<Record<string, number>> {
    return this.#refusals.read()
  }

  disconnect(device: string): void {
    this.#clients.get(device)?.close()
  }

  async close(): Promise<void> {
    const closed = this.#doors.close()
    await this.#closeAedes()
    this.#doors.destroySockets()
    for (const inside of this.#inside) inside.destroy()
    await closed
  }

  #closeAedes(): Promise<void> {
    return new Promise((resolve) => {
      this.#aedes.close(resolve)
    })
  }

  #serve(socket: Socket): void {
    const gate = new PacketGate(GATE)
    this.#gates.set(socket, gate)
    // aedes pulls with read(): what it gets passes the gate first, with no copy and no stream between
    const read = socket.read.bind(socket)
    socket.read = (size?: number): Buffer | null => {
      const chunk = read(size) as Buffer | null
      const refusal = chunk === null ? null : gate.refusalOf(chunk)
      if (refusal === null) return chunk
      this.#refusals.count(refusal)
      socket.destroy()
      return null
    }
    socket.setNoDelay(true)
    this.#aedes.handle(socket)
  }

  #aedesOptions(): AedesOptions {
    const { tenant, authenticate } = this.#options
    return {
      concurrency: LIMITS.mqttBrokerConcurrency.value,
      connectTimeout: LIMITS.mqttBrokerConnectMs.value,
      drainTimeout: LIMITS.mqttBrokerDrainMs.value,
      keepaliveLimit: LIMITS.mqttKeepaliveMaxS.value,
      maxTopicLevels: LIMITS.mqttTopicLevels.value,
      preConnect: (_client, packet, done) => {
        packet.clean = true
        done(null, true)
      },
      authenticate: (client, username, password, done) => {
        const identity = authenticate(client.id, username ?? '', password?.toString('utf8') ?? '')
        if (identity === null || (identity.role === 'device' && identity.device !== client.id)) {
          this.#refusals.count('credentials')
          return done(null, false)
        }
        this.#identities.set(client, identity)
        this.#gates.get(client.conn)?.authenticated()
        done(null, true)
      },
      authorizePublish: (client, packet, done) => {
        const identity = client === null ? undefined : this.#identities.get(client)
        const asked = { topic: packet.topic, qos: packet.qos, retain: packet.retain, bytes: packet.payload.length }
        const refusal = identity === undefined ? 'topic' : publishRefusal(tenant, identity, asked)
        if (refusal !== null) {
          this.#refusals.count(`publish-${refusal}`)
          packet.topic = '$refused'
          packet.retain = false
          packet.payload = Buffer.alloc(0)
        }
        done(null)
      },
      authorizeSubscribe: (client, subscription, done) => {
        const identity = this.#identities.get(client)
        if (identity !== undefined && maySubscribe(tenant, identity, subscription.topic)) return done(null, subscription)
        this.#refusals.count('subscribe')
        done(null, null)
      },
      authorizeForward: (client, packet) => {
        const identity = this.#identities.get(client)
        if (identity !== undefined && mayReceive(tenant, identity, packet.topic)) return packet
        this.#refusals.count('forward')
        return null
      },
    }
  }
}
