/**
 * The cloud's connection to a broker, embedded or outside: the only user of the mqtt library here.
 *
 * INVARIANTS
 * - At most one client lives; each try makes a new one, so nothing the library stored reaches another connection.
 * - An event of a client that is not the current one changes nothing.
 * - "Connected" means that the broker granted every subscription.
 * - Nothing waits here: a publish is in flight on a live connection or it is rejected, and its caller keeps the key. When the
 *   connection goes, everything in flight is rejected.
 */
import type { Duplex } from 'node:stream'
import { connect, MqttClient } from 'mqtt'
import type { IClientOptions } from 'mqtt'
import { LIMITS } from '../../protocol/limits.ts'
import { cloudSubscriptions, topicOf, TOPICS } from '../../protocol/topics.ts'
import type { Channel } from '../../protocol/topics.ts'
import type { Clock, DeviceLink, DeviceMessage, Log, Meter, Random, SessionLink } from '../ports.ts'
import { readInbound } from './inbound.ts'
import { PacketGate } from './packet-gate.ts'
import { Refusals } from './refusals.ts'

export interface MqttLinkOptions {
  /** mqtt://host:port or mqtts://host:port, or a way to a broker in this process */
  readonly broker: string | (() => Duplex)
  readonly tenant: string
  readonly clientId: string
  readonly username: string
  readonly password: string
  /** PEM of the authority of the broker's certificate; absent = the system's */
  readonly ca?: string
}

export interface MqttLinkDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
  readonly meter?: Meter
}

/** Starts connecting at once and never stops trying; register handlers in the same turn. */
export function openMqttLink(options: MqttLinkOptions, deps: MqttLinkDeps): DeviceLink & SessionLink {
  const link = new MqttLink(options, deps)
  link.start()
  return link
}

class MqttLink implements DeviceLink, SessionLink {
  readonly #options: MqttLinkOptions
  readonly #deps: MqttLinkDeps
  readonly #refusals = new Refusals()
  readonly #messageHandlers: ((message: DeviceMessage) => void)[] = []
  readonly #connectedHandlers: (() => void)[] = []
  readonly #inFlight = new Set<(error: Error) => void>()
  #client: MqttClient | null = null
  #cancelTimer: () => void = () => undefined
  #connectedSince: number | null = null
  #failures = 0
  #stopped = false

  constructor(options: MqttLinkOptions, deps: MqttLinkDeps) {
    this.#options = options
    this.#deps = deps
  }

