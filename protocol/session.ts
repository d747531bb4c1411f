/**
 * Live sessions: logs, exec, attach and port-forward of a pod, and acts on the device itself. The cloud asks with a signed
 * command; the device opens one WebSocket to the cloud and proves itself with the token of that command. Every message is
 * one channel byte and a payload. Channels 0 to 4 and 255 are those of v5.channel.k8s.io, so that the way from kubectl to a
 * device is a copy.
 */
import { LIMITS } from './limits.ts'
import { bool, int, list, obj, oneOf, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

export const SESSION_PATH = '/skerry/v1/session/'
export const SESSION_PROTOCOL = 'v1.session.skerry.dev'

/** `bundle` = diagnostics, as gzipped JSON on stdout; `restart-agent` = the agent ends and its service starts it again. */
export const DEVICE_ACTS = ['bundle', 'restart-agent'] as const
export type DeviceAct = (typeof DEVICE_ACTS)[number]
const WHAT = oneOf('logs', 'exec', 'attach', 'port-forward', ...DEVICE_ACTS)

/**
 * What a session is for, as in the command. Pod and container are '' for acts on the device itself. Absent flags are false;
 * `validMs` runs on the device's monotonic clock from arrival.
 */
export const SESSION_REQUEST = obj({
  id: required(str({ pattern: /^[a-f0-9]{32}$/, says: 'a session id' })),
  token: required(str({ pattern: /^[A-Za-z0-9_-]{43}$/, says: 'a token' })),
  validMs: required(int(1, 60_000)),
  /** who asked: shown on the device and in its report */
  who: required(str({ max: 253 })),
  what: required(WHAT),
  podUid: required(str({ max: 64 })),
  namespace: required(str({ max: 63 })),
  pod: required(str({ max: 253 })),
  /** '' for port-forward */
  container: required(str({ max: 63 })),
  argv: list(str({ max: LIMITS.sessionArgvBytes.value }), { max: 1_024 }),
  stdin: bool(),
  tty: bool(),
  logs: obj({
    follow: bool(),
    previous: bool(),
    timestamps: bool(),
    tailLines: int(),
    sinceSeconds: int(1),
    /** RFC 3339 */
    sinceTime: str({ max: 40 }),
    limitBytes: int(1),
  }),
})
export type SessionRequest = Infer<typeof SESSION_REQUEST>
export type SessionWhat = SessionRequest['what']

/** A session as people see it: on the field page and in the report. */
export const SESSION_SEEN = obj({
  id: required(str({ max: 64 })),
  who: required(str({ max: 253 })),
  what: required(WHAT),
  namespace: required(str({ max: 63 })),
  pod: required(str({ max: 253 })),
  container: required(str({ max: 63 })),
  /** RFC 3339 by the device's clock */
  since: required(str({ max: 40 })),
  /** to and from the workload together */
  bytes: required(int()),
})
export type SessionSeen = Infer<typeof SESSION_SEEN>

/** First byte of every message. */
export const CHANNEL = {
  stdin: 0,
  stdout: 1,
  stderr: 2,
  /** a Kubernetes Status as JSON; the last message of a session */
  error: 3,
  /** {"Width":80,"Height":24} */
  resize: 4,
  /** device to cloud, first message of a session that could be opened: no payload */
  ready: 5,
  /** port-forward: stream id, port */
  open: 16,
  /** port-forward: stream id, bytes */
  data: 17,
  /** port-forward: stream id; no more bytes in this direction */
  end: 18,
  /** port-forward: stream id, why; the stream is over in both directions */
  fail: 19,
  /** payload: the channel that ends */
  close: 255,
} as const

/** Channel byte and payload as one message. */
export function frame(channel: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const message = new Uint8Array(payload.byteLength + 1)
  message[0] = channel
  message.set(payload, 1)
  return message
}

/** A message about one stream of a port-forward: its id (32 bits), then the payload. */
export function streamFrame(channel: number, stream: number, payload: Uint8Array = new Uint8Array(0)): Uint8Array {
  const message = new Uint8Array(payload.byteLength + 5)
  message[0] = channel
  new DataView(message.buffer).setUint32(1, stream)
  message.set(payload, 5)
  return message
}

export function openFrame(stream: number, port: number): Uint8Array {
  return streamFrame(CHANNEL.open, stream, Uint8Array.of(port >> 8, port & 0xff))
}

export interface StreamMessage {
  readonly stream: number
  readonly payload: Uint8Array
}

/** null for a message that is too short. */
export function readStreamFrame(message: Uint8Array): StreamMessage | null {
  if (message.byteLength < 5) return null
  const stream = new DataView(message.buffer, message.byteOffset, message.byteLength).getUint32(1)
  return { stream, payload: message.subarray(5) }
}

/** The port of an `open` payload, or null. */
export function readPort(payload: Uint8Array): number | null {
  const port = payload.byteLength === 2 ? (payload[0] ?? 0) * 256 + (payload[1] ?? 0) : 0
  return port === 0 ? null : port
}

/** How a session ended, as kubectl reads it on the error channel. */
export const SESSION_STATUS = obj({
  status: required(oneOf('Success', 'Failure')),
  code: int(100, 599),
  reason: str({ max: 128 }),
  message: str({ max: 2048 }),
})

/** @param code exit code of the program; null = it has none (logs, attach) */
export function exitStatus(code: number | null): Readonly<Record<string, unknown>> {
  if (code === null || code === 0) return { metadata: {}, status: 'Success' }
  const causes = [{ reason: 'ExitCode', message: String(code) }]
  const message = `command terminated with non-zero exit code: exit status ${code}`
  return { metadata: {}, status: 'Failure', reason: 'NonZeroExitCode', message, details: { causes } }
}

/** @param code HTTP status that says the same */
export function failureStatus(code: number, reason: string, message: string): Readonly<Record<string, unknown>> {
  return { metadata: {}, status: 'Failure', code, reason, message }
}
