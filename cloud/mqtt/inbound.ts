/** What came from a device, checked in full before anyone sees it: topic, size, envelope, shape, device. Never throws. */
import { open } from '../../protocol/envelope.ts'
import { EVENTS } from '../../protocol/events.ts'
import { INVENTORY } from '../../protocol/inventory.ts'
import { HELLO, PRESENCE } from '../../protocol/presence.ts'
import { isRecord, parse } from '../../protocol/shape.ts'
import type { Shape } from '../../protocol/shape.ts'
import { STATUS_REPORT } from '../../protocol/status-report.ts'
import { TELEMETRY } from '../../protocol/telemetry.ts'
import { parseTopic, TOPICS } from '../../protocol/topics.ts'
import type { Channel } from '../../protocol/topics.ts'
import type { DeviceMessage } from '../ports.ts'

export type InboundRefusal =
  'topic' | 'not-a-device-channel' | 'retained' | 'empty' | 'too-large' | 'unreadable' | 'unsigned' | 'wrong-device' | 'version' | 'shape'

export type Inbound =
  | { readonly ok: true; readonly message: DeviceMessage }
  /** `device` is who the topic says it came from; `detail` is for the log */
  | { readonly ok: false; readonly why: InboundRefusal; readonly device: string | null; readonly detail: string }

const SHAPES: Readonly<Record<DeviceMessage['channel'], Shape<unknown>>> = {
  status: STATUS_REPORT,
  inventory: INVENTORY,
  hello: HELLO,
  presence: PRESENCE,
  events: EVENTS,
  telemetry: TELEMETRY,
}

/**
 * Reads one message of the devices' channels. They carry no signature yet (the broker says who wrote); that is decided here.
 * @param retain the message was kept by the broker
 */
export function readInbound(tenant: string, topic: string, bytes: Uint8Array, retain: boolean): Inbound {
  const parts = parseTopic(topic)
  if (parts === null || parts.tenant !== tenant) return { ok: false, why: 'topic', device: null, detail: 'not a topic of this tenant' }
  const { device, channel } = parts
  const refuse = (why: InboundRefusal, detail: string): Inbound => ({ ok: false, why, device, detail })
  if (!isDeviceChannel(channel)) return refuse('not-a-device-channel', `${channel} is written by the cloud`)
  if (retain && !TOPICS[channel].retain) return refuse('retained', `${channel} is never retained; this one is old news`)
  const opened = open(channel, device, bytes, null)
  if (!opened.ok) return refuse(opened.why, opened.detail)
  const parsed = parse(SHAPES[channel], opened.body)
  if (!parsed.ok) {
    const [first] = parsed.issues
    return refuse('shape', first === undefined ? 'not as agreed' : `${first.path} ${first.message}`)
  }
  if (!isRecord(opened.body) || opened.body['device'] !== device) return refuse('wrong-device', 'the body names another device')
  // the shape of the channel was just checked
  return { ok: true, message: { device, channel, body: opened.body } as unknown as DeviceMessage }
}

function isDeviceChannel(channel: Channel): channel is DeviceMessage['channel'] {
  return Object.hasOwn(SHAPES, channel)
}
