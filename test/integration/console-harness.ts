/** The console over a store in memory, behind a real HTTP server that can go away and come back. */
import type { IncomingMessage } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { LiveVerbs } from '../../cloud/apiserver/live-verbs.ts'
import { ADMIN_GROUP, tokenAuthenticator } from '../../cloud/apiserver/auth.ts'
import { openApiServer } from '../../cloud/apiserver/server.ts'
import type { ApiServer } from '../../cloud/apiserver/server.ts'
import { createConsole } from '../../cloud/console/server.ts'
import type { Access, Console, ConsoleOptions } from '../../cloud/console/server.ts'
import type { LiveMessage, Wish } from '../../cloud/console/live-protocol.ts'
import { parseBlock } from '../../cloud/console/web/event-stream.ts'
import type { Clock, LiveFailure } from '../../cloud/ports.ts'
import { systemRandom } from '../../cloud/system.ts'

export const TOKEN = 'a-token-for-tests'
export const SIGNED: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` }

const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined }
const CLOCK: Clock = {
  nowMs: () => Date.now(),
  monoMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

/** A device that answers what is asked of it, or says no. */
function pretendLive(said: string[]): LiveVerbs {
  const refused: LiveFailure = { code: 409, reason: 'Conflict', message: 'device gw: it was started by hand' }
  return {
    logs: () => Promise.resolve({ code: 503, reason: 'ServiceUnavailable', message: 'device gw has no log here' }),
    follow: async ({ wanted: { pod, container } }, { opened, take }) => {
      if (!pod.startsWith('modbus-bridge')) return { code: 503, reason: 'ServiceUnavailable', message: `device gw has no log of ${pod}` }
      opened()
      for (const text of [`${pod} ${container} says one\n${pod} says `, 'two\n']) await take(Buffer.from(text))
      return null
    },
    upgrade: () => Promise.resolve(null),
    takeDeviceSocket: () => undefined,
    whole: ({ device, wanted: { what, who } }) => {
      said.push(`${who} ${what} ${device}`)
      return Promise.resolve(what === 'bundle' ? { ok: true, bytes: gzipSync('{"device":"here"}') } : { ok: false, failure: refused })
    },
  }
}

export interface Served {
  /** what was asked of devices */
  readonly asked: readonly string[]

  at(where: string): string
  ask(where: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  stop(): Promise<void>
  /** on the same port */
  start(): Promise<void>
  /** a device sent a report */
  changed(device: string): void
}

/** The console behind the real API server, on plain loopback HTTP. */
export async function serveConsole(options: Pick<ConsoleOptions, 'store' | 'assetsDir'> & Partial<ConsoleOptions>): Promise<Served> {
  let port = 0
  const asked: string[] = []
  let running: { readonly api: ApiServer; readonly served: Console } | null = null
  const authorize = (request: IncomingMessage): Access => (request.headers.authorization === SIGNED['authorization'] ? 'granted' : 'unknown')
  const authenticator = tokenAuthenticator([{ token: TOKEN, principal: { name: 'admin', groups: [ADMIN_GROUP] } }])
  const at = (where: string): string => `http://127.0.0.1:${port}/console${where}`
  const start = async (): Promise<void> => {
    const parts = { clock: CLOCK, log: QUIET, ...options }
    const served = await createConsole({ authorize, ...parts })
    const api = await openApiServer({
      ...parts,
      live: pretendLive(asked),
      random: systemRandom,
      authenticator,
      issueJoin: () => Promise.reject(new Error('not here')),
      place: () => ({ url: 'https://127.0.0.1', ca: '' }),
      handleOther: (request, response) => served.handle(request, response),
    })
    running = { api, served }
    port = await api.listenHttp('127.0.0.1', port)
  }
  await start()
  return {
    asked,
    at,
    ask: (where, headers = SIGNED) => fetch(at(where), { headers }),
    start,
    changed: (device) => running?.served.deviceChanged(device),
    async stop() {
      running?.served.close()
      await running?.api.close()
    },
  }
}

export interface Tab {
  readonly messages: LiveMessage[]
  wish(wishes: Readonly<Record<string, Wish>>): Promise<number>
  close(): void
}

/** One stream as a browser holds it. */
export async function openTab(served: Served): Promise<Tab> {
  const stop = new AbortController()
  const response = await fetch(served.at('/api/stream'), { headers: SIGNED, signal: stop.signal })
  const messages: LiveMessage[] = []
  let id = ''
  let hello: () => void = () => undefined
  const said = new Promise<void>((resolve) => {
    hello = resolve
  })
  const read = async (): Promise<void> => {
    let text = ''
    for await (const chunk of response.body ?? []) {
      text += Buffer.from(chunk).toString()
      const blocks = text.split('\n\n')
      text = blocks.pop() ?? ''
      for (const block of blocks) {
        const event = parseBlock(block)
        if (event?.event === 'hello') id = (JSON.parse(event.data) as { readonly stream: string }).stream
        if (event?.event === 'hello') hello()
        if (event?.event === 'parts') messages.push(JSON.parse(event.data) as LiveMessage)
      }
    }
  }
  read().catch(() => undefined)
  await said
  return {
    messages,
    async wish(wishes) {
      const answer = await fetch(served.at(`/api/stream/${id}`), { method: 'PUT', headers: SIGNED, body: JSON.stringify({ wishes }) })
      return answer.status
    },
    close: () => stop.abort(),
  }
}
