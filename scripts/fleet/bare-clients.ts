/** MQTT clients that do nothing but receive and publish: the floor that a fleet of agents is compared with. */
import { connect } from 'mqtt'
import type { MqttClient } from 'mqtt'
import { topicOf } from '../../protocol/topics.ts'
import type { BareRun } from './messages.ts'

/** Connections opened at once by one worker: more only queue in the broker's backlog. */
const OPENING = 64

export class BareClients {
  readonly #tenant: string
  readonly #clients = new Map<string, MqttClient>()
  #missing = new Set<string>()
  #received: (() => void) | null = null

  constructor(tenant: string) {
    this.#tenant = tenant
  }

  async run(run: BareRun): Promise<void> {
    switch (run.step) {
      case 'open':
        return this.#open(run)
      case 'arm':
        this.#missing = new Set(this.#clients.keys())
        return
      case 'receive':
        if (this.#missing.size === 0) return
        return new Promise((resolve) => {
          this.#received = resolve
        })
      case 'publish':
        return this.#publish(run.bytes)
      case 'close':
        await Promise.all([...this.#clients.values()].map((client) => client.endAsync(true)))
        this.#clients.clear()
    }
  }

  async #open({ url, accounts }: Extract<BareRun, { readonly step: 'open' }>): Promise<void> {
    const waiting = [...accounts]
    const one = async (): Promise<void> => {
      for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) await this.#add(url, next.name, next.password)
    }
    await Promise.all(Array.from({ length: OPENING }, one))
  }

  #add(url: string, name: string, password: string): Promise<void> {
    const client = connect(url, {
      clientId: name,
      username: name,
      password,
      protocolVersion: 4,
      clean: true,
      keepalive: 300,
      reconnectPeriod: 0,
      connectTimeout: 60_000,
      writeCache: false,
      timerVariant: 'native',
    })
    this.#clients.set(name, client)
    client.on('message', () => this.#took(name))
    return new Promise((resolve, reject) => {
      client.on('error', reject)
      client.on('connect', () => {
        client.subscribe(topicOf(this.#tenant, name, 'desired'), { qos: 1 }, (error) => (error === null ? resolve() : reject(error)))
      })
    })
  }

  #took(name: string): void {
    this.#missing.delete(name)
    if (this.#missing.size > 0) return
    this.#received?.()
    this.#received = null
  }

  async #publish(bytes: number): Promise<void> {
    const payload = Buffer.alloc(bytes, 120)
    await Promise.all(
      [...this.#clients].map(([name, client]) => client.publishAsync(topicOf(this.#tenant, name, 'status'), payload, { qos: 1, retain: true })),
    )
  }
}
