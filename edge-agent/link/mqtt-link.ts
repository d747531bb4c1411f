/**
 * The way to the cloud over plain MQTT 3.1.1: with `connection.ts` the agent's only user of the mqtt library.
 *
 * INVARIANTS
 * - At most one client lives; each try makes a new one, so no packet stored by the library reaches another connection.
 * - An event of a client that is not the current one changes nothing.
 * - `up` is said only after the broker granted every subscription.
 * - Nothing is kept here but the last value of each channel (outbox); nothing here waits for the cloud.
 */
import { connect } from 'mqtt'
import type { MqttClient } from 'mqtt'
import { seal } from '../../protocol/envelope.ts'
import type { DeviceEvents } from '../../protocol/events.ts'
import type { Telemetry } from '../../protocol/telemetry.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { deviceSubscriptions, TOPICS } from '../../protocol/topics.ts'
import type { Traffic } from '../core/data-budget.ts'
import { QUICK_PACE } from '../core/link-pace.ts'
import type { LinkPace } from '../core/link-pace.ts'
import type { Clock, CloudLink, LinkHandlers, Log, Random } from '../ports.ts'
import { clientOptions, presence } from './client-options.ts'
import type { MqttLinkOptions } from './client-options.ts'
import { Connection } from './connection.ts'
import { handOn } from './hand-on.ts'
import { Heartbeat } from './heartbeat.ts'
import { readInbound } from './inbound.ts'
import { Outbox } from './outbox.ts'
import type { OutboxChannel } from './outbox.ts'
import { failuresAfter, reconnectDelayMs } from './reconnect.ts'
import { TrafficCounter } from './traffic-counter.ts'

export interface MqttLinkDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Connects at `start`, for as long as it is not stopped; every failure is told as a link state, none is thrown. */
export function createMqttLink(options: MqttLinkOptions, deps: MqttLinkDeps): CloudLink {
  return new MqttLink(options, deps)
}

class MqttLink implements CloudLink {
  readonly #options: MqttLinkOptions
  readonly #deps: MqttLinkDeps
  readonly #outbox = new Outbox()
  readonly #traffic: TrafficCounter
  readonly #heartbeat: Heartbeat
  #pace: LinkPace
  #handlers: LinkHandlers | null = null
  #connection: Connection | null = null
  #cancelRetry: (() => void) | null = null
  #failures = 0
  #upSinceMonoMs: number | null = null
  #downSinceWallMs: number | null = null
  #why = ''
  #reportSeq: number | null = null

