/**
 * Sockets of devices: a signed command asks for one, the device dials in, and its one-time token says which question it answers.
 * INVARIANTS
 * - A token opens one socket, once, within its time; what comes without one is refused before the upgrade.
 * - A session that was asked for either opens or fails within the table's time.
 * - The number of sessions of this process is bounded; a socket whose other end is silent is closed.
 */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { finished } from 'node:stream'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { cause, causeInFull } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { seal } from '../../protocol/envelope.ts'
import type { SigningKey } from '../../protocol/envelope.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { CHANNEL, SESSION_PATH, SESSION_PROTOCOL, SESSION_STATUS } from '../../protocol/session.ts'
import { parse } from '../../protocol/shape.ts'
import type { Clock, LiveCall, LiveFailure } from '../ports.ts'
import { keepAlive } from './keep-alive.ts'

export interface DeviceSessionsOptions {
  ask(device: string, message: Uint8Array): Promise<void>
  /** why the device cannot be reached as far as is known; null = it can */
  unreachable(device: string): Cause | null
  readonly clock: Clock
  readonly signingKey: SigningKey
  /** what devices are told to connect to, for messages */
  readonly url: () => string
}

/** Chunks are whole messages: channel byte and payload. */
export type DeviceOpened = { readonly ok: true; readonly id: string; readonly socket: Duplex } | { readonly ok: false; readonly failure: LiveFailure }

interface Waiting {
  readonly tokenDigest: Buffer
  readonly arrived: (socket: WebSocket) => void
}

export class DeviceSessions {
  readonly #options: DeviceSessionsOptions
  readonly #waiting = new Map<string, Waiting>()
  readonly #open = new Set<Duplex>()
  readonly #refused = new Map<string, LiveFailure>()
  readonly #server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: LIMITS.sessionMessageBytes.value,
    handleProtocols: (offered) => (offered.has(SESSION_PROTOCOL) ? SESSION_PROTOCOL : false),
  })

  constructor(options: DeviceSessionsOptions) {
    this.#options = options
  }

  /** Asks the device and waits for its first message. Never rejects. */
  async open({ device, wanted }: LiveCall): Promise<DeviceOpened> {
    const away = this.#options.unreachable(device)
    if (away !== null) return { ok: false, failure: failureOf(503, away) }
    const key = JSON.stringify([device, wanted])
    const before = this.#refused.get(key)
    if (before !== undefined) return { ok: false, failure: before }
    if (this.#open.size + this.#waiting.size >= LIMITS.sessionsOpen.value) {
      const message = `${this.#open.size} live sessions are open; at most ${LIMITS.sessionsOpen.value} are served at once`
      return { ok: false, failure: { code: 429, reason: 'TooManyRequests', message } }
    }
    const opened = await this.#ask(device, wanted)
    // kubectl asks again in its older protocol at once: waiting twice would be as long again
    if (!opened.ok) this.#remember(key, opened.failure)
    return opened
  }

  /** The device's end of a session. Refuses by itself. */
  takeSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const id = (request.url ?? '').slice(SESSION_PATH.length)
    const token = /^Bearer ([A-Za-z0-9_-]{43})$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    const waiting = this.#waiting.get(id)
    if (waiting === undefined || !timingSafeEqual(digestOf(token), waiting.tokenDigest)) {
      socket.on('error', () => undefined)
      socket.end('HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n')
      return
    }
    this.#waiting.delete(id)
    this.#server.handleUpgrade(request, socket, head, waiting.arrived)
  }

  close(): void {
    for (const socket of this.#open) socket.destroy()
  }

  async #ask(device: string, wanted: LiveCall['wanted']): Promise<DeviceOpened> {
    const { ask, clock, signingKey, url } = this.#options
    const id = randomBytes(16).toString('hex')
    const token = randomBytes(32).toString('base64url')
    const validMs = LIMITS.sessionAnswerMs.value
    const message = seal('cmd', device, { ask: 'open-session', session: { ...wanted, id, token, validMs } }, signingKey)
    const late = cause('session.no-answer', { device, seconds: validMs / 1_000, url: url() })
    return new Promise((resolve) => {
      const fail = (failure: LiveFailure): void => {
        stop()
        this.#waiting.delete(id)
        resolve({ ok: false, failure })
      }
      const stop = clock.after(validMs, () => fail(failureOf(504, late)))
      const arrived = (socket: WebSocket): void => {
        this.#firstMessage(socket, device).then(
          (opened) => {
            stop()
            resolve(opened.ok ? { ...opened, id } : opened)
          },
          () => fail(failureOf(502, late)),
        )
      }
      this.#waiting.set(id, { tokenDigest: digestOf(token), arrived })
      ask(device, message).catch((error: unknown) => {
        const why = error instanceof Error ? error.message : String(error)
        fail({ code: 503, reason: 'ServiceUnavailable', message: `device ${device} cannot be asked: ${why}` })
      })
    })
  }

  /** `ready`, or a Status that says why not. */
  async #firstMessage(
    ws: WebSocket,
    device: string,
  ): Promise<Omit<Extract<DeviceOpened, { ok: true }>, 'id'> | Extract<DeviceOpened, { ok: false }>> {
    const socket = createWebSocketStream(ws, { readableObjectMode: true })
    socket.on('error', () => undefined)
    this.#open.add(socket)
    const stopPings = keepAlive(ws)
    finished(socket, { readable: true, writable: false }, () => {
      stopPings()
      this.#open.delete(socket)
    })
    const stop = this.#options.clock.after(LIMITS.sessionAnswerMs.value, () => socket.destroy())
    const first = await nextMessage(socket)
    stop()
    if (first?.[0] === CHANNEL.ready) return { ok: true, socket }
    socket.destroy()
    return { ok: false, failure: refusalOf(first, device) }
  }

  #remember(key: string, failure: LiveFailure): void {
    this.#refused.set(key, failure)
    this.#options.clock.after(LIMITS.sessionRefusedMs.value, () => this.#refused.delete(key))
  }
}

