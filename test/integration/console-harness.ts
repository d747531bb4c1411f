/** The console over a store in memory, behind a real HTTP server that can go away and come back. */
import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { createConsole } from '../../cloud/console/server.ts'
import type { Console, ConsoleOptions } from '../../cloud/console/server.ts'
import type { LiveMessage, Wish } from '../../cloud/console/live-protocol.ts'
import { parseBlock } from '../../cloud/console/web/event-stream.ts'
import type { Clock } from '../../cloud/ports.ts'

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

export interface Served {
  at(where: string): string
  ask(where: string, headers?: Readonly<Record<string, string>>): Promise<Response>
  stop(): Promise<void>
  /** on the same port */
  start(): Promise<void>
  console(): Console
}

export async function serveConsole(options: Pick<ConsoleOptions, 'store' | 'assetsDir'> & Partial<ConsoleOptions>): Promise<Served> {
  let port = 0
  let served: Console | null = null
  let server: Server | null = null
  const authorize = (request: IncomingMessage): boolean => request.headers.authorization === SIGNED['authorization']
  const at = (where: string): string => `http://127.0.0.1:${port}/console${where}`
  const start = async (): Promise<void> => {
    const made = await createConsole({ clock: CLOCK, log: QUIET, authorize, ...options })
    served = made
    const listening = createServer((request, response) => {
      made.handle(request, response).then(
        (mine) => (mine ? undefined : response.writeHead(404).end()),
        () => response.destroy(),
      )
    })
    server = listening
    await new Promise<void>((resolve) => listening.listen(port, '127.0.0.1', resolve))
    port = (listening.address() as AddressInfo).port
  }
  await start()
  return {
    at,
    ask: (where, headers = SIGNED) => fetch(at(where), { headers }),
    start,
    console() {
      if (served === null) throw new Error('not started')
      return served
    },
    stop() {
      served?.close()
      return new Promise((resolve) => {
        server?.close(() => resolve())
        server?.closeAllConnections()
      })
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
