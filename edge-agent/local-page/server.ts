/**
 * The field engineer's page and its JSON: plain HTTP, no cloud needed. It starts before everything else works and answers
 * whatever state the agent is in. GET never changes anything; what acts is a POST with a session (see actions.ts).
 */
import { createServer } from 'node:http'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { hostname } from 'node:os'
import type { AddressInfo } from 'node:net'
import { LIMITS } from '../../protocol/limits.ts'
import { EXPOSITION_TYPE } from '../../protocol/exposition.ts'
import type { Now, PullTotals } from '../core/model.ts'
import type { AgentEvent, AgentState } from '../core/state.ts'
import type { Reading } from '../core/telemetry.ts'
import type { Log, PathStep } from '../ports.ts'
import { answerAction, told } from './actions.ts'
import type { ActionDeps, Answer } from './actions.ts'
import { createAudit } from './audit.ts'
import type { Audit, AuditEntry } from './audit.ts'
import { hostAllowed } from './host-check.ts'
import { liveClients } from './live-clients.ts'
import type { LiveClients } from './live-clients.ts'
import { agentMetrics } from './metrics.ts'
import { pageHeaders, plainHeaders } from './page-policy.ts'
import { PinGate } from './pin-gate.ts'
import { tokenOf } from './request-guard.ts'
import { textView } from './text-view.ts'
import type { TrafficView } from './view-model.ts'
import { fieldView } from './view.ts'

export interface LocalPageOptions {
  readonly host: string
  /** 0 = any free port */
  readonly port: number
  /** the whole page, see page-asset.ts; asked for once */
  readonly page: () => Promise<string>
  readonly state: () => AgentState
  readonly now: () => Now
  /** last lines of one of our containers, by its name */
  readonly logs: (target: string, lines: number) => Promise<string>
  readonly agentLog: () => readonly string[]
  /** further host names by which the page may be asked for; the host's own name and IP addresses always work */
  readonly names?: readonly string[]
  readonly log: Log
  readonly traffic?: () => TrafficView
  /** for /metrics: what containers and the device use now; absent or null = not told */
  readonly reading?: () => Promise<Reading | null>
  readonly pulls?: () => PullTotals | null
  /** absent = the page only shows */
  readonly actions?: PageActions
  /** listen on this inherited descriptor (a systemd socket) instead of host and port */
  readonly fd?: number
}

export interface PageActions {
  readonly pin: string
  /** may people without the PIN see how the device stands? Logs always need it. */
  readonly summaryIsOpen: boolean
  readonly dispatch: (event: AgentEvent) => void
  readonly checkPath: () => Promise<readonly PathStep[]>
  readonly bundle: () => Promise<Uint8Array>
  /** everything that was tried with the PIN, and wrong PINs */
  readonly onAction: (entry: AuditEntry) => void
}

export interface LocalPage {
  readonly address: { readonly host: string; readonly port: number }
  close(): Promise<void>
}

/** Resolves when it listens; rejects when the port cannot be had. */
export async function startLocalPage(options: LocalPageOptions): Promise<LocalPage> {
  const names = [hostname(), ...(options.names ?? [])]
  const audit = createAudit(options.actions?.onAction ?? (() => undefined))
  const acting = actionDeps(options, audit)
  const json = (): string =>
    JSON.stringify(
      fieldView(options.state(), options.now(), { done: audit.entries(), canAct: acting !== null, traffic: options.traffic?.() ?? null }),
    )
  const live = liveClients(versionOf(options.state, audit.entries), json)
  const routes = makeRoutes(options, live, json)

  const server = createServer(
    { requestTimeout: 10_000, headersTimeout: 5_000, keepAliveTimeout: 5_000, maxHeaderSize: 8_192 },
    (request, response) => {
      answer(request, response).catch((error: unknown) => {
        options.log.error('local page failed', { path: request.url ?? '', why: error instanceof Error ? error.message : String(error) })
        if (response.headersSent) response.destroy()
        else send(response, 500, 'text/plain', 'The page failed here; the agent goes on. See its log.\n')
      })
    },
  )
  server.maxConnections = LIMITS.localPageConnections.value

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const known = hostAllowed(request.headers.host, names)
    if (!known) return send(response, 421, 'text/plain', 'The device has another name. Use its IP address.\n')
    const url = new URL(request.url ?? '/', 'http://device')
    if (request.method === 'POST' && acting !== null) return sendAnswer(response, await answerAction(url.pathname, request, acting))
    const reads = request.method === 'GET' || request.method === 'HEAD'
    if (!reads) return send(response, 405, 'text/plain', 'Only reading is possible here.\n', { allow: 'GET, HEAD' })
    if (acting !== null && needsPin(url.pathname, options) && !acting.gate.knows(tokenOf(request.headers)))
      return sendAnswer(response, told(401, 'Sign in with the PIN of this device first.'))
    const route = routes[url.pathname]
    if (route === undefined) return send(response, 404, 'text/plain', 'There is nothing here. The page is at /\n')
    return route(response, url.searchParams)
  }

  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(options.fd === undefined ? { port: options.port, host: options.host } : { fd: options.fd }, () => {
      server.off('error', reject)
      resolve()
    })
  })
  return { address: addressOf(server.address(), options), close: () => closeServer(server, live) }
}

function actionDeps({ actions, state, now }: LocalPageOptions, audit: Audit): ActionDeps | null {
  if (actions === undefined) return null
  const { pin, dispatch, checkPath, bundle } = actions
  return { gate: new PinGate(pin, () => now().monoMs), audit, state, now, dispatch, checkPath, bundle }
}

