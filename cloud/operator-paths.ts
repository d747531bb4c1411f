/** Skerry's own paths for operators: why a pod is not placed, and the act of raising the epoch. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { WhyAnswer } from './core/scheduler/why.ts'

export interface OperatorActs {
  whyPod(namespace: string, name: string, node?: string): WhyAnswer | null
  raiseEpoch(): Promise<number>
}

export function operatorPaths(acts: OperatorActs): (request: IncomingMessage, response: ServerResponse, allowed: boolean) => Promise<boolean> {
  return async (request, response, allowed) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://operator')
    const why = /^\/skerry\/v1\/why\/([^/]+)\/([^/]+)$/.exec(pathname)
    const raise = pathname === '/skerry/v1/raise-epoch'
    if (why === null && !raise) return false
    if (!allowed) send(response, 401, status(401, 'Unauthorized', 'only an administrator may ask this: send Authorization: Bearer <token>'))
    else if (why !== null) answerWhy(response, acts, { namespace: why[1] ?? '', name: why[2] ?? '', node: searchParams.get('node') })
    else if (request.method !== 'POST') send(response, 405, status(405, 'MethodNotAllowed', 'raising the epoch is a POST'))
    else send(response, 200, { epoch: await acts.raiseEpoch() })
    return true
  }
}

/** The answer to `skerry why`, also for programs. */
function answerWhy(
  response: ServerResponse,
  acts: OperatorActs,
  { namespace, name, node }: { namespace: string; name: string; node: string | null },
): void {
  const answer = node === null ? acts.whyPod(namespace, name) : acts.whyPod(namespace, name, node)
  if (answer === null) return send(response, 404, status(404, 'NotFound', `there is no pod ${namespace}/${name}`))
  send(response, 200, answer)
}

function status(code: number, reason: string, message: string): unknown {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }
}

function send(response: ServerResponse, code: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' }).end(text)
}
