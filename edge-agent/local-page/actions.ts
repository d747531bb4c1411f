/**
 * What can be done on the page. INVARIANTS
 * - Nothing is read of a request that another site may have made, and nothing is done without a session.
 * - Every try that came as far as its action is noted, with its result.
 */
import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { causeSentence } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { OVERRIDE_KIND } from '../../protocol/override.ts'
import { num, obj, parse, required, str } from '../../protocol/shape.ts'
import type { Shape } from '../../protocol/shape.ts'
import type { Now } from '../core/model.ts'
import type { OverrideRequest } from '../core/saved-model.ts'
import type { AgentEvent, AgentState } from '../core/state.ts'
import { overrideRefusal } from '../core/overrides.ts'
import type { PathStep } from '../ports.ts'
import type { Audit } from './audit.ts'
import type { PinGate } from './pin-gate.ts'
import { actionRefusal, tokenOf } from './request-guard.ts'

export interface ActionDeps {
  readonly gate: PinGate
  readonly audit: Audit
  readonly state: () => AgentState
  readonly now: () => Now
  readonly dispatch: (event: AgentEvent) => void
  readonly checkPath: () => Promise<readonly PathStep[]>
  readonly bundle: () => Promise<Uint8Array>
}

export interface Answer {
  readonly status: number
  readonly type: string
  readonly body: string | Uint8Array
  readonly headers?: Readonly<Record<string, string>>
}

const TEXT = str({ min: 1, max: LIMITS.overrideTextLength.value })
const SIGN_IN = obj({ pin: required(str({ min: 1, max: 64 })) })
const OVERRIDE = obj({
  kind: required(OVERRIDE_KIND),
  pod: str({ max: 64 }),
  owner: required(TEXT),
  reason: required(TEXT),
  minutes: required(num()),
})
const END = obj({ id: required(str({ min: 1, max: 64 })), owner: required(TEXT) })
const WHO = obj({ owner: required(TEXT) })

type Action = (body: unknown, deps: ActionDeps) => Answer | Promise<Answer>

const ACTIONS: Readonly<Record<string, Action | undefined>> = Object.assign(Object.create(null) as Record<string, Action>, {
  '/api/v1/override': takeOverride,
  '/api/v1/override/end': endOverride,
  '/api/v1/path-check': checkPath,
  '/api/v1/bundle': makeBundle,
} satisfies Record<string, Action>)

/** Answers one POST. Never rejects for what the request holds. */
export async function answerAction(path: string, request: IncomingMessage, deps: ActionDeps): Promise<Answer> {
  const refusal = actionRefusal(request.headers)
  if (refusal !== null) return told(refusal.status, refusal.says)
  const action = ACTIONS[path]
  const signIn = path === '/api/v1/sign-in'
  if (action === undefined && !signIn) return told(404, 'There is no such action.')
  if (!signIn && !deps.gate.knows(tokenOf(request.headers))) return told(401, 'Sign in with the PIN of this device first.')
  const body = await readBody(request)
  if (body === undefined) return told(400, `Send a JSON object of at most ${LIMITS.pageBodyBytes.value} bytes.`)
  return signIn || action === undefined ? signInWith(body, deps) : action(body, deps)
}

async function signInWith(body: unknown, { gate, audit, now }: ActionDeps): Promise<Answer> {
  const asked = read(SIGN_IN, body)
  if (!asked.ok) return asked.answer
  const answer = await gate.signIn(asked.value.pin)
  if (answer.ok) return json(200, { token: answer.token })
  const seconds = Math.ceil(answer.waitMs / 1000)
  if (answer.why === 'wrong') {
    audit.note({ atMs: now().wallMs, owner: '?', action: 'sign in', target: 'this page', ok: false, result: 'wrong PIN' })
    return told(403, seconds === 0 ? 'That is not the PIN of this device.' : `That is not the PIN. The next try is possible in ${seconds} s.`)
  }
  return told(429, `Too many tries. The next one is possible in ${seconds} s.`)
}

function takeOverride(body: unknown, { state, now, dispatch, audit }: ActionDeps): Answer {
  const asked = read(OVERRIDE, body)
  if (!asked.ok) return asked.answer
  const { kind, pod, owner, reason, minutes } = asked.value
  const request: OverrideRequest = { id: randomUUID(), kind, podUid: pod ?? null, owner, reason, forMs: minutes * 60_000 }
  const target = nameOf(state(), pod ?? null)
  const refusal = overrideRefusal(state(), request)
  const result = refusal === null ? reason : causeSentence(refusal)
  audit.note({ atMs: now().wallMs, owner, action: kind, target, ok: refusal === null, result })
  if (refusal !== null) return told(409, result)
  dispatch({ kind: 'override', request })
  return json(200, { id: request.id })
}

function endOverride(body: unknown, { state, now, dispatch, audit }: ActionDeps): Answer {
  const asked = read(END, body)
  if (!asked.ok) return asked.answer
  const found = state().overrides.find((one) => one.id === asked.value.id)
  if (found === undefined) return told(404, 'It is over already.')
  const target = found.pod === null ? 'the device' : `${found.pod.namespace}/${found.pod.name}`
  dispatch({ kind: 'override-end', id: found.id })
  audit.note({ atMs: now().wallMs, owner: asked.value.owner, action: `end ${found.kind}`, target, ok: true, result: 'ended' })
  return json(200, {})
}

async function checkPath(_body: unknown, deps: ActionDeps): Promise<Answer> {
  return json(200, { atMs: deps.now().wallMs, steps: await deps.checkPath() })
}

async function makeBundle(body: unknown, { bundle, audit, now, state }: ActionDeps): Promise<Answer> {
  const asked = read(WHO, body)
  if (!asked.ok) return asked.answer
  const bytes = await bundle()
  audit.note({ atMs: now().wallMs, owner: asked.value.owner, action: 'bundle', target: 'the device', ok: true, result: `${bytes.byteLength} bytes` })
  const name = `skerry-${state().device}.json.gz`
  return { status: 200, type: 'application/gzip', body: bytes, headers: { 'content-disposition': `attachment; filename="${name}"` } }
}

function nameOf(state: AgentState, uid: string | null): string {
  const pod = state.desired?.pods.find((one) => one.uid === uid)
  return pod === undefined ? 'the device' : `${pod.namespace}/${pod.name}`
}

type Asked<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly answer: Answer }

function read<T>(shape: Shape<T>, body: unknown): Asked<T> {
  const parsed = parse(shape, body, 'refuse')
  if (parsed.ok) return parsed
  const [first] = parsed.issues
  return { ok: false, answer: told(400, `${first?.path ?? ''} ${first?.message ?? 'is not as expected'}`.trim()) }
}

/** undefined when it is too long, not JSON or not an object */
async function readBody(request: IncomingMessage): Promise<unknown> {
  const parts: Buffer[] = []
  let size = 0
  for await (const part of request as AsyncIterable<Buffer>) {
    size += part.byteLength
    if (size > LIMITS.pageBodyBytes.value) return undefined
    parts.push(part)
  }
  try {
    const value: unknown = JSON.parse(Buffer.concat(parts).toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : undefined
  } catch {
    return undefined
  }
}

function json(status: number, value: unknown): Answer {
  return { status, type: 'application/json', body: JSON.stringify(value) }
}

/** What went wrong, in a sentence for the person who asked. */
export function told(status: number, says: string): Answer {
  return json(status, { says })
}
