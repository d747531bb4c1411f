/** The topic table: who writes what, with which QoS, retained or not. Topic rules of brokers are derived from it. */
import { isDeviceId } from './ids.ts'
import { LIMITS } from './limits.ts'

export type Channel = 'desired' | 'status' | 'inventory' | 'hello' | 'presence' | 'events' | 'telemetry' | 'cmd'

export interface TopicRule {
  readonly channel: Channel
  readonly writer: 'cloud' | 'device'
  readonly qos: 0 | 1
  readonly retain: boolean
  readonly maxBytes: number
  readonly what: string
}

const rule = (channel: Channel, writer: TopicRule['writer'], retain: boolean, maxBytes: number, what: string): TopicRule => ({
  channel,
  writer,
  qos: 1,
  retain,
  maxBytes,
  what,
})

export const TOPICS: Readonly<Record<Channel, TopicRule>> = {
  desired: rule(
    'desired',
    'cloud',
    true,
    LIMITS.desiredStateBytes.value + LIMITS.envelopeHeaderBytes.value,
    'everything this device should run, signed',
  ),
  cmd: rule(
    'cmd',
    'cloud',
    false,
    LIMITS.commandBytes.value + LIMITS.envelopeHeaderBytes.value,
    'one signed request: send your report, open a session',
  ),
  status: rule('status', 'device', true, LIMITS.statusReportBytes.value + LIMITS.envelopeHeaderBytes.value, 'what runs and why not more'),
  inventory: rule('inventory', 'device', true, LIMITS.inventoryBytes.value + LIMITS.envelopeHeaderBytes.value, 'what the hardware is'),
  hello: rule('hello', 'device', false, LIMITS.smallMessageBytes.value, 'a session begins; what is held'),
  presence: rule('presence', 'device', true, LIMITS.smallMessageBytes.value, 'on, or off by last will'),
  events: rule('events', 'device', false, LIMITS.statusReportBytes.value, 'things that happened'),
  telemetry: rule('telemetry', 'device', false, LIMITS.statusReportBytes.value, 'readings of pods and device, while they are wanted'),
}

export const TOPIC_ROOT = 'skerry/v1'
const BEGIN = `${TOPIC_ROOT}/`
export const DEFAULT_TENANT = 'default'

/** `skerry/v1/<tenant>/<device>/<channel>` */
export function topicOf(tenant: string, device: string, channel: Channel): string {
  return `${TOPIC_ROOT}/${tenant}/${device}/${channel}`
}

export interface TopicParts {
  readonly tenant: string
  readonly device: string
  readonly channel: Channel
}

/** Parts of one of our topics, or null for anything else. */
export function parseTopic(topic: string): TopicParts | null {
  if (!topic.startsWith(BEGIN)) return null
  const [tenant, device, channel, ...rest] = topic.slice(BEGIN.length).split('/')
  if (rest.length > 0 || !isDeviceId(tenant) || !isDeviceId(device) || channel === undefined || !Object.hasOwn(TOPICS, channel)) return null
  return { tenant, device, channel: channel as Channel }
}

/** What the cloud subscribes to, one filter a channel that devices write. */
export function cloudSubscriptions(tenant: string): readonly string[] {
  return Object.values(TOPICS)
    .filter((t) => t.writer === 'device')
    .map((t) => `${TOPIC_ROOT}/${tenant}/+/${t.channel}`)
}

/** What a device subscribes to: exact topics, no wildcards. */
export function deviceSubscriptions(tenant: string, device: string): readonly string[] {
  return Object.values(TOPICS)
    .filter((t) => t.writer === 'cloud')
    .map((t) => topicOf(tenant, device, t.channel))
}

/** May this device publish there? Exact match against the table. */
export function deviceMayPublish(tenant: string, device: string, topic: string): boolean {
  const parts = parseTopic(topic)
  return parts !== null && parts.tenant === tenant && parts.device === device && TOPICS[parts.channel].writer === 'device'
}

/** May this device subscribe to that filter? Only the exact topics: a wildcard is never covered. */
export function deviceMaySubscribe(tenant: string, device: string, filter: string): boolean {
  return deviceSubscriptions(tenant, device).includes(filter)
}