/** One chunk of a stream that others go on reading; null when it ended. */
function nextMessage(socket: Duplex): Promise<Uint8Array | null> {
  return new Promise((resolve) => {
    const look = (): void => {
      const chunk: unknown = socket.read()
      if (chunk instanceof Uint8Array) done(chunk)
    }
    const end = (): void => done(null)
    const done = (value: Uint8Array | null): void => {
      socket.off('readable', look)
      socket.off('end', end)
      socket.off('close', end)
      resolve(value)
    }
    socket.on('readable', look)
    socket.on('end', end)
    socket.on('close', end)
  })
}

/** What a device said instead of doing it. */
export function refusalOf(message: Uint8Array | null, device: string): LiveFailure {
  const parsed = message?.[0] === CHANNEL.error ? parse(SESSION_STATUS, statusIn(message)) : null
  if (parsed?.ok !== true) return { code: 502, reason: 'BadGateway', message: `device ${device} closed the session without a word` }
  const { code = 502, reason = 'BadGateway', message: why = '' } = parsed.value
  return { code: code < 400 ? 502 : code, reason, message: `device ${device}: ${why}` }
}

/** Does the last message of a session say that all went well? */
export function succeeded(message: Uint8Array): boolean {
  const parsed = parse(SESSION_STATUS, statusIn(message))
  return parsed.ok && parsed.value.status === 'Success'
}

/** The Status in an error message; undefined when there is none. */
export function statusIn(message: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(Buffer.from(message.buffer, message.byteOffset + 1, message.byteLength - 1).toString('utf8'))
    return value
  } catch {
    return undefined
  }
}

function failureOf(code: number, why: Cause): LiveFailure {
  return {
    code,
    reason: code === 504 ? 'Timeout' : 'ServiceUnavailable',
    message: causeInFull(why),
  }
}

function digestOf(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
