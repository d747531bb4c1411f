/**
 * The way to the cloud over plain MQTT 3.1.1: the agent's only user of the mqtt library.
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
import { deviceSubscriptions, topicOf, TOPICS } from '../../protocol/topics.ts'
import type { Channel } from '../../protocol/topics.ts'
import type { Traffic } from '../core/data-budget.ts'
import type { Clock, CloudLink, LinkHandlers, Log, Random } from '../ports.ts'
import { AckDeadlines } from './ack-deadlines.ts'
import { clientOptions, presence } from './client-options.ts'
import type { MqttLinkOptions } from './client-options.ts'
import { TrafficCounter } from './traffic-counter.ts'
import { readInbound } from './inbound.ts'
import { Outbox } from './outbox.ts'
import type { OutboxChannel } from './outbox.ts'
import { failuresAfter, reconnectDelayMs } from './reconnect.ts'

export interface MqttLinkDeps {
  readonly clock: Clock
  readonly random: Random
  readonly log: Log
}

/** Connects at `start`, for as long as it is not stopped; every failure is told as a link state, none is thrown. */
export function createMqttLink(options: MqttLinkOptions, deps: MqttLinkDeps): CloudLink {
  return new MqttLink(options, deps)
}

const SUBACK_REFUSED = 128

class MqttLink implements CloudLink {
  readonly #options: MqttLinkOptions
  readonly #deps: MqttLinkDeps
  readonly #outbox = new Outbox()
  #handlers: LinkHandlers | null = null
  #client: MqttClient | null = null
  #cancelRetry: (() => void) | null = null
  #failures = 0
  #upSinceMonoMs: number | null = null
  #downSinceWallMs: number | null = null
  #why = ''
  /** calls that wait for the broker's answer on the current connection */
  readonly #waiting = new Set<() => void>()
  readonly #traffic = new TrafficCounter()
  readonly #deadlines: AckDeadlines

  constructor(options: MqttLinkOptions, deps: MqttLinkDeps) {
    this.#options = options
    this.#deps = deps
    this.#deadlines = new AckDeadlines(deps.clock)
  }

  start(handlers: LinkHandlers): void {
    this.#handlers = handlers
    this.#try()
  }

