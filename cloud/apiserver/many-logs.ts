/**
 * `GET /skerry/v1/logs?pod=NAMESPACE/NAME&pod=…`: the logs of several pods in one answer, as they come. Browsers open six connections to a
 * cloud, so each log on its own would be the end of everything else. One JSON object a line: `{"pod", "lines"}`, or `{"pod", "says",
 * "failed"}` when there is no log (any more). The other words of the query are those of a pod's own log.
 */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { LIMITS } from '../../protocol/limits.ts'
import type { Api } from './api.ts'
import { ApiError, badRequest } from './api-error.ts'
import type { Principal } from './auth.ts'
import { liveCall } from './live-verbs.ts'
import type { LiveVerbs } from './live-verbs.ts'
import { routeOf } from './route.ts'

export const LOGS_PATH = '/skerry/v1/logs'
const POD = /^([a-z0-9-]{1,63})\/([a-z0-9.-]{1,253})$/

/** The caller is an administrator already. Ends when every log has. */
export async function manyLogs(
  parts: { readonly api: Api; readonly live: LiveVerbs },
  principal: Principal,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const pods = [...new Set(query.getAll('pod'))]
  const wrong = pods.find((pod) => !POD.test(pod))
  if (pods.length === 0 || wrong !== undefined) throw badRequest(`${JSON.stringify(wrong ?? '')} is no pod: send pod=NAMESPACE/NAME, once for each`)
  if (pods.length > LIMITS.logsAtOnce.value)
    throw badRequest(`these are ${pods.length} pods; at most ${LIMITS.logsAtOnce.value} logs are read at once`)
  const stop = new AbortController()
  response.once('close', () => stop.abort())
  response.writeHead(200, { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store', 'x-accel-buffering': 'no' })
  response.flushHeaders()
  const tell = async (told: object): Promise<void> => {
    if (response.destroyed || response.write(`${JSON.stringify(told)}\n`)) return
    await Promise.race([once(response, 'drain'), once(response, 'close')])
  }
  await Promise.all(pods.map(async (pod) => tell({ pod, ...(await follow(parts, { principal, query, pod, stop: stop.signal }, tell)) })))
  response.end()
}

interface Following {
  readonly principal: Principal
  readonly query: URLSearchParams
  readonly pod: string
  readonly stop: AbortSignal
}

/** Resolves with what became of it. Rejects only for a fault of this server. */
async function follow(
  { api, live }: { readonly api: Api; readonly live: LiveVerbs },
  { principal, query, pod, stop }: Following,
  tell: (told: object) => Promise<void>,
): Promise<{ readonly says: string; readonly failed: boolean }> {
  const [, namespace = '', name = ''] = POD.exec(pod) ?? []
  const route = routeOf(`/api/v1/namespaces/${namespace}/pods/${name}/log`, (group, version, plural) => api.catalog.find(group, version, plural))
  if (route.kind !== 'resource') return { says: 'There is no such pod.', failed: true }
  let rest = ''
  const decoder = new TextDecoder()
  const take = async (bytes: Uint8Array): Promise<void> => {
    const lines = (rest + decoder.decode(bytes, { stream: true })).split('\n')
    rest = lines.pop() ?? ''
    // a program that never ends its line is shown all the same
    if (rest.length > LIMITS.sessionMessageBytes.value) lines.push(rest)
    if (rest.length > LIMITS.sessionMessageBytes.value) rest = ''
    if (lines.length > 0) await tell({ pod, lines })
  }
  try {
    const failure = await live.follow(await liveCall(api, principal, route, query), { opened: () => undefined, take, stop })
    if (rest !== '') await tell({ pod, lines: [rest] })
    return failure === null ? { says: 'The log has ended.', failed: false } : { says: failure.message, failed: true }
  } catch (error) {
    if (error instanceof ApiError) return { says: error.message, failed: true }
    throw error
  }
}
