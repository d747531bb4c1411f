/** The console: its files for everybody, its data for who may read. Mounted into the API server; owns the paths below /console. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WhyAnswer } from '../core/scheduler/why.ts'
import type { Clock, Log, Store } from '../ports.ts'
import type { Pod } from '../resources/pod.ts'
import { causeView } from './cause-words.ts'
import type { DeviceFacts } from './device-row.ts'
import { startLivePicture } from './live-picture.ts'
import type { LivePicture } from './live-picture.ts'
import { loadAssets } from './static-assets.ts'
import type { WhyNotPlaced } from './view-model.ts'

export interface ConsoleOptions {
  readonly store: Store
  readonly clock: Clock
  readonly log: Log
  /** the Vite build */
  readonly assetsDir: string
  /** may this request read everything? */
  authorize(request: IncomingMessage): boolean
  /** what the cloud knows of a device beside its Node: newest report, last contact */
  facts?(device: string): DeviceFacts
  /** why this pod is on no device; null when it could be placed now */
  whyPod?(pod: Pod): WhyAnswer | null
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
  let started: Promise<LivePicture> | null = null
  let picture: LivePicture | null = null
  const live = async (): Promise<LivePicture> => {
    started ??= startLivePicture(options)
    try {
      picture = await started
      return picture
    } catch (error) {
      started = null
      throw error
    }
  }
  return {
    async handle(request, response) {
      const url = new URL(request.url ?? '/', 'http://console')
      if (url.pathname !== '/console' && !url.pathname.startsWith('/console/')) return false
      if (request.method !== 'GET' && request.method !== 'HEAD') {
        json(response, 405, { message: 'The console only reads.' }, { allow: 'GET, HEAD' })
        return true
      }
      const rest = url.pathname.slice('/console/'.length)
      if (!rest.startsWith('api/')) assets.send(request, response, rest)
      else if (!options.authorize(request)) json(response, 401, { message: 'A valid token is needed: Authorization: Bearer <token>.' })
      else await answer(rest.slice('api/'.length), { request, response, url }, options, live)
      return true
    },
    deviceChanged: (device) => picture?.deviceChanged(device),
    clients: () => picture?.clients() ?? 0,
    close: () => picture?.close(),
  }
}

interface Exchange {
  readonly request: IncomingMessage
  readonly response: ServerResponse
  readonly url: URL
}

async function answer(path: string, { request, response, url }: Exchange, options: ConsoleOptions, live: () => Promise<LivePicture>): Promise<void> {
  if (path === 'snapshot') return json(response, 200, (await live()).snapshot())
  if (path === 'events') {
    const said = request.headers['last-event-id']
    const from = typeof said === 'string' && /^\d{1,15}$/.test(said) ? Number(said) : null
    const picture = await live()
    if (!picture.hasRoom()) return json(response, 503, { message: 'Too many consoles are open; close one.' }, { 'retry-after': '10' })
    const headers = {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-accel-buffering': 'no',
    }
    response.writeHead(200, headers)
    picture.follow(response, from)
    return undefined
  }
  if (path === 'why') return json(response, 200, await why(url.searchParams.get('pod') ?? '', options, await live()))
  return json(response, 404, { message: 'The console has no such path.' })
}

async function why(key: string, options: ConsoleOptions, picture: LivePicture): Promise<WhyNotPlaced> {
  const pod = picture.pod(key)
  const answer = pod === undefined ? null : (options.whyPod?.(pod) ?? null)
  if (answer === null) return { says: pod === undefined ? 'This pod is gone.' : 'Nothing stands against placing it now.', devices: [], changes: [] }
  return {
    says: answer.sentence,
    devices: answer.nodes.map(({ node, source, causes }) => ({ device: node, source, causes: causes.map(causeView) })),
    changes: answer.suggestions.map(({ node, changes }) => ({ device: node, changes })),
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
