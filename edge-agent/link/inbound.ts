/** What one MQTT message means. Pure, never throws: everything that is not a sound document for this device has a cause. */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { DESIRED_STATE, desiredDigest } from '../../protocol/desired-state.ts'
import type { DesiredState } from '../../protocol/desired-state.ts'
import { ENVELOPE_VERSION, open } from '../../protocol/envelope.ts'
import type { Opened, TrustedKey } from '../../protocol/envelope.ts'
import { COMMAND } from '../../protocol/presence.ts'
import type { SessionRequest } from '../../protocol/session.ts'
import { parse } from '../../protocol/shape.ts'
import type { TelemetryLook } from '../../protocol/telemetry.ts'
import { parseTopic, TOPICS } from '../../protocol/topics.ts'

export interface Recipient {
  readonly tenant: string
  readonly device: string
  /** keys of which one must have signed */
  readonly trusted: readonly TrustedKey[]
}

export type Inbound =
  | { readonly kind: 'target'; readonly desired: DesiredState }
  | { readonly kind: 'refused'; readonly cause: Cause }
  | { readonly kind: 'report-asked' }
  | { readonly kind: 'time'; readonly atWallMs: number }
  | { readonly kind: 'telemetry-asked'; readonly look: TelemetryLook }
  | { readonly kind: 'session-asked'; readonly session: SessionRequest }
  | { readonly kind: 'ignored'; readonly why: string }

export function readInbound(topic: string, message: Uint8Array, me: Recipient): Inbound {
  const parts = parseTopic(topic)
  if (parts === null || parts.tenant !== me.tenant || parts.device !== me.device) return { kind: 'ignored', why: 'a topic that was not subscribed' }
  if (parts.channel === 'desired') return readDesired(message, me)
  if (parts.channel === 'cmd') return readCommand(topic, message, me)
  return { kind: 'ignored', why: `nothing is read from ${parts.channel}` }
}

function readDesired(message: Uint8Array, me: Recipient): Inbound {
  const opened = open('desired', me.device, message, me.trusted)
  if (!opened.ok) return { kind: 'refused', cause: refusal(opened, message.byteLength, me.device) }
  const parsed = parse(DESIRED_STATE, opened.body)
  if (!parsed.ok) {
    const [first] = parsed.issues
    return unreadable(first === undefined ? 'it has the wrong form' : `${first.path} ${first.message}`.trim())
  }
  const desired = parsed.value
  if (desired.device !== me.device) return { kind: 'refused', cause: cause('desired.refused.wrong-device', { got: desired.device, have: me.device }) }
  if (desiredDigest(desired.pods, desired) !== desired.digest) return unreadable('its digest is not that of its pods')
  return { kind: 'target', desired }
}

function readCommand(topic: string, message: Uint8Array, me: Recipient): Inbound {
  const opened = open('cmd', me.device, message, me.trusted)
  if (!opened.ok) return { kind: 'refused', cause: cause('message.refused', { topic, why: `${opened.why}: ${opened.detail}` }) }
  const parsed = parse(COMMAND, opened.body)
  if (!parsed.ok) return { kind: 'refused', cause: cause('message.refused', { topic, why: 'it has the wrong form' }) }
  const { ask, session, telemetry, at = '' } = parsed.value
  if (ask === 'report') return { kind: 'report-asked' }
  if (ask === 'time' && !Number.isNaN(Date.parse(at))) return { kind: 'time', atWallMs: Date.parse(at) }
  if (ask === 'telemetry' && telemetry !== undefined) return { kind: 'telemetry-asked', look: telemetry }
  if (ask === 'open-session' && session !== undefined) return { kind: 'session-asked', session }
  return { kind: 'ignored', why: 'a request that this agent does not know' }
}

function refusal(opened: Extract<Opened, { ok: false }>, bytes: number, device: string): Cause {
  switch (opened.why) {
    case 'empty':
      return cause('desired.refused.empty')
    case 'too-large':
      return cause('desired.refused.too-large', { bytes, max: TOPICS.desired.maxBytes })
    case 'unsigned':
      return cause('desired.refused.unsigned', { why: opened.detail })
    case 'wrong-device':
      return cause('desired.refused.wrong-device', { got: opened.detail, have: device })
    case 'version':
      return cause('desired.refused.version', { got: opened.detail, have: ENVELOPE_VERSION })
    case 'unreadable':
      return cause('desired.refused.unreadable', { why: opened.detail })
  }
}

function unreadable(why: string): Inbound {
  return { kind: 'refused', cause: cause('desired.refused.unreadable', { why }) }
}
