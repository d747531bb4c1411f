/** Skerry's own paths for operators: why a pod is not placed, and the act of raising the epoch. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PodExplanation } from './controllers/scheduler-controller.ts'

export interface OperatorActs {
  explainPod(namespace: string, name: string): PodExplanation | null
  raiseEpoch(): Promise<number>
}

/** The answer to `skerry why`, also for programs. */
export interface WhyAnswer {
  readonly placed: boolean
  readonly device: string | null
  readonly sentence: string
  readonly nodes: readonly {
    readonly node: string
    readonly causes: readonly { readonly code: string; readonly facts: Readonly<Record<string, string>> }[]
  }[]
}

export function operatorPaths(acts: OperatorActs): (request: IncomingMessage, response: ServerResponse, allowed: boolean) => Promise<boolean> {
  return async (request, response, allowed) => {
    const { pathname } = new URL(request.url ?? '/', 'http://operator')
    const why = /^\/skerry\/v1\/why\/([^/]+)\/([^/]+)$/.exec(pathname)
    const raise = pathname === '/skerry/v1/raise-epoch'
    if (why === null && !raise) return false
    if (!allowed) send(response, 401, status(401, 'Unauthorized', 'only an administrator may ask this: send Authorization: Bearer <token>'))
    else if (why !== null) answerWhy(response, acts, why[1] ?? '', why[2] ?? '')
    else if (request.method !== 'POST') send(response, 405, status(405, 'MethodNotAllowed', 'raising the epoch is a POST'))
    else send(response, 200, { epoch: await acts.raiseEpoch() })
    return true
  }
}

function answerWhy(response: ServerResponse, acts: OperatorActs, namespace: string, name: string): void {
  const explained = acts.explainPod(namespace, name)
  if (explained === null) return send(response, 404, status(404, 'NotFound', `there is no pod ${namespace}/${name}`))
  const { node, refusal } = explained
  const answer: WhyAnswer = {
    placed: node !== null,
    device: node,
    sentence:
      refusal?.sentence ??
      (node === null ? 'Nothing stands against placing it now.' : 'The device decides from here; kubectl describe shows what it says.'),
    nodes: (refusal?.nodes ?? []).map((item) => ({ node: item.node, causes: item.reasons.map((reason) => reason.cause) })),
  }
  send(response, 200, answer)
}

function status(code: number, reason: string, message: string): unknown {
  return { kind: 'Status', apiVersion: 'v1', status: 'Failure', code, reason, message }
}

function send(response: ServerResponse, code: number, body: unknown): void {
  const text = JSON.stringify(body)
  response.writeHead(code, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text), 'cache-control': 'no-store' }).end(text)
}
