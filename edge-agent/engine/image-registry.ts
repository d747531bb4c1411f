/**
 * A registry's read API: manifests, and blobs from any byte on. INVARIANTS
 * - A password goes only to the registry it is for and to the token service that this registry names over the same scheme;
 *   redirects to other hosts carry no authorization.
 * - Whatever arrives is bounded, and a silent connection is ended after `stallMs`.
 */
import { request as plainRequest } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { LIMITS } from '../../protocol/limits.ts'
import { isRecord } from '../../protocol/shape.ts'
import type { PullCredential } from '../core/model.ts'
import { apiHostOf } from '../core/image-reference.ts'
import type { EngineFailure } from './docker-failures.ts'
import { MANIFEST_TYPES } from './image-manifest.ts'

/** Rejections of everything here. `failure` speaks the engine's language, so that causes are told in one place. */
export class RegistryError extends Error {
  readonly failure: EngineFailure
  readonly retryInMs: number | null
  constructor(failure: EngineFailure, retryInMs: number | null = null) {
    super(failure.text)
    this.failure = failure
    this.retryInMs = retryInMs
  }
}

export interface RegistryOptions {
  readonly registry: string
  readonly credential: PullCredential | null
  /** the engine would speak plain HTTP to it */
  readonly insecure: boolean
  readonly stallMs: number
}

export interface BlobAnswer {
  readonly from: number
  readonly stream: IncomingMessage
  /** while the reader itself lets the registry wait, silence is no sign of a broken connection */
  held(isHeld: boolean): void
}

export interface RegistryClient {
  manifest(repository: string, reference: string, signal: AbortSignal): Promise<Buffer>
  /** the blob's bytes from `offset` on, at most `bytes` of them; `from` says where the answer really begins */
  blob(repository: string, digest: string, offset: number, signal: AbortSignal, bytes?: number): Promise<BlobAnswer>
}

export function createRegistryClient({ registry, credential, insecure, stallMs }: RegistryOptions): RegistryClient {
  const base = `${insecure ? 'http' : 'https'}://${apiHostOf(registry)}/v2`
  const basic = credential === null ? null : `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`
  let authorization: string | null = null

  const get = async (path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<IncomingMessage> => {
    for (let attempt = 0; ; attempt += 1) {
      const answer = await send(new URL(`${base}/${path}`), { ...headers, ...(authorization === null ? {} : { authorization }) }, signal, stallMs)
      const status = answer.statusCode ?? 0
      if (status === 200 || status === 206) return answer
      const text = (await bodyOf(answer, LIMITS.messageText.value * 4)).toString('utf8')
      if (status !== 401 || attempt > 0) throw refusal(status, text, answer)
      authorization = await answerChallenge(answer.headers['www-authenticate'] ?? '', signal)
      if (authorization === null) throw refusal(status, text, answer)
    }
  }
  /** What the registry wants to see, or null when this device has nothing to show. */
  const answerChallenge = async (challenge: string, signal: AbortSignal): Promise<string | null> => {
    if (/^basic/i.test(challenge)) return basic
    const realm = /realm="([^"]+)"/.exec(challenge)?.[1]
    if (!/^bearer/i.test(challenge) || realm === undefined || !URL.canParse(realm)) return null
    const url = new URL(realm)
    for (const name of ['service', 'scope']) {
      const value = new RegExp(`${name}="([^"]+)"`).exec(challenge)?.[1]
      if (value !== undefined) url.searchParams.set(name, value)
    }
    const mayShow = basic !== null && (insecure || url.protocol === 'https:')
    const answer = await send(url, mayShow ? { authorization: basic } : {}, signal, LIMITS.registryCallMs.value)
    const body = await bodyOf(answer, LIMITS.apiBodyBytes.value)
    if (answer.statusCode !== 200) throw refusal(answer.statusCode ?? 0, body.toString('utf8'), answer)
    const json: unknown = JSON.parse(body.toString('utf8'))
    const token = isRecord(json) ? (json['token'] ?? json['access_token']) : undefined
    return typeof token === 'string' ? `Bearer ${token}` : null
  }
  return {
    manifest: async (repository, reference, signal) =>
      bodyOf(await get(`${repository}/manifests/${reference}`, { accept: MANIFEST_TYPES.join(', ') }, signal), LIMITS.imageManifestBytes.value),
    blob: async (repository, digest, offset, signal, bytes) => {
      const isPart = offset > 0 || bytes !== undefined
      const range = `bytes=${offset}-${bytes === undefined ? '' : offset + bytes - 1}`
      const stream = await get(`${repository}/blobs/${digest}`, isPart ? { range } : {}, signal)
      const { socket } = stream
      return { from: stream.statusCode === 206 ? offset : 0, stream, held: (isHeld) => void socket.setTimeout(isHeld ? 0 : stallMs) }
    },
  }
}

/** The whole body, or a rejection when it is larger. */
export async function bodyOf(answer: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of answer as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > maxBytes) throw new RegistryError({ status: null, code: null, text: `the registry sent more than ${maxBytes} bytes` })
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

const REDIRECTS = 5

async function send(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal, stallMs: number): Promise<IncomingMessage> {
  let at = url
  let shown = headers
  for (let hop = 0; hop <= REDIRECTS; hop += 1) {
    const answer = await sendOnce(at, shown, signal, stallMs)
    const location = answer.headers.location
    if (![301, 302, 303, 307, 308].includes(answer.statusCode ?? 0) || location === undefined) return answer
    answer.resume()
    const next = new URL(location, at)
    if (next.origin !== at.origin) shown = Object.fromEntries(Object.entries(shown).filter(([name]) => name !== 'authorization'))
    if (at.protocol === 'https:' && next.protocol !== 'https:')
      throw new RegistryError({ status: null, code: null, text: `redirected to ${next.origin}, which is not encrypted` })
    at = next
  }
  throw new RegistryError({ status: null, code: null, text: 'redirected too often' })
}

async function sendOnce(url: URL, headers: Readonly<Record<string, string>>, signal: AbortSignal, stallMs: number): Promise<IncomingMessage> {
  // TLS is loaded only when a registry asks for it
  const request = url.protocol === 'http:' ? plainRequest : (await import('node:https')).request
  return new Promise((resolve, reject) => {
    const call = request(url, { headers: { 'user-agent': 'skerry-agent', ...headers }, signal, agent: false }, (answer) => resolve(answer))
    call.setTimeout(stallMs, () => call.destroy(Object.assign(new Error(`nothing received for ${stallMs} ms`), { code: 'STALLED' })))
    call.on('error', reject)
    call.end()
  })
}

function refusal(status: number, text: string, answer: IncomingMessage): RegistryError {
  const seconds = Number(answer.headers['retry-after'])
  const said =
    status === 401 || status === 403 ? `unauthorized: the registry answered ${status}` : `the registry answered ${status}: ${text.slice(0, 256)}`
  return new RegistryError({ status, code: null, text: said }, seconds > 0 ? Math.min(seconds * 1000, LIMITS.pullRetryMaxMs.value) : null)
}
