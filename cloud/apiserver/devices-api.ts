/** Skerry's own paths by which devices come to belong here: the join document of one device, and keys with which many fetch their own. */
import type { IncomingMessage } from 'node:http'
import { ENROLL_PATH } from '../../protocol/enroll.ts'
import { isDeviceId } from '../../protocol/ids.ts'
import { ENROLL_NAMESPACE, secretNameOf } from '../core/enrollment.ts'
import { ApiError, badRequest } from './api-error.ts'
import { noteDeviceAct } from './audit.ts'
import type { Principal } from './auth.ts'
import { decodeBody, mediaType, readBody } from './body.ts'
import type { EnrollApi } from './enroll-api.ts'
import { ok } from './respond.ts'
import type { Answer } from './respond.ts'

export interface DevicesApi {
  owns(path: string): boolean
  /** for whom the key in the request counts, not who the caller is */
  isOpen(path: string): boolean
  /** the caller is an administrator already, where it is not open to all */
  answer(request: IncomingMessage, url: URL, principal: Principal): Promise<Answer>
}

const JOIN = '/skerry/v1/join/'
const KEYS = '/skerry/v1/enroll-keys'
const NAME_SAYS = 'lower case letters, digits and "-", 1 to 63, starting and ending with a letter or digit'

/** `issueJoin` makes the document that a new device is started with; it holds a secret and is given out once. */
export function devicesApi(issueJoin: (device: string) => Promise<unknown>, enroll: EnrollApi): DevicesApi {
  return {
    owns: (path) => path.startsWith(JOIN) || path === ENROLL_PATH || path === KEYS,
    isOpen: (path) => path === ENROLL_PATH,
    async answer(request, { pathname, searchParams }, { name: who }) {
      const { method = 'GET' } = request
      if (method !== 'POST') throw new ApiError(405, 'MethodNotAllowed', `${method} is not supported on ${pathname}; use POST`)
      if (pathname === ENROLL_PATH) {
        const body = async (): Promise<unknown> => decodeBody(await readBody(request), mediaType(request))
        const { key, device, join } = await enroll.enroll(request.headers.authorization, body)
        // Kubernetes' name for whoever comes with such a key
        noteDeviceAct(request, { who: `system:bootstrap:${key}`, verb: 'enroll', resource: 'nodes', namespace: '', name: device, reason: '' })
        return ok(join, 201)
      }
      if (pathname === KEYS) {
        const said = (name: string): string | null => searchParams.get(name)
        const made = await enroll.makeKey({ hours: said('hours'), max: said('max'), prefix: said('prefix'), labels: said('labels') })
        const name = secretNameOf(made.key.id)
        noteDeviceAct(request, { who, verb: 'create', resource: 'secrets', namespace: ENROLL_NAMESPACE, name, reason: '' })
        return ok(made, 201)
      }
      const device = pathname.slice(JOIN.length)
      if (!isDeviceId(device)) throw badRequest(`${JSON.stringify(device)} is not a device name: ${NAME_SAYS}`)
      noteDeviceAct(request, { who, verb: 'join', resource: 'nodes', namespace: '', name: device, reason: '' })
      return ok(await issueJoin(device), 201)
    },
  }
}
