/** A real API server in this process, over a store in memory, with what tests need to call it. */
import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { tokenAuthenticator } from '../../cloud/apiserver/auth.ts'
import { openApiServer } from '../../cloud/apiserver/server.ts'
import type { ApiServer } from '../../cloud/apiserver/server.ts'
import type { AuditEntry, Clock, Log, Random, Store } from '../../cloud/ports.ts'
import type { KubeObject } from '../../cloud/resources/object.ts'
import { openSqliteStore } from '../../cloud/store/sqlite-store.ts'

export const ADMIN = 'admin-token-for-tests-0123456789abcdef'
export const STRANGER = 'other-token-for-tests-0123456789abcdef'

export const clock: Clock = {
  nowMs: () => Date.now(),
  monoMs: () => performance.now(),
  after(ms, run) {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

export const random: Random = {
  next: () => Math.random(),
  uuid: () => randomUUID(),
  suffix: (length) => Array.from({ length }, () => 'bcdfghjklmnpqrstvwxz2456789'[Math.floor(Math.random() * 27)] ?? 'b').join(''),
}

export interface TestServer {
  readonly api: ApiServer
  readonly store: Store
  readonly port: number
  /** everything that was logged, as text */
  readonly logged: string[]
  /** what was told to the audit log */
  readonly acts: AuditEntry[]
  close(): Promise<void>
}

/** @param time the server's clock, for tests that move it by hand */
export async function startApiServer(time: Clock = clock): Promise<TestServer> {
  const logged: string[] = []
  const acts: AuditEntry[] = []
  const note = (msg: string, fields?: object): void => void logged.push(`${msg} ${JSON.stringify(fields ?? {})}`)
  const log: Log = { info: note, warn: note, error: note }
  const store = openSqliteStore(':memory:', { log, clock })
  const api = await openApiServer({
    store,
    clock: time,
    random,
    log,
    authenticator: tokenAuthenticator([
      { token: ADMIN, principal: { name: 'admin', groups: ['system:masters'] } },
      { token: STRANGER, principal: { name: 'stranger', groups: [] } },
    ]),
    audit: { record: (entry) => void acts.push(entry), entries: () => acts, onRecord: () => undefined },
    issueJoin: (device) => Promise.resolve({ device }),
    place: () => ({ url: 'https://cloud.example:6443', ca: 'PEM' }),
    handleOther(request, response, principal) {
      if (request.url !== '/console') return Promise.resolve(false)
      response.end(`console for ${principal?.name ?? 'nobody'}`)
      return Promise.resolve(true)
    },
  })
  const port = await api.listenHttp('127.0.0.1', 0)
  return {
    api,
    store,
    port,
    logged,
    acts,
    async close() {
      await api.close()
      await store.close()
    },
  }
}

export interface Reply {
  readonly code: number
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly text: string
  /** the body as JSON; throws when it is not */
  json(): unknown
  /** the body as an object of the API */
  object(): KubeObject
}

export interface Sent {
  readonly body?: unknown
  readonly raw?: string
  readonly type?: string
  readonly accept?: string
  readonly token?: string | null
}

/** One request on a connection of its own. */
export function call(server: TestServer, method: string, path: string, sent: Sent = {}): Promise<Reply> {
  const body = sent.raw ?? (sent.body === undefined ? undefined : JSON.stringify(sent.body))
  const headers: Record<string, string> = {}
  if (sent.token !== null) headers['authorization'] = `Bearer ${sent.token ?? ADMIN}`
  if (body !== undefined) {
    headers['content-type'] = sent.type ?? 'application/json'
    headers['content-length'] = String(Buffer.byteLength(body))
  }
  if (sent.accept !== undefined) headers['accept'] = sent.accept
  return new Promise((resolve, reject) => {
    const request = httpRequest({ host: '127.0.0.1', port: server.port, method, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => {
        const text = Buffer.concat(chunks).toString('utf8')
        const json = (): unknown => JSON.parse(text)
        resolve({ code: response.statusCode ?? 0, headers: response.headers, text, json, object: () => json() as KubeObject })
      })
    })
    request.on('error', reject)
    request.end(body)
  })
}

export interface Watching {
  /** the next event; rejects when the stream ends first */
  next(): Promise<{ readonly type: string; readonly object: KubeObject }>
  /** resolves when the server ends the stream */
  readonly ended: Promise<void>
  stop(): void
}

/** Reads a watch line by line. */
export function watchLines(server: TestServer, path: string, accept = 'application/json'): Promise<Watching> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${ADMIN}`, accept }
    const request = httpRequest({ host: '127.0.0.1', port: server.port, path, headers, agent: false }, (response) => {
      const ready: string[] = []
      const waiting: { give(line: string): void; fail(error: Error): void }[] = []
      let rest = ''
      response.setEncoding('utf8')
      response.on('data', (text: string) => {
        const lines = (rest + text).split('\n')
        rest = lines.pop() ?? ''
        for (const line of lines) {
          const first = waiting.shift()
          if (first === undefined) ready.push(line)
          else first.give(line)
        }
      })
      const ended = new Promise<void>((done) => {
        response.on('close', () => {
          for (const item of waiting.splice(0)) item.fail(new Error('the watch ended'))
          done()
        })
      })
      response.on('error', () => undefined)
      const line = (): Promise<string> => {
        const first = ready.shift()
        return first === undefined ? new Promise((give, fail) => waiting.push({ give, fail })) : Promise.resolve(first)
      }
      resolve({ next: async () => JSON.parse(await line()) as never, ended, stop: () => request.destroy() })
    })
    request.on('error', reject)
    request.end()
  })
}