  constructor(options: MqttLinkOptions, deps: MqttLinkDeps) {
    this.#options = options
    this.#deps = deps
    this.#pace = options.pace ?? QUICK_PACE
    this.#traffic = new TrafficCounter(/^(mqtts|wss):/.test(options.url))
    this.#heartbeat = new Heartbeat(deps.clock)
  }

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers
    this.#try()
  }

  publishStatus(report: Parameters<CloudLink['publishStatus']>[0]): void {
    this.#reportSeq = report.seq
    this.#put('status', report)
  }

  publishInventory(inventory: Parameters<CloudLink['publishInventory']>[0]): void {
    this.#put('inventory', inventory)
  }

  publishEvents(events: DeviceEvents): Promise<boolean> {
    return this.#deliver('events', events)
  }

  publishTelemetry(readings: Telemetry): Promise<boolean> {
    return this.#deliver('telemetry', readings)
  }

  pace(pace: LinkPace): void {
    const before = this.#pace
    this.#pace = pace
    const connection = this.#connection
    if (connection === null) return
    if (pace.keepaliveS === before.keepaliveS && pace.quietS === before.quietS) return this.#heartbeat.pace(pace)
    // the broker was told the old one, and takes no other on a connection that is made
    this.#deps.log.info('connecting anew: another pace of the link', { class: pace.class, keepaliveS: pace.keepaliveS })
    this.#leave(connection)
    this.#heartbeat.failed()
    this.#upSinceMonoMs = null
    this.#endClean(connection.client, () => this.#try())
  }

  tryNow(): void {
    if (this.#cancelRetry === null || this.#downSinceWallMs === null) return
    this.#cancelRetry()
    this.#try()
  }

  traffic = (): Traffic => this.#traffic.read()
  unsent = (): number => this.#outbox.unsent()

  async stop(): Promise<void> {
    this.#handlers = null
    this.#cancelRetry?.()
    this.#cancelRetry = null
    const connection = this.#connection
    const wasUp = this.#upSinceMonoMs !== null
    this.#connection = null
    this.#outbox.disconnected()
    this.#heartbeat.end()
    if (connection === null) return
    // a clean end makes the broker drop the will, so the farewell is said first
    if (wasUp) await connection.sayGoodbye(presence(this.#options, 'off'))
    connection.leave()
    connection.client.end(true)
  }

  #try(): void {
    this.#cancelRetry = null
    this.#why = ''
    this.#handlers?.onState({ kind: 'connecting' })
    let client: MqttClient
    try {
      client = connect(this.#options.url, clientOptions(this.#options, this.#pace))
    } catch (error) {
      this.#retry(error instanceof Error ? error.message : String(error))
      return
    }
    const connection = new Connection(client, this.#options, {
      clock: this.#deps.clock,
      traffic: this.#traffic,
      heard: () => this.#heartbeat.heard(),
      lost: (why) => this.#drop(connection, why),
    })
    this.#connection = connection
    // stays attached for the client's whole life: an error without a listener would end the process
    client.on('error', (error) => {
      if (this.#why === '') this.#why = error.message
    })
    client.on('close', () => this.#drop(connection, this.#why === '' ? 'the connection was closed' : this.#why))
    client.on('connect', () => {
      this.#traffic.connect()
      connection.subscribe(deviceSubscriptions(this.#options.tenant, this.#options.device), () => this.#up(connection))
    })
    client.on('message', (topic, payload) => {
      if (this.#connection === connection) this.#receive(topic, payload)
    })
    client.on('packetreceive', ({ cmd }) => {
      if (this.#connection === connection && cmd === 'pingresp') this.#heartbeat.answered()
    })
  }

  #up(connection: Connection): void {
    const { monoMs, wallMs } = this.#deps.clock.now()
    this.#upSinceMonoMs = monoMs
    this.#downSinceWallMs = null
    this.#deps.log.info('connected to the cloud')
    connection.publish('presence', presence(this.#options, 'on', this.#pace))
    const hello = this.#handlers?.hello()
    if (hello !== undefined) connection.publish('hello', seal('hello', this.#options.device, hello, null))
    // before the outbox: else old values would go out before newer ones
    this.#handlers?.onState({ kind: 'up', sinceWallMs: wallMs })
    this.#outbox.connected((channel, bytes, done) => connection.publish(channel, bytes, done))
    this.#heartbeat.begin(this.#pace, {
      ping: () => connection.ping(),
      beat: () => {
        const alive = presence(this.#options, 'on', { ...this.#pace, seq: this.#reportSeq })
        connection.publish('presence', alive, undefined, () => this.#heartbeat.answered())
        connection.putOffOwnPing()
      },
      lost: (why) => this.#drop(connection, why),
    })
  }

  #receive(topic: string, payload: Uint8Array): void {
    this.#traffic.down(topic, payload.byteLength)
    this.#heartbeat.heard()
    handOn(readInbound(topic, payload, this.#options), topic, this.#handlers, this.#deps.log)
  }

  #deliver(channel: 'events' | 'telemetry', body: unknown): Promise<boolean> {
    const connection = this.#connection
    if (connection === null || this.#upSinceMonoMs === null) return Promise.resolve(false)
    return connection.deliver(channel, seal(channel, this.#options.device, body, null))
  }

  #put(channel: OutboxChannel, body: unknown): void {
    const bytes = seal(channel, this.#options.device, body, null)
    const max = TOPICS[channel].maxBytes
    // a broker would cut the connection for it, again and again
    if (bytes.byteLength > max) this.#deps.log.error('a report is too large to be sent', { channel, bytes: bytes.byteLength, max })
    else this.#outbox.put(channel, bytes)
  }

  #drop(connection: Connection, why: string): void {
    if (this.#connection !== connection) return
    const { client } = connection
    if (this.#upSinceMonoMs === null) this.#heartbeat.failed()
    this.#leave(connection)
    // not from within a callback of the library: it is walking the list that ending empties
    setImmediate(() => client.end(true))
    this.#retry(why)
  }

  /** Nothing of this connection counts any more. */
  #leave(connection: Connection): void {
    this.#connection = null
    this.#heartbeat.end()
    this.#outbox.disconnected()
    connection.leave()
  }

  /** Without a last will: the next connection goes on where this one ends. */
  #endClean(client: MqttClient, then: () => void): void {
    const { clock } = this.#deps
    const next = (): void => {
      cancel()
      if (this.#cancelRetry !== cancel) return
      client.end(true)
      then()
    }
    const cancel = clock.at(clock.now().monoMs + LIMITS.mqttGoodbyeMs.value, next)
    this.#cancelRetry = cancel
    client.end(false, {}, next)
  }

  #retry(why: string): void {
    const { clock, random, log } = this.#deps
    const now = clock.now()
    this.#failures = failuresAfter(this.#failures, this.#upSinceMonoMs === null ? 0 : now.monoMs - this.#upSinceMonoMs)
    this.#upSinceMonoMs = null
    this.#downSinceWallMs ??= now.wallMs
    const nextTryInMs = reconnectDelayMs(this.#failures, random.next())
    log.warn('no connection to the cloud', { why, nextTryInMs })
    this.#cancelRetry = clock.at(now.monoMs + nextTryInMs, () => this.#try())
    this.#handlers?.onState({ kind: 'down', sinceWallMs: this.#downSinceWallMs, why, nextTryInMs })
  }
}
