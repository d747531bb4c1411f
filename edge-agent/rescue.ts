/**
 * The page of a device whose agent is down: plain text in HTML, made anew for each request from what lies in the state folder.
 * INVARIANTS: it changes nothing; it never calls the device healthy; it ends when nobody looks at it, so that systemd's socket
 * holds the port and nothing is resident.
 */
import { statSync } from 'node:fs'
import { createServer } from 'node:http'
import type { Server } from 'node:http'
import { freemem, hostname, loadavg, totalmem, uptime } from 'node:os'
import { join } from 'node:path'
import { LIMITS } from '../protocol/limits.ts'
import { humanBytes } from '../protocol/units.ts'
import { hostAllowed } from './local-page/host-check.ts'
import { plainHeaders } from './local-page/page-policy.ts'
import { readLastWords } from './last-words.ts'
import type { LastWords } from './last-words.ts'

export interface RescueOptions {
  readonly stateDir: string
  readonly host: string
  readonly port: number
  /** descriptor of a socket that systemd opened */
  readonly fd: number | null
  readonly nowMs: () => number
  readonly idleMs?: number
  /** what to say now instead of "the agent is down" */
  readonly words?: () => RescueWords
}

export interface RescueWords {
  readonly title: string
  readonly why: string
  readonly action: string
}

/** Serves until nobody looked for a while; resolves when it listens. */
export async function startRescue(options: RescueOptions): Promise<{ readonly port: number; close(): void }> {
  let last = options.nowMs()
  const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8_192 }, (request, response) => {
    last = options.nowMs()
    const known = hostAllowed(request.headers.host, [hostname()])
    const reads = request.method === 'GET' || request.method === 'HEAD'
    const status = !known ? 421 : !reads ? 405 : request.url === '/livez' || request.url === '/readyz' ? 503 : 200
    const body = status === 200 ? rescuePage(options) : 'The agent of this device is not running.\n'
    const type = status === 200 ? 'text/html' : 'text/plain'
    response.writeHead(status, { ...plainHeaders(), 'content-type': `${type}; charset=utf-8`, connection: 'close' })
    response.end(request.method === 'HEAD' ? undefined : body)
  })
  server.maxConnections = LIMITS.localPageConnections.value
  await listen(server, options)
  const idleMs = options.idleMs ?? LIMITS.rescueIdleMs.value
  const idle = setInterval(() => {
    if (options.fd === null || options.nowMs() - last < idleMs) return
    clearInterval(idle)
    server.close()
  }, 10_000).unref()
  const address = server.address()
  return { port: typeof address === 'object' && address !== null ? address.port : options.port, close: () => server.close() }
}

function listen(server: Server, { host, port, fd }: RescueOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(fd === null ? { host, port } : { fd }, resolve)
  })
}

const DOWN = {
  title: 'the agent is down',
  action: [
    // one that failed too often would not be started for a minute
    'Start it again:  systemctl reset-failed skerry-agent; systemctl restart skerry-agent',
    'Read its journal: journalctl -u skerry-agent -n 200',
    'Workloads keep running meanwhile.',
  ].join('\n'),
}

/** The whole page; every value is escaped. */
export function rescuePage({ stateDir, nowMs, words: say }: Pick<RescueOptions, 'stateDir' | 'nowMs' | 'words'>): string {
  const words = readLastWords(stateDir)
  const name = words?.device ?? hostname()
  const { title, why, action } = say?.() ?? { ...DOWN, why: whyDown(words) }
  const sections = [
    ['Why', why],
    ['Do this', action],
    ['This machine', machine(stateDir)],
    ['Last picture', words?.picture ?? 'None was left.'],
    ['Last log lines', words?.lines?.join('\n') ?? 'None were left.'],
  ] as const
  const body = sections.map(([title, text]) => `<h2>${title}</h2><pre tabindex="0">${escaped(text)}</pre>`).join('')
  const age = words === null ? '' : ` What is below is from ${escaped(words.at)}.`
  return `<!doctype html><html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escaped(`${name}: ${title}`)}</title></head><body><main><h1>${escaped(`${name}: ${title}`)}</h1>
<p>This is the rescue page, made ${new Date(nowMs()).toISOString()}.${age}</p>${body}</main></body></html>`
}

function whyDown(words: LastWords | null): string {
  if (words === null) return 'The agent left no word here: it never ran with this state folder, or the folder cannot be read.'
  const who = `agent ${words.version}, pid ${words.pid}`
  if (words.state === 'stopped') return `${who} was stopped at ${words.at}: ${words.why}`
  if (words.state === 'failed') return `${who} failed at ${words.at}: ${words.why}`
  return `${who} ran since ${words.at} and ended without a word: it was killed (out of memory, kill -9), or the power was cut.`
}

function machine(stateDir: string): string {
  const lines = [
    `up for ${Math.round(uptime() / 60)} min, load ${loadavg()[0]?.toFixed(2) ?? '?'}`,
    `memory ${humanBytes(freemem())} free of ${humanBytes(totalmem())}`,
  ]
  for (const file of ['state.json', 'floor.json', 'join.json']) lines.push(describe(stateDir, file))
  return lines.join('\n')
}

function describe(stateDir: string, file: string): string {
  try {
    const { size, mtime } = statSync(join(stateDir, file))
    return `${file}: ${size} bytes, written ${mtime.toISOString()}`
  } catch {
    return `${file}: cannot be read`
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;')
}
