/** Who may do what on the embedded broker. Everything follows from the topic table; what is not in it is refused. */
import { deviceMayPublish, deviceMaySubscribe, parseTopic, TOPIC_ROOT, TOPICS } from '../../protocol/topics.ts'

export type Identity = { readonly role: 'cloud' } | { readonly role: 'device'; readonly device: string }

export interface Publication {
  readonly topic: string
  readonly qos: number
  readonly retain: boolean
  readonly bytes: number
}

export type PublishRefusal = 'topic' | 'too-large' | 'retain' | 'qos'

/** Why this client may not publish that; null = it may. Also asked for a last will. */
export function publishRefusal(tenant: string, identity: Identity, { topic, qos, retain, bytes }: Publication): PublishRefusal | null {
  const parts = parseTopic(topic)
  if (parts === null || parts.tenant !== tenant) return 'topic'
  const rule = TOPICS[parts.channel]
  const mayWrite = identity.role === 'cloud' ? rule.writer === 'cloud' : deviceMayPublish(tenant, identity.device, topic)
  if (!mayWrite) return 'topic'
  // QoS 2 makes a broker hold half-done messages for each client
  if (qos > 1) return 'qos'
  // a hello or command that is kept would be played again to whoever comes later
  if (retain && !rule.retain) return 'retain'
  return bytes > rule.maxBytes ? 'too-large' : null
}

/** A device only subscribes to its exact topics; the cloud to any filter below its tenant. */
export function maySubscribe(tenant: string, identity: Identity, filter: string): boolean {
  if (identity.role === 'device') return deviceMaySubscribe(tenant, identity.device, filter)
  return filter.startsWith(`${TOPIC_ROOT}/${tenant}/`)
}

/** Asked again for each message on its way out, retained ones too: the last door, whatever let a subscription in. */
export function mayReceive(tenant: string, identity: Identity, topic: string): boolean {
  const parts = parseTopic(topic)
  if (parts === null || parts.tenant !== tenant) return false
  return identity.role === 'cloud' || (parts.device === identity.device && TOPICS[parts.channel].writer === 'cloud')
}
