/** How this agent presents itself to a broker. */
import { seal } from '../../protocol/envelope.ts'
import type { TrustedKey } from '../../protocol/envelope.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Presence } from '../../protocol/presence.ts'
import { topicOf } from '../../protocol/topics.ts'
import type { LinkPace } from '../core/link-pace.ts'

export interface MqttLinkOptions {
  /** mqtt://, mqtts://, ws:// or wss:// */
  readonly url: string
  readonly tenant: string
  readonly device: string
  /** agent session, new at each start */
  readonly sid: string
  /** keys of which one must have signed what the cloud says */
  readonly trusted: readonly TrustedKey[]
  /** PEM of the authority that the broker's certificate must come from; absent = the system's */
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly username?: string
  readonly password?: string
  /** until another is told; absent = the quick one */
  readonly pace?: LinkPace
}

/** Options of one `mqtt` client: one connection that is never revived by the library. */
export function clientOptions(options: MqttLinkOptions, pace: LinkPace) {
  const { device, tenant, ca, cert, key, username, password } = options
  return {
    clientId: device,
    protocolVersion: 4 as const,
    clean: true,
    keepalive: pace.keepaliveS,
    // the library's own ping is put off by ours, never by what is written: see heartbeat
    reschedulePings: false,
    connectTimeout: LIMITS.mqttConnectMs.value,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    // sets writeToStream.cacheNumbers of mqtt-packet: 65,536 prepared buffers cost 9 MiB
    writeCache: false,
    timerVariant: 'native' as const,
    rejectUnauthorized: true,
    will: { topic: topicOf(tenant, device, 'presence'), payload: Buffer.from(presence(options, 'off')), qos: 1 as const, retain: true },
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
  }
}

export interface Words {
  readonly quietS: number | null
  /** of the last report that went out, in a sign of life */
  readonly seq?: number | null
}

export function presence(who: Pick<MqttLinkOptions, 'device' | 'sid'>, state: Presence['state'], words: Words = { quietS: null }): Uint8Array {
  const { quietS, seq = null } = words
  const body: Presence = { device: who.device, sid: who.sid, state, ...(quietS === null ? {} : { quietS }), ...(seq === null ? {} : { seq }) }
  return seal('presence', who.device, body, null)
}
