/** How answers leave: JSON with its length, gzip for long ones, `Warning` headers. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { promisify } from 'node:util'
import { constants, gzip } from 'node:zlib'
import { statusOf } from './api-error.ts'
import type { ApiError } from './api-error.ts'

export interface Answer {
  readonly code: number
  /** encoded already: stored objects are sent as they are kept */
  readonly json: string
  readonly type?: string
}

/** Lists below this are not worth compressing (Kubernetes uses the same figure). */
const GZIP_FROM_BYTES = 128 * 1024
const compress = promisify(gzip)

export const ok = (value: unknown, code = 200): Answer => ({ code, json: JSON.stringify(value) })
export const encoded = (json: string, code = 200): Answer => ({ code, json })

export async function send(request: IncomingMessage, response: ServerResponse, answer: Answer, warnings: readonly string[]): Promise<void> {
  const bytes = Buffer.from(answer.json, 'utf8')
  response.setHeader('Content-Type', answer.type ?? 'application/json')
  response.setHeader('Cache-Control', 'no-cache, private')
  if (warnings.length > 0)
    response.setHeader(
      'Warning',
      warnings.slice(0, 16).map((text) => `299 - ${quoted(text)}`),
    )
  const zip = bytes.length >= GZIP_FROM_BYTES && /\bgzip\b/.test(request.headers['accept-encoding'] ?? '')
  const body = zip ? await compress(bytes, { level: constants.Z_BEST_SPEED }) : bytes
  if (zip) response.setHeader('Content-Encoding', 'gzip')
  response.setHeader('Content-Length', body.length)
  response.writeHead(answer.code)
  response.end(request.method === 'HEAD' ? undefined : body)
}

export async function sendError(request: IncomingMessage, response: ServerResponse, error: ApiError): Promise<void> {
  if (response.headersSent) {
    response.destroy()
    return
  }
  if (error.code === 401) response.setHeader('WWW-Authenticate', 'Bearer realm="skerry"')
  if (error.code === 413) response.setHeader('Connection', 'close')
  const seconds = error.details.retryAfterSeconds ?? (error.code === 503 ? 1 : undefined)
  if (seconds !== undefined) response.setHeader('Retry-After', seconds)
  await send(request, response, ok(statusOf(error), error.code), [])
}

/** Header text: quotes escaped, everything outside printable ASCII replaced. */
function quoted(text: string): string {
  return `"${text.replace(/[^\x20-\x7e]/g, '?').replace(/["\\]/g, '\\$&')}"`
}
