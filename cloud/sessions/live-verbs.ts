/**
 * logs, exec, attach and port-forward as clients of the API speak them, joined to the device that runs the pod. Everything here
 * ends: with the client, with the device, or by the limits that the device keeps; who did what is written down at both ends.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Duplex } from 'node:stream'
import { createWebSocketStream, WebSocketServer } from 'ws'
import type { WebSocket } from 'ws'
import { LIMITS } from '../../protocol/limits.ts'
import { CHANNEL, frame } from '../../protocol/session.ts'
import type { Clock, LiveCall, LiveFailure, Log, LogTaker } from '../ports.ts'
import { bridgeCommand } from './bridge-command.ts'
import { bridgePorts } from './bridge-ports.ts'
import { spdyClient, webSocketClient } from './command-clients.ts'
import type { DeviceSessions } from './device-sessions.ts'
import { brokenOff, readWhole } from './read-whole.ts'
import type { Whole } from './read-whole.ts'
import { send } from './send.ts'
import { SpdyConnection } from './spdy-connection.ts'

export interface SessionAudit {
  readonly call: LiveCall
  /** null while it begins */
  readonly ended: { readonly seconds: number; readonly bytes: number } | null
}

export interface LiveVerbsOptions {
  readonly devices: DeviceSessions
  readonly clock: Clock
  readonly log: Log
  record(audit: SessionAudit): void
}

const NORMAL_CLOSURE = 1000
const COMMAND_PROTOCOLS = ['v5.channel.k8s.io', 'v4.channel.k8s.io'] as const
const SPDY_COMMAND = 'v4.channel.k8s.io'
const SPDY_PORTS = 'portforward.k8s.io'
/** SPDY inside a WebSocket; the library refuses the "/" in it, so it is taken away before and put back after */
const TUNNEL = 'SPDY/3.1+portforward.k8s.io'

export class LiveVerbs {
  readonly #options: LiveVerbsOptions
  readonly #commands = server((offered) => COMMAND_PROTOCOLS.find((name) => offered.has(name)) ?? false)
  readonly #tunnels = server(() => false)

  constructor(options: LiveVerbsOptions) {
    this.#options = options
    this.#tunnels.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${TUNNEL}`))
  }

  takeDeviceSocket(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    this.#options.devices.takeSocket(request, socket, head)
  }

  /** Answers GET log. A failure is before anything was sent. */
  async logs(call: LiveCall, response: ServerResponse): Promise<LiveFailure | null> {
    const stop = new AbortController()
    response.once('close', () => stop.abort())
    const opened = (): void => {
      response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' })
      response.flushHeaders()
    }
    const failure = await this.follow(call, { opened, take: (bytes) => send(response, bytes), stop: stop.signal })
    if (failure === null) response.end()
    return failure
  }

