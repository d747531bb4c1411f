/** Both ends of the link over the simulated broker. What they read and keep goes through the real inbound checks and the real outbox. */
import { readInbound as readAtDevice } from '../../edge-agent/link/inbound.ts'
import { QUICK_PACE } from '../../edge-agent/core/link-pace.ts'
import { presence } from '../../edge-agent/link/client-options.ts'
import { Outbox } from '../../edge-agent/link/outbox.ts'
import { failuresAfter, reconnectDelayMs } from '../../edge-agent/link/reconnect.ts'
import type { CloudLink, LinkHandlers } from '../../edge-agent/ports.ts'
import { readInbound as readAtCloud } from '../../cloud/mqtt/inbound.ts'
import type { DeviceLink, DeviceMessage } from '../../cloud/ports.ts'
import { seal } from '../../protocol/envelope.ts'
import type { TrustedKey } from '../../protocol/envelope.ts'
import { cloudSubscriptions, deviceSubscriptions, topicOf } from '../../protocol/topics.ts'
import type { Prng } from './prng.ts'
import type { SimBroker, SimClient } from './sim-broker.ts'
import type { ProcessClock } from './virtual-time.ts'

const TENANT = 'default'

export interface SimAgentLinkOptions {
  readonly device: string
  readonly sid: string
  readonly broker: SimBroker
  readonly clock: ProcessClock
  readonly random: Prng
  readonly trusted: readonly TrustedKey[]
}

export function createSimAgentLink({ device, sid, broker, clock, random, trusted }: SimAgentLinkOptions): CloudLink {
  const outbox = new Outbox()
  let handlers: LinkHandlers | null = null
  let failures = 0
  let upSince: number | null = null
  let reported: number | null = null

  const client: SimClient = {
    id: device,
    role: 'device',
    onMessage: (topic, bytes) => {
      if (clock.dead || handlers === null) return
      const read = readAtDevice(topic, bytes, { tenant: TENANT, device, trusted })
      if (read.kind === 'target') handlers.onTarget(read.desired)
      else if (read.kind === 'refused') handlers.onTargetRefused(read.cause)
      else if (read.kind === 'report-asked') handlers.onReportAsked()
      else if (read.kind === 'time') handlers.onCloudTime?.(read.atWallMs)
    },
    onGone: () => {
      if (clock.dead) return
      outbox.disconnected()
      failures = failuresAfter(failures, upSince === null ? 0 : clock.monoMs() - upSince)
      upSince = null
      again('the connection was lost')
    },
  }
  const again = (why: string): void => {
    const delay = reconnectDelayMs(failures, random.next())
    handlers?.onState({ kind: 'down', sinceWallMs: clock.nowMs(), why, nextTryInMs: delay })
    clock.after(delay, connect)
  }
  const send = (channel: 'status' | 'inventory' | 'presence' | 'hello', bytes: Uint8Array, retain: boolean, done: (ok: boolean) => void): void => {
    broker.publish(client, topicOf(TENANT, device, channel), bytes, retain, (ok) => {
      if (!clock.dead) done(ok)
    })
  }
  const connect = (): void => {
    if (handlers === null || clock.dead) return
    const will = { topic: topicOf(TENANT, device, 'presence'), bytes: presence({ device, sid }, 'off') }
    if (!broker.connect(client, will)) {
      failures = failuresAfter(failures, 0)
      return again('the broker cannot be reached')
    }
    upSince = clock.monoMs()
    broker.subscribe(client, deviceSubscriptions(TENANT, device))
    send('presence', presence({ device, sid }, 'on'), true, () => undefined)
    send('hello', seal('hello', device, handlers.hello(), null), false, () => undefined)
    handlers.onState({ kind: 'up', sinceWallMs: clock.nowMs() })
    outbox.connected((channel, bytes, done) => send(channel, bytes, true, done))
    beatSoon(upSince)
  }
  /** what the real link says in place of a ping */
  const beatSoon = (connection: number): void => {
    clock.after(QUICK_PACE.beatMs, () => {
      if (upSince !== connection) return
      send('presence', presence({ device, sid }, 'on', { quietS: null, seq: reported }), true, () => undefined)
      beatSoon(connection)
    })
  }
  return {
    start: (given) => {
      handlers = given
      connect()
    },
    publishStatus: (report) => {
      reported = report.seq
      outbox.put('status', seal('status', device, report, null))
    },
    publishEvents: () => Promise.resolve(false),
    publishTelemetry: () => Promise.resolve(false),
    pace: () => undefined,
    tryNow: () => undefined,
    traffic: () => ({}),
    unsent: () => outbox.unsent(),
    publishInventory: (inventory) => outbox.put('inventory', seal('inventory', device, inventory, null)),
    stop: () => {
      broker.disconnect(client, true)
      return Promise.resolve()
    },
  }
}

export interface SimCloudLink extends DeviceLink {
  /** begins to connect; stays with it until the process dies */
  start(): void
}

export function createSimCloudLink(broker: SimBroker, clock: ProcessClock): SimCloudLink {
  const onMessage: ((message: DeviceMessage) => void)[] = []
  const onConnected: (() => void)[] = []
  const refused: Record<string, number> = {}
  let connected = false
  const client: SimClient = {
    id: 'cloud',
    role: 'cloud',
    onMessage: (topic, bytes, retain) => {
      if (clock.dead) return
      const read = readAtCloud(TENANT, topic, bytes, retain)
      if (read.ok) for (const handler of onMessage) handler(read.message)
      else refused[read.why] = (refused[read.why] ?? 0) + 1
    },
    onGone: () => {
      connected = false
      if (!clock.dead) clock.after(1_000, connect)
    },
  }
  const connect = (): void => {
    if (clock.dead) return
    if (!broker.connect(client, null)) return void clock.after(1_000, connect)
    connected = true
    broker.subscribe(client, cloudSubscriptions(TENANT))
    for (const handler of onConnected) handler()
  }
  const publish = (device: string, channel: 'desired' | 'cmd', message: Uint8Array): Promise<void> =>
    new Promise((resolve, reject) => {
      if (!connected) return reject(new Error('not connected to the broker'))
      broker.publish(client, topicOf(TENANT, device, channel), message, channel === 'desired', (ok) => {
        if (clock.dead) return
        if (ok) resolve()
        else reject(new Error('the connection was lost'))
      })
    })
  return {
    start: connect,
    publishDesired: (device, message) => publish(device, 'desired', message),
    askReport: (device, message) => publish(device, 'cmd', message),
    askTelemetry: (device, message) => publish(device, 'cmd', message),
    sayTime: (device, message) => publish(device, 'cmd', message),
    onMessage: (handler) => void onMessage.push(handler),
    onConnected: (handler) => void onConnected.push(handler),
    isConnected: () => connected,
    refusals: () => refused,
    stop: () => {
      broker.disconnect(client, true)
      return Promise.resolve()
    },
  }
}
