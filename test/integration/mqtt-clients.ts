/** Real MQTT clients and an embedded broker for the tests of this folder. */
import mqtt from 'mqtt'
import type { IClientOptions, MqttClient } from 'mqtt'
import type { Clock, Log } from '../../cloud/ports.ts'
import { brokerPassword, CLOUD_CLIENT_ID, passwordAuthenticator } from '../../cloud/mqtt/device-credentials.ts'
import { startEmbeddedBroker } from '../../cloud/mqtt/embedded-broker.ts'
import type { EmbeddedBroker } from '../../cloud/mqtt/embedded-broker.ts'

export const SECRET = Buffer.alloc(32, 1)
const quiet = (): void => undefined
export const LOG: Log = { info: quiet, warn: quiet, error: quiet }
export const CLOCK: Clock = {
  nowMs: () => Date.now(),
  monoMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

export function embedded(port = 0): Promise<EmbeddedBroker> {
  return startEmbeddedBroker({ doors: [{ host: '127.0.0.1', port }], tenant: 'default', authenticate: passwordAuthenticator(SECRET), log: LOG })
}

export interface Heard {
  readonly topic: string
  readonly text: string
  readonly retain: boolean
}

export interface TestClient {
  readonly mqtt: MqttClient
  readonly heard: Heard[]
  closes: number
  /** true when the broker granted the filter */
  subscribe(filter: string): Promise<boolean>
  publish(topic: string, payload: string | Buffer, options?: { qos?: 0 | 1 | 2; retain?: boolean }): Promise<void>
  /** waits until this has been heard */
  until(test: (heard: Heard) => boolean): Promise<Heard>
  end(): Promise<void>
}

/** A connected client; rejects when the broker refuses it. */
export async function client(port: number, name: string, options: IClientOptions = {}): Promise<TestClient> {
  const raw = mqtt.connect(`mqtt://127.0.0.1:${port}`, {
    clientId: name,
    username: name,
    password: brokerPassword(SECRET, name),
    protocolVersion: 4,
    connectTimeout: 30_000,
    reconnectPeriod: 0,
    resubscribe: false,
    ...options,
  })
  const made: TestClient = {
    mqtt: raw,
    heard: [],
    closes: 0,
    subscribe: (filter) =>
      new Promise((resolve) => {
        raw.once('close', () => resolve(false))
        raw.subscribe(filter, { qos: 1 }, (error, granted) => resolve(error === null && granted?.[0]?.qos !== 128 && granted?.length === 1))
      }),
    publish: async (topic, payload, { qos = 1, retain = false } = {}) => {
      await raw.publishAsync(topic, payload, { qos, retain })
    },
    until: (test) => eventually(() => made.heard.find(test)),
    end: () => raw.endAsync(true),
  }
  raw.on('message', (topic, payload, packet) => made.heard.push({ topic, text: payload.toString(), retain: packet.retain }))
  raw.on('close', () => {
    made.closes += 1
  })
  await new Promise<void>((resolve, reject) => {
    raw.once('connect', () => resolve())
    raw.once('error', reject)
    raw.once('close', () => reject(new Error('closed before it was connected')))
  }).catch(async (error: unknown) => {
    await raw.endAsync(true)
    throw error
  })
  raw.on('error', quiet)
  return made
}

export function cloudClient(port: number): Promise<TestClient> {
  return client(port, CLOUD_CLIENT_ID)
}

/** Asks until the answer is there; gives up after a minute. */
export async function eventually<T>(ask: () => T | undefined | false): Promise<T> {
  const end = Date.now() + 60_000
  for (;;) {
    const answer = ask()
    if (answer !== undefined && answer !== false) return answer
    if (Date.now() > end) throw new Error(`never came true: ${String(ask)}`)
    await pause(10)
  }
}

export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms)
  })
}
