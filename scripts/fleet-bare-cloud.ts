/** The embedded broker and one client, and nothing that decides: what a cloud costs at least. Started by scripts/bench/fleet.ts. */
import { randomBytes } from 'node:crypto'
import { connect } from 'mqtt'
import type { MqttClient } from 'mqtt'
import { brokerPassword, CLOUD_CLIENT_ID, passwordAuthenticator } from '../cloud/mqtt/device-credentials.ts'
import { startEmbeddedBroker } from '../cloud/mqtt/embedded-broker.ts'
import { LIMITS } from '../protocol/limits.ts'
import { DEFAULT_TENANT, TOPIC_ROOT, topicOf } from '../protocol/topics.ts'
import type { BareAnswer, BareAsk } from './fleet/bare-cloud.ts'
import type { Envelope } from './fleet/messages.ts'

const secret = randomBytes(32)
const silent = { info: () => undefined, warn: () => undefined, error: () => undefined }
let client: MqttClient | null = null
let arrived = 0
let onArrival = (): void => undefined

async function start(names: readonly string[]): Promise<BareAnswer> {
  const authenticate = passwordAuthenticator(secret)
  const broker = await startEmbeddedBroker({ doors: [{ host: '127.0.0.1', port: 0 }], tenant: DEFAULT_TENANT, authenticate, log: silent })
  const password = brokerPassword(secret, CLOUD_CLIENT_ID)
  const own = connect(`mqtt://127.0.0.1:${broker.port}`, { clientId: CLOUD_CLIENT_ID, username: CLOUD_CLIENT_ID, password, protocolVersion: 4 })
  await own.subscribeAsync(`${TOPIC_ROOT}/${DEFAULT_TENANT}/+/status`, { qos: 1 })
  own.on('message', () => {
    arrived += 1
    onArrival()
  })
  client = own
  return { kind: 'started', port: broker.port, accounts: names.map((name) => ({ name, password: brokerPassword(secret, name) })) }
}

/** As many in flight as the cloud allows itself. */
async function fanOut(names: readonly string[], bytes: number): Promise<void> {
  const payload = Buffer.alloc(bytes, 120)
  let next = 0
  const one = async (): Promise<void> => {
    for (let name = names[next++]; name !== undefined; name = names[next++])
      await client?.publishAsync(topicOf(DEFAULT_TENANT, name, 'desired'), payload, { qos: 1, retain: true })
  }
  await Promise.all(Array.from({ length: LIMITS.mqttPublishInFlight.value }, one))
}

function fanIn(count: number): Promise<void> {
  return new Promise((resolve) => {
    onArrival = () => {
      if (arrived < count) return
      arrived = 0
      onArrival = () => undefined
      resolve()
    }
    onArrival()
  })
}

async function answer(ask: BareAsk): Promise<BareAnswer> {
  switch (ask.kind) {
    case 'start':
      return start(ask.names)
    case 'fan-out':
      await fanOut(ask.names, ask.bytes)
      return { kind: 'done' }
    case 'fan-in':
      await fanIn(ask.count)
      return { kind: 'done' }
  }
}

process.on('message', ({ id, body }: Envelope<BareAsk>) => {
  answer(body)
    .then((result) => process.send?.({ id, body: result } satisfies Envelope<BareAnswer>))
    .catch((error: unknown) => {
      process.stderr.write(`bare cloud: ${String(error)}\n`)
      process.exit(1)
    })
})
process.on('disconnect', () => process.exit(0))