  start(): void {
    const { broker, clientId, username, password, ca } = this.#options
    const options: IClientOptions = {
      clientId,
      username,
      password,
      protocolVersion: 4,
      clean: true,
      keepalive: LIMITS.mqttKeepaliveS.value,
      connectTimeout: LIMITS.mqttConnectMs.value,
      reconnectPeriod: 0,
      resubscribe: false,
      queueQoSZero: false,
      ...(ca === undefined ? {} : { ca }),
    }
    const client = typeof broker === 'string' ? connect(broker, options) : new MqttClient(broker, options)
    this.#client = client
    if (typeof broker === 'string') this.#guard(client)
    let why = 'the connection was closed'
    client.on('error', (error) => {
      why = error.message
      // a refused CONNECT does not always close by itself
      this.#drop(client, why)
    })
    client.on('close', () => this.#drop(client, why))
    client.on('connect', () => this.#subscribe(client))
    client.on('message', (topic, payload, packet) => {
      if (this.#client === client) this.#receive(topic, payload, packet.retain)
    })
  }

  publishDesired(device: string, message: Uint8Array): Promise<void> {
    return this.#publish(device, 'desired', message)
  }

  askReport(device: string, message: Uint8Array): Promise<void> {
    return this.#publish(device, 'cmd', message)
  }

  askTelemetry(device: string, message: Uint8Array): Promise<void> {
    return this.#publish(device, 'cmd', message)
  }

  sayTime(device: string, message: Uint8Array): Promise<void> {
    return this.#publish(device, 'cmd', message)
  }

  askSession(device: string, message: Uint8Array): Promise<void> {
    return this.#publish(device, 'cmd', message)
  }

  onMessage(handler: (message: DeviceMessage) => void): void {
    this.#messageHandlers.push(handler)
  }

  onConnected(handler: () => void): void {
    this.#connectedHandlers.push(handler)
  }

  isConnected(): boolean {
    return this.#connectedSince !== null
  }

  refusals(): Readonly<Record<string, number>> {
    return this.#refusals.read()
  }

  async stop(): Promise<void> {
    this.#stopped = true
    const client = this.#client
    if (client !== null) this.#drop(client, 'the link was stopped')
    this.#cancelTimer()
    await client?.endAsync(true)
  }

  /** An outside broker is not trusted either: it may not make the library collect a packet without end. */
  #guard(client: MqttClient): void {
    const gate = new PacketGate({ preAuthBytes: Infinity, packetBytes: LIMITS.mqttPacketBytes.value })
    client.stream.on('data', (chunk: Uint8Array) => {
      const refusal = gate.refusalOf(chunk)
      if (refusal === null) return
      this.#refusals.count(refusal)
      this.#drop(client, `the broker sent too large a packet (${refusal})`)
    })
  }

  #subscribe(client: MqttClient): void {
    const filters = cloudSubscriptions(this.#options.tenant)
    this.#cancelTimer = this.#deps.clock.after(LIMITS.mqttConnectMs.value, () => this.#drop(client, 'the broker did not answer the subscriptions'))
    client.subscribe([...filters], { qos: 1 }, (error, granted) => {
      if (this.#client !== client) return
      this.#cancelTimer()
      const refused = filters.find((filter) => granted?.find((grant) => grant.topic === filter)?.qos === 128)
      if (refused !== undefined) this.#drop(client, `the broker refused the subscription to ${refused}`)
      else if (error !== null) this.#drop(client, `subscribing failed: ${error.message}`)
      else this.#up()
    })
  }

  #up(): void {
    this.#connectedSince = this.#deps.clock.monoMs()
    const { broker } = this.#options
    this.#deps.log.info('connected to the broker', { url: typeof broker === 'string' ? broker : 'inside' })
    for (const handler of this.#connectedHandlers) this.#call('connected', handler)
  }

  #receive(topic: string, payload: Uint8Array, retain: boolean): void {
    const inbound = readInbound(this.#options.tenant, topic, payload, retain)
    this.#meter('in', inbound.ok ? inbound.message.channel : 'other', payload.byteLength)
    if (inbound.ok) {
      for (const handler of this.#messageHandlers) this.#call('message', () => handler(inbound.message))
      return
    }
    const times = this.#refusals.count(inbound.why)
    // the 1st, 2nd, 4th, 8th…: a device gone mad must not fill the log
    if ((times & (times - 1)) !== 0) return
    this.#deps.log.warn('a message was refused', { why: inbound.why, times, device: inbound.device, detail: inbound.detail })
  }

  #meter(direction: 'in' | 'out', type: string, bytes: number): void {
    this.#deps.meter?.count('skerry_device_messages_total', { direction, type })
    this.#deps.meter?.count('skerry_device_message_bytes_total', { direction, type }, bytes)
  }

  /** A handler's fault is its own: the connection and the other handlers go on. */
  #call(what: string, handler: () => void): void {
    try {
      handler()
    } catch (error) {
      this.#deps.log.error('a handler of the link threw', { what, error: String(error) })
    }
  }

  #publish(device: string, channel: Channel, message: Uint8Array): Promise<void> {
    const client = this.#client
    if (client === null || this.#connectedSince === null) return Promise.reject(new Error('not connected to the broker; try again when it is back'))
    if (this.#inFlight.size >= LIMITS.mqttPublishInFlight.value) {
      return Promise.reject(new Error(`${this.#inFlight.size} messages wait for the broker's acknowledgement; try again when some have it`))
    }
    const { qos, retain } = TOPICS[channel]
    this.#meter('out', channel, message.byteLength)
    return new Promise((resolve, reject) => {
      const deadline = this.#deps.clock.after(LIMITS.mqttAckMs.value, () => this.#drop(client, 'the broker acknowledged nothing'))
      const fail = (error: Error): void => {
        deadline()
        this.#inFlight.delete(fail)
        reject(error)
      }
      this.#inFlight.add(fail)
      // the library takes Buffers only; this is a view, not a copy
      const bytes = Buffer.from(message.buffer, message.byteOffset, message.byteLength)
      client.publish(topicOf(this.#options.tenant, device, channel), bytes, { qos, retain }, (error) => {
        if (error !== undefined && error !== null) return fail(error)
        deadline()
        this.#inFlight.delete(fail)
        resolve()
      })
    })
  }

  /** Ends this client for good, once, and plans the next one. */
  #drop(client: MqttClient, why: string): void {
    if (this.#client !== client) return
    const { clock, random, log } = this.#deps
    const upMs = this.#connectedSince === null ? 0 : clock.monoMs() - this.#connectedSince
    this.#client = null
    this.#connectedSince = null
    this.#cancelTimer()
    // before end(), which would answer them with a reason that says nothing
    for (const fail of this.#inFlight) fail(new Error(`the connection to the broker was lost: ${why}`))
    client.end(true)
    if (this.#stopped) return
    this.#failures = upMs >= LIMITS.reconnectStableMs.value ? 1 : this.#failures + 1
    const ceiling = Math.min(LIMITS.cloudReconnectMaxMs.value, LIMITS.reconnectFirstMs.value * 2 ** Math.min(this.#failures - 1, 30))
    const delayMs = Math.floor(random.next() * ceiling)
    log.warn('no connection to the broker', { why, retryInMs: delayMs })
    this.#cancelTimer = clock.after(delayMs, () => this.start())
  }
}
