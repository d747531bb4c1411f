/** `POST /skerry/v1/devices/NAME/bundle` and `.../restart-agent`: acts on a device itself. Who did it and why is in the audit log. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { isRecord } from '../../protocol/shape.ts'
import { DEVICE_ACTS } from '../../protocol/session.ts'
import type { DeviceAct } from '../../protocol/session.ts'
import type { LiveCall } from '../ports.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Api } from './api.ts'
import { ApiError } from './api-error.ts'
import { noteDeviceAct } from './audit.ts'
import type { Principal } from './auth.ts'
import { decodeBody, mediaType, readBody } from './body.ts'
import { refuseLive } from './live-verbs.ts'
import type { LiveVerbs } from './live-verbs.ts'
import { ok, send } from './respond.ts'

export interface DeviceActCall {
  readonly device: string
  readonly act: DeviceAct
}

/** null = the path is about something else */
export function deviceActOf(path: string): DeviceActCall | null {
  const [, device, name] = /^\/skerry\/v1\/devices\/([a-z0-9][a-z0-9.-]{0,252})\/([a-z-]+)$/.exec(path) ?? []
  const act = DEVICE_ACTS.find((one) => one === name)
  return device === undefined || act === undefined ? null : { device, act }
}

/** The caller is an administrator already. Answers when the device has: with the bundle, or that it does it. */
export async function actOnDevice(
  { api, live }: { readonly api: Api; readonly live: LiveVerbs },
  principal: Principal,
  { device, act }: DeviceActCall,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  if (request.method !== 'POST') throw new ApiError(405, 'MethodNotAllowed', `${request.method ?? ''} is not supported on this path; use POST`)
  const body = decodeBody(await readBody(request), mediaType(request))
  const reason = isRecord(body) && typeof body['reason'] === 'string' ? body['reason'].slice(0, 1024) : ''
  noteDeviceAct(request, { who: principal.name, verb: act, resource: 'nodes', namespace: '', name: device, reason })
  const stored = await api.store.get('nodes', '', device)
  if (stored === null) throw new ApiError(404, 'NotFound', `there is no device ${device}`)
  const nobody = { podUid: '', namespace: '', pod: '', container: '' }
  const call: LiveCall = { device, about: JSON.parse(stored.json) as KubeObject, wanted: { who: principal.name.slice(0, 253), what: act, ...nobody } }
  const done = await live.whole(call)
  if (!done.ok) return refuseLive(done.failure)
  if (act === 'restart-agent')
    return send(request, response, ok({ device, says: 'The agent ends and is started again; workloads keep running.' }), [])
  response.writeHead(200, {
    'content-type': 'application/gzip',
    'content-disposition': `attachment; filename="skerry-bundle-${device}.json.gz"`,
    'content-length': done.bytes.byteLength,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  response.end(done.bytes)
}