  publishStatus(report: Parameters<CloudLink['publishStatus']>[0]): void {
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

  traffic(): Traffic {
    return this.#traffic.read()
  }

  async stop(): Promise<void> {
    this.#handlers = null
    this.#cancelRetry?.()
    const client = this.#client
    this.#client = null
    this.#outbox.disconnected()
    this.#deadlines.cancelAll()
    if (client === null) return
    // a clean end makes the broker drop the will, so the farewell is said first
    if (this.#upSinceMonoMs !== null) {
      await new Promise<void>((resolve) => {
        const cancel = this.#deps.clock.at(this.#deps.clock.now().monoMs + LIMITS.mqttGoodbyeMs.value, resolve)
        this.#publish(client, 'presence', presence(this.#options, 'off'), () => {
          cancel()
          client.end(false, {}, () => resolve())
        })
      })
    }
    this.#deadlines.cancelAll()
    client.end(true)
  }

  #try(): void {
    this.#cancelRetry = null
    this.#why = ''
    this.#handlers?.onState({ kind: 'connecting' })
    let client: MqttClient
    try {
      client = connect(this.#options.url, clientOptions(this.#options))
    } catch (error) {
      this.#retry(error instanceof Error ? error.message : String(error))
      return
    }
    this.#client = client
    // stays attached for the client's whole life: an error without a listener would end the process
    client.on('error', (error) => {
      if (this.#why === '') this.#why = error.message
    })
    client.on('close', () => this.#drop(client, this.#why === '' ? 'the connection was closed' : this.#why))
    client.on('connect', () => this.#subscribe(client))
    client.on('message', (topic, payload) => {
      if (this.#client === client) this.#receive(topic, payload)
    })
  }

  #subscribe(client: MqttClient): void {
    const topics = deviceSubscriptions(this.#options.tenant, this.#options.device)
    const cancel = this.#deadlines.begin((why) => this.#drop(client, why))
    client.subscribe([...topics], { qos: 1 }, (error, _granted, packet) => {
      cancel()
      if (this.#client !== client) return
      const refused = topics.find((_topic, index) => packet?.granted[index] === SUBACK_REFUSED)
      if (refused !== undefined) this.#drop(client, `the broker refused the subscription to ${refused}`)
      else if (error !== null) this.#drop(client, `subscribing failed: ${error.message}`)
      else this.#up(client)
    })
  }

  #up(client: MqttClient): void {
    const now = this.#deps.clock.now()
    this.#upSinceMonoMs = now.monoMs
    this.#downSinceWallMs = null
    this.#deps.log.info('connected to the cloud')
    const failed = (acknowledged: boolean): void => {
      if (!acknowledged) this.#drop(client, 'the broker did not take a message')
    }
    this.#publish(client, 'presence', presence(this.#options, 'on'), failed)
    const hello = this.#handlers?.hello()
    if (hello !== undefined) this.#publish(client, 'hello', seal('hello', this.#options.device, hello, null), failed)
    this.#outbox.connected((channel, bytes, done) =>
      this.#publish(client, channel, bytes, (acknowledged) => {
        done(acknowledged)
        failed(acknowledged)
      }),
    )
    this.#handlers?.onState({ kind: 'up', sinceWallMs: now.wallMs })
  }

  #receive(topic: string, payload: Uint8Array): void {
    this.#traffic.down(topic, payload.byteLength)
    const inbound = readInbound(topic, payload, this.#options)
    switch (inbound.kind) {
      case 'target':
        return this.#handlers?.onTarget(inbound.desired)
      case 'refused':
        this.#deps.log.warn('a message was refused', { topic, code: inbound.cause.code })
        return this.#handlers?.onTargetRefused(inbound.cause)
      case 'report-asked':
        return this.#handlers?.onReportAsked()
      case 'time':
        return this.#handlers?.onCloudTime?.(inbound.atWallMs)
      case 'telemetry-asked':
        return this.#handlers?.onTelemetryAsked?.(inbound.look)
      case 'session-asked':
        return this.#handlers?.onSessionAsked?.(inbound.session)
      case 'ignored':
        return this.#deps.log.info('a message was ignored', { why: inbound.why })
    }
  }

  #publish(client: MqttClient, channel: Channel, bytes: Uint8Array, done: (acknowledged: boolean) => void): void {
    const { qos, retain } = TOPICS[channel]
    const cancel = this.#deadlines.begin((why) => this.#drop(client, why))
    this.#traffic.up(topicOf(this.#options.tenant, this.#options.device, channel), bytes.byteLength)
    client.publish(topicOf(this.#options.tenant, this.#options.device, channel), Buffer.from(bytes), { qos, retain }, (error) => {
      cancel()
      done(error === undefined || error === null)
    })
  }

  /** true when the broker has it */
  #deliver(channel: 'events' | 'telemetry', body: unknown): Promise<boolean> {
    const client = this.#client
    if (client === null || this.#upSinceMonoMs === null) return Promise.resolve(false)
    return new Promise((resolve) => {
      // a connection that ends calls back with an error, or not at all: the next one sends again
      const abandoned = (): void => resolve(false)
      this.#waiting.add(abandoned)
      this.#publish(client, channel, seal(channel, this.#options.device, body, null), (acknowledged) => {
        this.#waiting.delete(abandoned)
        resolve(acknowledged)
        if (!acknowledged) this.#drop(client, 'the broker did not take a message')
      })
    })
  }

  #put(channel: OutboxChannel, body: unknown): void {
    const bytes = seal(channel, this.#options.device, body, null)
    const max = TOPICS[channel].maxBytes
    // a broker would cut the connection for it, again and again
    if (bytes.byteLength > max) this.#deps.log.error('a report is too large to be sent', { channel, bytes: bytes.byteLength, max })
    else this.#outbox.put(channel, bytes)
  }

  #drop(client: MqttClient, why: string): void {
    if (this.#client !== client) return
    this.#client = null
    for (const abandoned of this.#waiting) abandoned()
    this.#waiting.clear()
    this.#outbox.disconnected()
    this.#deadlines.cancelAll()
    // not from within a callback of the library: it is walking the list that ending empties
    setImmediate(() => client.end(true))
    this.#retry(why)
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
