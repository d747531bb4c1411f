/** The console: its files for everybody, its data for who may read. Mounted into the API server; owns the paths below /console. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { LIMITS } from '../../protocol/limits.ts'
import type { TopologyAnswer } from '../core/topology-answer.ts'
import type { WhyAnswer } from '../core/scheduler/why.ts'
import { apiKinds } from './api-kinds.ts'
import { startLivePicture } from './live-picture.ts'
import type { LivePicture, LivePictureParts } from './live-picture.ts'
import { rememberLast } from './load-once.ts'
import { readWishes, tableNamed } from './read-wishes.ts'
import { sendCsv } from './send-csv.ts'
import { loadAssets } from './static-assets.ts'
import { whyView } from './why-view.ts'

/** unknown = no valid token; refused = a valid one that may do other things */
export type Access = 'granted' | 'refused' | 'unknown'

export interface ConsoleOptions extends LivePictureParts {
  /** the Vite build */
  readonly assetsDir: string
  /** may this request read everything? */
  authorize(request: IncomingMessage): Access
  /** the scheduler's answer for a pod, about all devices or one; null = it knows no such pod */
  why?(namespace: string, name: string, device?: string): WhyAnswer | null
  /** how a device is laid out; null = there is no such device */
  topologyOf?(device: string): TopologyAnswer | null
}

export interface Console {
  /** true = answered; false = not a path of the console */
  handle(request: IncomingMessage, response: ServerResponse): Promise<boolean>
  /** a device sent a report or fell silent: its rows are made anew */
  deviceChanged(device: string): void
  /** consoles that follow changes now */
  clients(): number
  close(): void
}

/** Rejects when the web app was not built. The store is read when the first user comes. */
export async function createConsole(options: ConsoleOptions): Promise<Console> {
  const assets = await loadAssets(options.assetsDir)
  const picture = rememberLast(
    (onExpired) => startLivePicture(options, onExpired),
    (old) => old.close(),
  )
  return {
    async handle(request, response) {
      const url = new URL(request.url ?? '/', 'http://console')
      if (url.pathname !== '/console' && !url.pathname.startsWith('/console/')) return false
      const rest = url.pathname.slice('/console/'.length)
      if (rest.startsWith('api/')) {
        const access = options.authorize(request)
        if (access === 'granted') await answer(rest.slice('api/'.length), { request, response, url }, options, await picture.get())
        else if (access === 'refused') json(response, 403, { message: 'This token may not look at the fleet.' })
        else json(response, 401, { message: 'A valid token is needed: Authorization: Bearer <token>.' })
      } else if (request.method === 'GET' || request.method === 'HEAD') assets.send(request, response, rest)
      else json(response, 405, { message: 'The console only reads.' }, { allow: 'GET, HEAD' })
      return true
    },
    deviceChanged(device) {
      picture.now()?.mirror.touchDevice(device)
      picture.now()?.tabs.changed()
    },
    clients: () => picture.now()?.tabs.size ?? 0,
    close: () => picture.close(),
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
}

async function answer(path: string, { request, response, url }: Exchange, options: ConsoleOptions, picture: LivePicture): Promise<void> {
  const stream = /^stream\/([0-9a-f-]{36})$/.exec(path)
  if (stream !== null && request.method === 'PUT') return takeWishes(request, response, picture, stream[1] ?? '')
  if (request.method !== 'GET') return json(response, 405, { message: 'This path is only read.' }, { allow: 'GET' })
  if (path === 'stream') return openStream(response, picture)
  if (path === 'csv') return answerCsv(response, url.searchParams, options, picture)
  if (path === 'kinds') return json(response, 200, apiKinds())
  if (path === 'topology') {
    const found = options.topologyOf?.(url.searchParams.get('device') ?? '') ?? null
    return found === null ? json(response, 404, { message: 'There is no such device.' }) : json(response, 200, found)
  }
  if (path === 'why') {
    const [namespace = '', name = ''] = (url.searchParams.get('pod') ?? '').split('/')
    const ask = options.why ?? (() => null)
    return json(response, 200, whyView({ namespace, name, device: url.searchParams.get('on'), ask, mirror: picture.mirror }))
  }
  return json(response, 404, { message: 'The console has no such path.' })
}

async function answerCsv(response: ServerResponse, query: URLSearchParams, { clock }: ConsoleOptions, { mirror }: LivePicture): Promise<void> {
  const table = tableNamed(query.get('table'))
  if (table === null) return json(response, 404, { message: 'There is no such list.' })
  mirror.take()
  const asked = { table, query: query.get('q') ?? '', sort: query.get('sort') ?? '' }
  const refused = await sendCsv(response, mirror.tables, asked, clock.nowMs())
  if (refused !== null) json(response, 400, { message: refused })
}

function openStream(response: ServerResponse, { tabs }: LivePicture): void {
  if (!tabs.hasRoom()) return json(response, 503, { message: 'Too many consoles are open; close one.' }, { 'retry-after': '10' })
  response.writeHead(200, {
    'content-type': 'text/event-stream',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    'x-accel-buffering': 'no',
  })
  return tabs.open(response)
}

async function takeWishes(request: IncomingMessage, response: ServerResponse, { tabs }: LivePicture, id: string): Promise<void> {
  const wishes = readWishes(await readJson(request))
  if (typeof wishes === 'string') return json(response, 400, { message: wishes })
  if (!tabs.wish(id, wishes)) return json(response, 404, { message: 'This stream has ended; open another one.' })
  response.writeHead(204, { 'cache-control': 'no-store' }).end()
}

/** null when it is too long or no JSON. */
async function readJson(request: IncomingMessage): Promise<unknown> {
  let text = ''
  for await (const chunk of request) {
    text += String(chunk)
    if (text.length > LIMITS.consoleWishBytes.value) return null
  }
  try {
    return JSON.parse(text)
  } catch {
    return null
  }
}

function json(response: ServerResponse, status: number, body: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const text = JSON.stringify(body)
  response.writeHead(status, {
    'content-type': 'application/json; charset=utf-8',
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
    ...headers,
    'content-length': Buffer.byteLength(text),
  })
  response.end(text)
}
