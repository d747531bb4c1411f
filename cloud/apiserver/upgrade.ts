/** Requests that want another protocol: a device's end of a session, and exec, attach and port-forward of clients. */
import { ServerResponse } from 'node:http'
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { SESSION_PATH } from '../../protocol/session.ts'
import { ApiError, badRequest, noSuchPath } from './api-error.ts'
import { forbidden, unauthorized, unexpected } from './handler.ts'
import type { HandlerParts } from './handler.ts'
import { isAdmin } from './auth.ts'
import { liveCall, refuseLive, sessionOf } from './live-verbs.ts'
import { sendError } from './respond.ts'
import { routeOf } from './route.ts'

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void

/** Never throws and never rejects: what is refused is answered with a Status and the connection ends. */
export function upgradeHandler(parts: HandlerParts): UpgradeHandler {
  return (request, socket, head) => {
    // until somebody takes it over
    socket.on('error', () => undefined)
    const url = URL.parse(`http://host${request.url ?? ''}`)
    if (parts.live !== null && url?.pathname.startsWith(SESSION_PATH) === true) return parts.live.takeDeviceSocket(request, socket, head)
    const { api } = parts
    const started = api.clock.monoMs()
    const note = (status: number): void => {
      const ms = Math.round((api.clock.monoMs() - started) * 10) / 10
      api.log.info('request', { method: request.method ?? '', path: url?.pathname ?? '', status, ms })
    }
    void answer(parts, request, socket, head, url).then(
      () => note(101),
      async (error: unknown) => {
        const known = error instanceof ApiError ? error : unexpected(api, url, error)
        note(known.code)
        await refuse(request, socket, known).catch(() => socket.destroy())
      },
    )
  }
}

async function answer(parts: HandlerParts, request: IncomingMessage, socket: Duplex, head: Buffer, url: URL | null): Promise<void> {
  const { api, live } = parts
  if (url === null || live === null) throw noSuchPath()
  const principal = parts.authenticator.principalOf(request)
  if (principal === null) throw unauthorized()
  if (!isAdmin(principal)) throw forbidden(principal, url)
  const route = routeOf(url.pathname, (group, version, plural) => api.catalog.find(group, version, plural))
  if (route.kind !== 'resource') throw noSuchPath()
  const what = sessionOf(route)
  if (what === null || what === 'logs') throw badRequest('this path is not served over another protocol; ask without the header "Upgrade"')
  refuseLive(await live.upgrade(await liveCall(api, principal, route, url.searchParams), request, socket, head))
}

async function refuse(request: IncomingMessage, socket: Duplex, error: ApiError): Promise<void> {
  const response = new ServerResponse(request)
  response.shouldKeepAlive = false
  response.assignSocket(socket as Socket)
  response.once('finish', () => void socket.end())
  await sendError(request, response, error)
}
