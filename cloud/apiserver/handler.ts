/** One request: who, what, may they, do it, answer, log. Whatever goes wrong leaves as a `Status`. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Api, Call } from './api.ts'
import { ApiError, badRequest, noSuchPath } from './api-error.ts'
import { isAdmin } from './auth.ts'
import type { Authenticator, Principal } from './auth.ts'
import { decodeBody, mediaType, readBody } from './body.ts'
import { actOnDevice, deviceActOf } from './device-acts.ts'
import type { DevicesApi } from './devices-api.ts'
import { aboutServer } from './about-server.ts'
import type { OpenApi } from './openapi.ts'
import type { Meter } from '../ports.ts'
import type { Health } from './health.ts'
import { meterLabels } from './request-labels.ts'
import { liveCall, refuseLive, sessionOf } from './live-verbs.ts'
import type { LiveVerbs } from './live-verbs.ts'
import { LOGS_PATH, manyLogs } from './many-logs.ts'
import { wantedForm } from './negotiate.ts'
import { noteAct } from './audit.ts'
import { onResource } from './resource-verbs.ts'
import { send, sendError } from './respond.ts'
import { review } from './reviews.ts'
import { routeOf } from './route.ts'
import type { ResourceRoute, Route } from './route.ts'

export interface HandlerParts {
  readonly api: Api
  readonly openApi: OpenApi
  readonly authenticator: Authenticator
  readonly devices: DevicesApi
  /** null = live sessions are not served */
  readonly live: LiveVerbs | null
  readonly meter?: Meter | undefined
  /** what /livez and /readyz answer; absent = ready as long as it answers */
  readonly health?: Health | undefined
  /** told of every request that was answered */
  readonly audit?: ((request: IncomingMessage, status: number) => void) | undefined
  /**
   * Everything outside the Kubernetes paths that the device API does not take (the console). It answers by itself and
   * decides by itself whom it serves; `principal` is who the bearer token names, if there is one. False = not mine.
   */
  handleOther(request: IncomingMessage, response: ServerResponse, principal: Principal | null): Promise<boolean>
}

export type Handler = (request: IncomingMessage, response: ServerResponse) => void

/** Never throws and never rejects. */
export function requestHandler(parts: HandlerParts): Handler {
  return (request, response) => {
    const started = parts.api.clock.monoMs()
    const url = URL.parse(`http://host${request.url ?? ''}`) ?? NOWHERE
    // a client that went away is seen by 'close'; its late errors are nobody's
    response.on('error', () => undefined)
    response.once('close', () => {
      parts.audit?.(request, response.statusCode)
      const ms = Math.round((parts.api.clock.monoMs() - started) * 10) / 10
      if (!isLongLived(url))
        parts.meter?.observe('skerry_api_request_duration_seconds', ms / 1000, meterLabels(parts.api, request.method, url, response.statusCode))
      parts.api.log.info('request', { method: request.method ?? '', path: url.pathname, status: response.statusCode, ms })
    })
    void answer(parts, request, response, url).catch(async (error: unknown) => {
      const known = error instanceof ApiError ? error : unexpected(parts.api, url, error)
      await sendError(request, response, known).catch(() => response.destroy())
    })
  }
}

/** Watches and followed logs last as long as their client wants. */
function isLongLived(url: URL): boolean {
  const follows = ['watch', 'follow'].some((name) => ['true', '1'].includes(url.searchParams.get(name) ?? ''))
  return follows || url.pathname === '/console/api/stream' || url.pathname === LOGS_PATH
}

const NOWHERE = new URL('http://host/not-a-url')
const OPEN_PATHS = new Set(['/version', '/livez', '/readyz', '/healthz'])

