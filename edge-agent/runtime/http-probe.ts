/**
 * HTTP probe as the kubelet does it: 200 to 399 is success, redirects are followed on the same host only, certificates are
 * not verified (the container is asked over the device's own network), and the body is read only as far as the table says.
 */
import { request as httpRequest } from 'node:http'
import type { IncomingMessage, RequestOptions } from 'node:http'
import { LIMITS } from '../../protocol/limits.ts'
import type { ProbeAction, ProbeAnswer } from '../core/probe-model.ts'
import { failure, noAnswer } from './probe-answer.ts'

type HttpAction = Extract<ProbeAction, { readonly kind: 'http' }>

export async function httpProbe(action: HttpAction, timeoutMs: number): Promise<ProbeAnswer> {
  const signal = AbortSignal.timeout(timeoutMs)
  let url = new URL(`${action.https ? 'https' : 'http'}://${bracketed(action.host)}:${action.port}`)
  // kept as it is written: a URL object would rewrite dots and signs
  let path = action.path
  for (let turns = 0; turns <= LIMITS.probeRedirects.value; turns += 1) {
    let answer: IncomingMessage
    try {
      answer = await get(url, path, action.headers, signal)
    } catch (error) {
      return signal.aborted ? noAnswer(timeoutMs) : failure(error instanceof Error ? error.message : String(error))
    }
    const status = answer.statusCode ?? 0
    const next = status >= 300 && status < 400 ? redirect(answer, url, path) : null
    if (next !== null && next.hostname === url.hostname) {
      url = next
      path = `${next.pathname}${next.search}`
      continue
    }
    // an answer that sends to another host is an answer
    if (status >= 200 && status < 400) return { verdict: 'success', message: '' }
    return failure(`HTTP probe failed with statuscode: ${status}`)
  }
  return failure(`stopped after ${LIMITS.probeRedirects.value} redirects`)
}

/** Resolves when the head and what is read of the body have arrived. */
async function get(url: URL, path: string, headers: HttpAction['headers'], signal: AbortSignal): Promise<IncomingMessage> {
  const options: RequestOptions & { rejectUnauthorized: boolean } = {
    host: url.hostname.replace(/^\[|\]$/g, ''),
    port: url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port),
    path,
    method: 'GET',
    headers: headersOf(headers),
    signal,
    agent: false,
    rejectUnauthorized: false,
  }
  // loaded when the first such probe runs: TLS costs megabytes
  const request = url.protocol === 'https:' ? (await import('node:https')).request : httpRequest
  return new Promise((resolve, reject) => {
    const asked = request(options, (answer) => {
      let bytes = 0
      answer.on('data', (chunk: Buffer) => {
        bytes += chunk.byteLength
        if (bytes > LIMITS.probeBodyBytes.value) end()
      })
      const end = (): void => {
        resolve(answer)
        asked.destroy()
      }
      answer.once('end', end)
      answer.once('error', reject)
    })
    asked.once('error', reject)
    asked.end()
  })
}

/** The kubelet's own headers unless the probe names them; `Accept: ` with no value takes it away, as there. */
function headersOf(headers: HttpAction['headers']): Record<string, string | string[]> {
  const out: Record<string, string | string[]> = { 'User-Agent': 'kube-probe/skerry', Accept: '*/*', Connection: 'close' }
  for (const { name, value } of headers) {
    const known = Object.keys(out).find((key) => key.toLowerCase() === name.toLowerCase())
    const own = known !== undefined && headers.some((other) => other.name === known)
    const before = own && known !== undefined ? out[known] : undefined
    if (known !== undefined) Reflect.deleteProperty(out, known)
    out[name] = before === undefined ? value : [before, value].flat()
  }
  if (out['Accept'] === '') Reflect.deleteProperty(out, 'Accept')
  return out
}

function redirect(answer: IncomingMessage, url: URL, path: string): URL | null {
  const { location } = answer.headers
  if (location === undefined) return null
  const next = URL.parse(location, new URL(path, url).href)
  return next !== null && (next.protocol === 'http:' || next.protocol === 'https:') ? next : null
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}
