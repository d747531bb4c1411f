/**
 * `/metrics`, for whoever holds the metrics token or the administrator's, on every listener. The metrics token may read nothing else:
 * a monitoring system must not be a way in.
 */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { EXPOSITION_TYPE } from '../../protocol/exposition.ts'
import type { Metrics } from './metrics.ts'

/** Group of the metrics token. */
export const METRICS_GROUP = 'skerry:metrics'

/** True = answered. @param allowed the bearer token is one of the two */
export function metricsPath(metrics: Metrics): (request: IncomingMessage, response: ServerResponse, allowed: boolean) => boolean {
  return (request, response, allowed) => {
    if (new URL(request.url ?? '/', 'http://metrics').pathname !== '/metrics') return false
    const reads = request.method === 'GET' || request.method === 'HEAD'
    if (!allowed)
      send(response, 401, 'text/plain', 'Send Authorization: Bearer TOKEN, with the token of the file metrics-token in the data folder.\n')
    else if (!reads) send(response, 405, 'text/plain', 'Metrics are only read.\n')
    else send(response, 200, EXPOSITION_TYPE, metrics.render())
    return true
  }
}

function send(response: ServerResponse, code: number, type: string, text: string): void {
  response.writeHead(code, { 'content-type': type, 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' })
  response.end(response.req.method === 'HEAD' ? undefined : text)
}
