/** One request to a Docker engine over its unix socket, for scripts. */
import { request } from 'node:http'
import type { Readable } from 'node:stream'

export interface EngineAnswer {
  readonly status: number
  readonly body: string
}

export function engineRequest(socketPath: string, method: string, path: string, body?: unknown, timeoutMs = 30_000): Promise<EngineAnswer> {
  const json = body === undefined ? null : JSON.stringify(body)
  return send(
    socketPath,
    method,
    path,
    json === null ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(json) },
    json,
    timeoutMs,
  )
}

/** Streams a tar archive as request body (image import). */
export function engineUpload(socketPath: string, path: string, tar: Readable): Promise<EngineAnswer> {
  return send(socketPath, 'POST', path, { 'content-type': 'application/x-tar' }, tar, 120_000)
}

function send(
  socketPath: string,
  method: string,
  path: string,
  headers: Readonly<Record<string, string | number>>,
  body: string | Readable | null,
  timeoutMs: number,
): Promise<EngineAnswer> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath, method, path, headers, timeout: timeoutMs }, (response) => {
      const chunks: Buffer[] = []
      response.on('data', (chunk: Buffer) => chunks.push(chunk))
      response.on('error', reject)
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }))
    })
    sent.on('timeout', () => sent.destroy(new Error(`the engine did not answer ${method} ${path} within ${timeoutMs} ms`)))
    sent.on('error', reject)
    if (body === null) sent.end()
    else if (typeof body === 'string') sent.end(body)
    else body.pipe(sent)
  })
}
