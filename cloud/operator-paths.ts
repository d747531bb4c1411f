/** Skerry's own paths for operators: why a pod is not placed, how a device is laid out, what a rollout would do, and the act of raising the epoch. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { ApiError } from './apiserver/api-error.ts'
import { decodeBody, mediaType, readBody } from './apiserver/body.ts'
import type { PlanAnswer } from './controllers/rollout-plans.ts'
import type { RolloutPlan } from './core/rollout/plan.ts'
import type { TopologyAnswer } from './core/topology-answer.ts'
import type { WhyAnswer } from './core/scheduler/why.ts'

export interface OperatorActs {
  whyPod(namespace: string, name: string, node?: string): WhyAnswer | null
  topologyOf(device: string): TopologyAnswer | null
  raiseEpoch(): Promise<number>
  planRollout(namespace: string, rollout: unknown): Promise<PlanAnswer>
  shownPlan(namespace: string, planId: string): RolloutPlan | null
}

export function operatorPaths(acts: OperatorActs): (request: IncomingMessage, response: ServerResponse, allowed: boolean) => Promise<boolean> {
  return async (request, response, allowed) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://operator')
    const why = /^\/skerry\/v1\/why\/([^/]+)\/([^/]+)$/.exec(pathname)
    const topology = /^\/skerry\/v1\/topology\/([a-z0-9.-]{1,253})$/.exec(pathname)?.[1] ?? null
    const raise = pathname === '/skerry/v1/raise-epoch'
    const plan = /^\/skerry\/v1\/plans\/([a-z0-9-]{1,63})(?:\/([a-f0-9]{16}))?$/.exec(pathname)
    if (why === null && plan === null && topology === null && !raise) return false
    if (!allowed) send(response, 401, status(401, 'Unauthorized', 'only an administrator may ask this: send Authorization: Bearer <token>'))
    else if (why !== null) answerWhy(response, acts, { namespace: why[1] ?? '', name: why[2] ?? '', node: searchParams.get('node') })
    else if (topology !== null) answerTopology(response, acts, topology)
    else if (plan !== null) await answerPlan(request, response, acts, { namespace: plan[1] ?? '', planId: plan[2] ?? null })
    else if (request.method !== 'POST') send(response, 405, status(405, 'MethodNotAllowed', 'raising the epoch is a POST'))
    else send(response, 200, { epoch: await acts.raiseEpoch() })
    return true
  }
}

/** POST a Rollout to see what it would do; GET what was shown before. */
async function answerPlan(
  request: IncomingMessage,
  response: ServerResponse,
  acts: OperatorActs,
  { namespace, planId }: { namespace: string; planId: string | null },
): Promise<void> {
  if (planId !== null) {
    const plan = acts.shownPlan(namespace, planId)
    if (plan === null)
      return send(response, 404, status(404, 'NotFound', `there is no plan ${planId} in namespace ${namespace}; plans are kept for a day`))
    return send(response, 200, plan)
  }
  if (request.method !== 'POST')
    return send(response, 405, status(405, 'MethodNotAllowed', 'send a Rollout with POST, or ask for one plan by its id'))
  const body = await readPlain(request)
  if (!body.ok) return send(response, body.code, status(body.code, 'BadRequest', body.why))
  const answer = await acts.planRollout(namespace, body.value)
  if (answer.ok) send(response, 200, answer.plan)
  else send(response, answer.code, status(answer.code, answer.code === 422 ? 'Invalid' : 'Conflict', answer.message))
}

async function readPlain(
  request: IncomingMessage,
): Promise<{ readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly code: number; readonly why: string }> {
  try {
    return { ok: true, value: decodeBody(await readBody(request), mediaType(request)) }
  } catch (error) {
    if (error instanceof ApiError) return { ok: false, code: error.code, why: error.message }
    throw error
  }
}

function answerTopology(response: ServerResponse, acts: OperatorActs, device: string): void {
  const answer = acts.topologyOf(device)
  if (answer === null) return send(response, 404, status(404, 'NotFound', `there is no device ${device}`))
  send(response, 200, answer)
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