/** The page itself holds nothing; how the device stands may be open; what programs wrote never is. */
function needsPin(path: string, { actions }: LocalPageOptions): boolean {
  if (path === '/api/v1/logs') return true
  return actions?.summaryIsOpen === false && (path === '/text' || path === '/metrics' || path === '/api/v1/state' || path === '/api/v1/events')
}

/** A new identity when the state or the list of actions changed. */
function versionOf(state: () => AgentState, entries: () => readonly AuditEntry[]): () => unknown {
  let last = { state: state(), entries: entries() }
  return () => {
    if (last.state !== state() || last.entries !== entries()) last = { state: state(), entries: entries() }
    return last
  }
}

type Route = (response: ServerResponse, query: URLSearchParams) => void | Promise<void>

function makeRoutes(options: LocalPageOptions, live: LiveClients, json: () => string): Readonly<Record<string, Route | undefined>> {
  let page: ReturnType<typeof pageOf> | null = null
  const routes: Record<string, Route> = {
    '/': async (response) => {
      const { html, headers } = await (page ??= pageOf(options))
      send(response, 200, 'text/html', html, headers)
    },
    '/text': (response) => send(response, 200, 'text/plain', textView(fieldView(options.state(), options.now()))),
    '/metrics': async (response) => send(response, 200, EXPOSITION_TYPE, await scrape(options)),
    '/livez': (response) => send(response, 200, 'text/plain', 'ok\n'),
    '/readyz': (response) => ready(response, options.state()),
    '/api/v1/state': (response) => send(response, 200, 'application/json', json()),
    '/api/v1/logs': (response, query) => sendLogs(response, query, options),
    '/api/v1/events': (response) => {
      if (live.add(response.writeHead(200, { ...plainHeaders(), 'content-type': 'text/event-stream; charset=utf-8' }))) return
      response.end('event: full\ndata: {}\n\n')
    },
  }
  return Object.assign(Object.create(null) as Record<string, Route>, routes)
}

async function pageOf({ page }: LocalPageOptions): Promise<{ readonly html: string; readonly headers: Readonly<Record<string, string>> }> {
  const html = await page()
  return { html, headers: pageHeaders(html) }
}

async function scrape({ state, now, traffic, reading, pulls }: LocalPageOptions): Promise<string> {
  const { user, system } = process.cpuUsage()
  return agentMetrics(state(), now(), {
    traffic: traffic?.() ?? null,
    reading: (await reading?.()) ?? null,
    pulls: pulls?.() ?? null,
    process: { cpuSeconds: (user + system) / 1e6, rssBytes: process.memoryUsage.rss() },
  })
}

/** Ready = it can do its job here: its state is read and the engine answers. The cloud has no part in it. */
function ready(response: ServerResponse, state: AgentState): void {
  const checks = [
    ['state', state.knowledge !== 'loading'],
    ['engine', state.engine.reachable],
    ['storage', state.storage?.code !== 'storage.degraded'],
  ] as const
  const lines = checks.map(([name, ok]) => `[${ok ? '+' : '-'}]${name} ${ok ? 'ok' : 'failed'}`)
  send(response, checks.every(([, ok]) => ok) ? 200 : 503, 'text/plain', `${lines.join('\n')}\n`)
}

async function sendLogs(response: ServerResponse, query: URLSearchParams, options: LocalPageOptions): Promise<void> {
  const max = LIMITS.logTailLines.value
  const lines = Number(query.get('lines') ?? '200')
  if (!Number.isInteger(lines) || lines < 1 || lines > max)
    return send(response, 400, 'text/plain', `lines must be a whole number from 1 to ${max}\n`)
  const container = query.get('container') ?? ''
  if (container === 'agent') return send(response, 200, 'text/plain', `${options.agentLog().slice(-lines).join('\n')}\n`)
  const known = options.state().observed?.some((one) => one.name === container) === true
  if (!known) return send(response, 404, 'text/plain', 'No such container here. Ask with container=<name as in /api/v1/state>, or container=agent.\n')
  try {
    send(response, 200, 'text/plain', await options.logs(container, lines))
  } catch (error) {
    send(response, 502, 'text/plain', `The engine gave no log: ${error instanceof Error ? error.message : String(error)}\n`)
  }
}

function send(response: ServerResponse, status: number, type: string, body: string, headers: Readonly<Record<string, string>> = {}): void {
  response.writeHead(status, {
    ...plainHeaders(),
    ...headers,
    'content-type': type.includes(';') ? type : `${type}; charset=utf-8`,
    'content-length': String(Buffer.byteLength(body)),
  })
  response.end(response.req.method === 'HEAD' ? undefined : body)
}

function sendAnswer(response: ServerResponse, { status, type, body, headers = {} }: Answer): void {
  if (typeof body === 'string') return send(response, status, type, body, headers)
  response.writeHead(status, { ...plainHeaders(), ...headers, 'content-type': type, 'content-length': String(body.byteLength) })
  response.end(body)
}

function addressOf(address: AddressInfo | string | null, options: LocalPageOptions): LocalPage['address'] {
  return address === null || typeof address === 'string' ? { host: options.host, port: options.port } : { host: address.address, port: address.port }
}

async function closeServer(server: ReturnType<typeof createServer>, live: LiveClients): Promise<void> {
  live.close()
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}