  /** Hands on a log piece by piece until it ends or `stop` says so, at the pace of `take`. A failure is before `opened`. Never rejects. */
  async follow(call: LiveCall, { opened, take, stop }: LogTaker): Promise<LiveFailure | null> {
    const session = await this.#options.devices.open(call)
    if (!session.ok) return session.failure
    const { socket } = session
    const end = (): void => void socket.destroy()
    stop.addEventListener('abort', end)
    if (stop.aborted) end()
    else opened()
    await this.#audited(call, session.id, async (count) => {
      try {
        for await (const message of socket as AsyncIterable<Uint8Array>) {
          if (message[0] === CHANNEL.error) break
          if (message[0] !== CHANNEL.stdout) continue
          count(message.byteLength - 1)
          await take(message.subarray(1))
        }
      } catch {
        // the device is gone: what has come so far is all there is
      }
      end()
    })
    stop.removeEventListener('abort', end)
    return null
  }

  /** All that a device answers, once it says that this was all: half of it is a failure. Never rejects. */
  async whole(call: LiveCall): Promise<Whole> {
    const opened = await this.#options.devices.open(call)
    if (!opened.ok) return opened
    let whole: Whole = { ok: false, failure: brokenOff(call) }
    await this.#audited(call, opened.id, async (count) => {
      whole = await readWhole(opened.socket, call, count)
      opened.socket.destroy()
    })
    return whole
  }

  /** Takes the socket over, or says why not before anything was sent. */
  async upgrade(call: LiveCall, request: IncomingMessage, socket: Duplex, head: Buffer): Promise<LiveFailure | null> {
    const ports = call.wanted.what === 'port-forward'
    const way = wayOf(request, ports)
    if (way === null) return badUpgrade(ports)
    // a client that goes away while the device is asked
    socket.on('error', () => undefined)
    const opened = await this.#options.devices.open(call)
    if (!opened.ok) return opened.failure
    if (socket.destroyed) {
      opened.socket.destroy()
      return null
    }
    const client = way === 'websocket' ? await this.#webSocket(request, socket, head, ports) : spdySocket(socket, head, ports)
    if (client === null) {
      opened.socket.destroy()
      return null
    }
    await this.#audited(call, opened.id, (count) =>
      ports
        ? bridgePorts(new SpdyConnection(client), opened.socket, count)
        : bridgeCommand(
            way === 'websocket' ? webSocketClient(client) : spdyClient(new SpdyConnection(client), streamsOf(call)),
            opened.socket,
            count,
          ),
    )
    // a client that does not close its half
    this.#options.clock.after(LIMITS.stopMs.value, () => void socket.destroy())
    return null
  }

  async #webSocket(request: IncomingMessage, socket: Duplex, head: Buffer, ports: boolean): Promise<Duplex | null> {
    if (ports) delete request.headers['sec-websocket-protocol']
    const ws = await new Promise<WebSocket | null>((resolve) => {
      // the library answers a malformed handshake by itself
      socket.once('close', () => resolve(null))
      const server = ports ? this.#tunnels : this.#commands
      server.handleUpgrade(request, socket, head, resolve)
    })
    if (ws === null) return null
    // the stream closes without a code, which kubectl takes for a fault
    const close = ws.close.bind(ws)
    ws.close = (code = NORMAL_CLOSURE, reason) => close(code, reason)
    const stream = createWebSocketStream(ws, { readableObjectMode: !ports })
    // as the Kubernetes API server does: tells that the connection stands
    if (!ports) await send(stream, frame(CHANNEL.stdout))
    return stream
  }

  async #audited(call: LiveCall, id: string, run: (count: (bytes: number) => void) => Promise<void>): Promise<void> {
    const { clock, log, record } = this.#options
    const { who, what, namespace, pod, container } = call.wanted
    const about = { id, who, what, pod: `${namespace}/${pod}`, container, device: call.device }
    const started = clock.monoMs()
    let bytes = 0
    log.info('live session opened', about)
    record({ call, ended: null })
    try {
      await run((more) => {
        bytes += more
      })
    } finally {
      const seconds = Math.round((clock.monoMs() - started) / 1_000)
      log.info('live session ended', { ...about, seconds, bytes })
      record({ call, ended: { seconds, bytes } })
    }
  }
}

function server(handleProtocols: (offered: Set<string>) => string | false): WebSocketServer {
  return new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: LIMITS.sessionClientBytes.value,
    handleProtocols,
  })
}

function wayOf(request: IncomingMessage, ports: boolean): 'websocket' | 'spdy' | null {
  const upgrade = (request.headers.upgrade ?? '').toLowerCase()
  const offered = names(upgrade === 'websocket' ? request.headers['sec-websocket-protocol'] : request.headers['x-stream-protocol-version'])
  if (upgrade === 'websocket' && request.method === 'GET')
    return offered.some((name) => (ports ? name === TUNNEL : isCommandProtocol(name))) ? 'websocket' : null
  // clients before 1.10 named no version for port-forward
  if (upgrade === 'spdy/3.1') return offered.includes(ports ? SPDY_PORTS : SPDY_COMMAND) || (ports && offered.length === 0) ? 'spdy' : null
  return null
}

function names(header: string | string[] | undefined): readonly string[] {
  return String(header ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
}

function isCommandProtocol(name: string): boolean {
  return COMMAND_PROTOCOLS.some((known) => known === name)
}

function badUpgrade(ports: boolean): LiveFailure {
  const known = ports
    ? `SPDY/3.1 (${SPDY_PORTS}) or WebSocket (${TUNNEL})`
    : `WebSocket (${COMMAND_PROTOCOLS.join(', ')}) or SPDY/3.1 (${SPDY_COMMAND})`
  return { code: 400, reason: 'BadRequest', message: `this needs an upgrade of the connection to ${known}` }
}

function spdySocket(socket: Duplex, head: Buffer, ports: boolean): Duplex {
  const version = ports ? SPDY_PORTS : SPDY_COMMAND
  socket.write(`HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\nX-Stream-Protocol-Version: ${version}\r\n\r\n`)
  if (head.length > 0) socket.unshift(head)
  return socket
}

/** What a client opens for such a call. */
function streamsOf({ wanted }: LiveCall): ReadonlySet<string> {
  const tty = wanted.tty === true
  return new Set(['error', 'stdout', ...(wanted.stdin === true ? ['stdin'] : []), ...(tty ? ['resize'] : ['stderr'])])
}
