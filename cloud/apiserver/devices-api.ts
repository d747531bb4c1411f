/** Skerry's own paths beside the Kubernetes ones: today the join document of a device. */
import { isDeviceId } from '../../protocol/ids.ts'
import { ApiError, badRequest } from './api-error.ts'
import { ok } from './respond.ts'
import type { Answer } from './respond.ts'

export interface DevicesApi {
  owns(path: string): boolean
  /** the caller is an administrator already */
  answer(method: string, path: string): Promise<Answer>
}

const JOIN = '/skerry/v1/join/'
const NAME_SAYS = 'lower case letters, digits and "-", 1 to 63, starting and ending with a letter or digit'

/** `issueJoin` makes the document that a new device is started with; it holds a secret and is given out once. */
export function devicesApi(issueJoin: (device: string) => Promise<unknown>): DevicesApi {
  return {
    owns: (path) => path.startsWith(JOIN),
    async answer(method, path) {
      if (method !== 'POST') throw new ApiError(405, 'MethodNotAllowed', `${method} is not supported on ${JOIN}{device}; use POST`)
      const device = path.slice(JOIN.length)
      if (!isDeviceId(device)) throw badRequest(`${JSON.stringify(device)} is not a device name: ${NAME_SAYS}`)
      return ok(await issueJoin(device), 201)
    },
  }
}
