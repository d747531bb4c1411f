/** How the command reaches the cloud: a kubeconfig (ours or any with a token), or a server address and token. */
import { readFileSync } from 'node:fs'
import { request as httpRequest } from 'node:http'
import { request as httpsRequest } from 'node:https'
import path from 'node:path'
import { parse } from 'yaml'
import { isRecord } from '../../protocol/shape.ts'

export interface Connection {
  readonly server: string
  readonly token: string
  readonly ca: string | null
}

export interface Answer {
  readonly status: number
  readonly body: unknown
}

export type ConnectionResult = { readonly ok: true; readonly connection: Connection } | { readonly ok: false; readonly why: string }

export interface ConnectionSources {
  readonly server: string | undefined
  readonly token: string | undefined
  readonly kubeconfig: string | undefined
  readonly home: string | undefined
}

/** Precedence: server and token, then the kubeconfig file. */
export function findConnection(sources: ConnectionSources): ConnectionResult {
  if (sources.server !== undefined && sources.token !== undefined)
    return { ok: true, connection: { server: sources.server, token: sources.token, ca: null } }
  const file = sources.kubeconfig ?? (sources.home === undefined ? undefined : path.join(sources.home, '.kube', 'config'))
  if (file === undefined) return { ok: false, why: 'no kubeconfig: pass --kubeconfig FILE, or --server URL and --token TOKEN' }
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch {
    return { ok: false, why: `cannot read the kubeconfig ${file}: pass --kubeconfig FILE, or --server URL and --token TOKEN` }
  }
  return readKubeconfig(text, file)
}

function readKubeconfig(text: string, file: string): ConnectionResult {
  const config: unknown = parse(text, { maxAliasCount: 0 })
  if (!isRecord(config)) return { ok: false, why: `${file} is not a kubeconfig` }
  const context = named(config['contexts'], config['current-context'], 'context')
  const cluster = named(config['clusters'], context?.['cluster'], 'cluster')
  const user = named(config['users'], context?.['user'], 'user')
  const server = cluster?.['server']
  const token = user?.['token']
  if (typeof server !== 'string' || typeof token !== 'string') return { ok: false, why: `${file} has no current context with a server and a token` }
  const ca = cluster?.['certificate-authority-data']
  return { ok: true, connection: { server, token, ca: typeof ca === 'string' ? Buffer.from(ca, 'base64').toString('utf8') : null } }
}

function named(list: unknown, name: unknown, field: string): Readonly<Record<string, unknown>> | null {
  if (!Array.isArray(list)) return null
  const found: unknown = list.find((item: unknown) => isRecord(item) && item['name'] === name)
  const value = isRecord(found) ? found[field] : null
  return isRecord(value) ? value : null
}

/** One request; rejects only when the server cannot be reached. */
export async function call(
  connection: Connection,
  method: string,
  target: string,
  body?: unknown,
  contentType = 'application/json',
): Promise<Answer> {
  const { status, bytes } = await callForBytes(connection, method, target, body, { contentType })
  return { status, body: json(bytes.toString('utf8')) }
}

/** The same, with the answer as it came. */
export function callForBytes(
  connection: Connection,
  method: string,
  target: string,
  body?: unknown,
  { contentType = 'application/json', patienceMs = 30_000 }: { readonly contentType?: string; readonly patienceMs?: number } = {},
): Promise<{ readonly status: number; readonly bytes: Buffer }> {
  const url = new URL(target, connection.server)
  const payload = body === undefined ? null : typeof body === 'string' ? body : JSON.stringify(body)
  const options = {
    method,
    headers: {
      authorization: `Bearer ${connection.token}`,
      accept: 'application/json',
      ...(payload === null ? {} : { 'content-type': contentType }),
    },
    timeout: patienceMs,
    ...(connection.ca === null ? {} : { ca: connection.ca }),
  }
  return new Promise((resolve, reject) => {
    const send = url.protocol === 'https:' ? httpsRequest : httpRequest
    const request = send(url, options, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('end', () => resolve({ status: response.statusCode ?? 0, bytes: Buffer.concat(chunks) }))
      response.on('error', reject)
    })
    request.on('timeout', () => request.destroy(new Error(`no answer within ${patienceMs / 1000} s`)))
    request.on('error', reject)
    request.end(payload ?? undefined)
  })
}

/** What the API said, read as JSON where it is. */
export function json(text: string): unknown {
  try {
    const value: unknown = JSON.parse(text)
    return value
  } catch {
    return text
  }
}

/** Prints the API's own sentence and turns its status into an exit code. */
export function refuse(answer: Answer): number {
  const message = isRecord(answer.body) && typeof answer.body['message'] === 'string' ? answer.body['message'] : `the cloud answered ${answer.status}`
  process.stderr.write(`${message}\n`)
  return answer.status === 401 || answer.status === 403 ? 4 : answer.status === 404 ? 5 : answer.status === 409 ? 6 : 1
}