async function answer(parts: HandlerParts, request: IncomingMessage, response: ServerResponse, url: URL): Promise<void> {
  const { api } = parts
  const route = routeOf(url.pathname, (group, version, plural) => api.catalog.find(group, version, plural))
  const principal = parts.authenticator.principalOf(request)
  if (route.kind === 'other') return other(parts, request, response, url, principal)
  if (principal === null && !(route.kind === 'plain' && OPEN_PATHS.has(route.path))) throw unauthorized()
  if (principal !== null && !isAdmin(principal)) throw forbidden(principal, url)
  if (route.kind === 'resource' && parts.live !== null && sessionOf(route) !== null)
    return log(api, parts.live, principal ?? ANONYMOUS, route, url, request, response)
  const call = await callOf(request, url, principal ?? ANONYMOUS)
  if (route.kind === 'resource') noteAct(request, route, call)
  if (route.kind === 'resource') return onResource(api, call, route, request, response)
  await send(request, response, route.kind === 'review' ? reviewAnswer(call, route) : aboutServer(parts, call, route), call.warnings)
}

const ANONYMOUS: Principal = { name: 'system:anonymous', groups: ['system:unauthenticated'] }

async function log(
  api: Api,
  live: LiveVerbs,
  principal: Principal,
  route: ResourceRoute,
  url: URL,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'GET') throw methodNotAllowed(request.method ?? '')
  if (sessionOf(route) !== 'logs') throw badRequest('this needs an upgrade of the connection to WebSocket or SPDY/3.1, as kubectl does it')
  refuseLive(await live.logs(await liveCall(api, principal, route, url.searchParams), response))
}

async function callOf(request: IncomingMessage, url: URL, principal: Principal): Promise<Call> {
  const media = mediaType(request)
  const bytes = await readBody(request)
  return {
    method: request.method ?? 'GET',
    query: url.searchParams,
    principal,
    wanted: wantedForm(request.headers.accept),
    media,
    body: decodeBody(bytes, media),
    warnings: [],
  }
}

async function other(parts: HandlerParts, request: IncomingMessage, response: ServerResponse, url: URL, principal: Principal | null): Promise<void> {
  if (parts.devices.owns(url.pathname)) {
    const who = parts.devices.isOpen(url.pathname) ? ANONYMOUS : administrator(principal, url)
    return send(request, response, await parts.devices.answer(request, url, who), [])
  }
  const act = deviceActOf(url.pathname)
  if (parts.live !== null && (act !== null || url.pathname === LOGS_PATH)) {
    const who = administrator(principal, url)
    const live = { api: parts.api, live: parts.live }
    return act === null ? manyLogs(live, who, url.searchParams, response) : actOnDevice(live, who, act, request, response)
  }
  if (!(await parts.handleOther(request, response, principal))) throw noSuchPath()
}

function administrator(principal: Principal | null, url: URL): Principal {
  if (principal === null) throw unauthorized()
  if (!isAdmin(principal)) throw forbidden(principal, url)
  return principal
}

function reviewAnswer(call: Call, route: Extract<Route, { kind: 'review' }>): ReturnType<typeof review> {
  if (call.method !== 'POST') throw methodNotAllowed(call.method)
  return review(call, route.review)
}

export function methodNotAllowed(method: string): ApiError {
  return new ApiError(405, 'MethodNotAllowed', `${method} is not supported on this path`)
}

export function unauthorized(): ApiError {
  return new ApiError(
    401,
    'Unauthorized',
    'Unauthorized: send the header "Authorization: Bearer <token>"; over plain http:// kubectl sends none, use https://',
  )
}

export function forbidden(principal: Principal, url: URL): ApiError {
  return new ApiError(403, 'Forbidden', `${JSON.stringify(principal.name)} may not use ${url.pathname}: only administrators may`)
}

export function unexpected(api: Api, url: URL | null, error: unknown): ApiError {
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
  api.log.error('request failed', { path: url?.pathname ?? '', error: text.slice(0, 2000) })
  return new ApiError(500, 'InternalError', 'the server failed on this request; its log has the cause')
}
