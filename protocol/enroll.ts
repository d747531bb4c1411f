/**
 * One file for a whole fleet: a device that finds it in the place of its join file asks the cloud for a join file of its own. The key in it
 * has the form of a Kubernetes bootstrap token (`id.secret`), ends at a time and after a number of devices.
 */
import { LIMITS } from './limits.ts'
import { obj, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

export const ENROLL_PATH = '/skerry/v1/enroll'
/** What a device makes once and claims its name with. */
export const ENROLL_CLAIM = /^[0-9a-f]{32}$/
export const ENROLL_MAC = /^[0-9a-f]{2}(:[0-9a-f]{2}){5}$/
export const ENROLL_TOKEN = /^[a-z0-9]{6}\.[a-z0-9]{16}$/

/** Printed by `skerry enroll`, read by the agent. */
export const ENROLL_FILE = obj({
  enroll: required(
    obj({
      /** https://HOST:PORT of the cloud */
      url: required(str({ min: 1, max: 2048 })),
      /** PEM of the authority of its certificate; absent = the system's */
      ca: str({ max: 65_536 }),
      token: required(str({ pattern: ENROLL_TOKEN, says: 'an enrolment key: six letters or digits, a dot, sixteen more' })),
    }),
  ),
})
export type EnrollFile = Infer<typeof ENROLL_FILE>

/** What a device tells of itself. */
export const ENROLL_REQUEST = obj({
  /** made by the device before it asks and kept: the answer may get lost, and whoever asks again with it gets the same */
  claim: required(str({ pattern: ENROLL_CLAIM, says: '32 hexadecimal digits' })),
  /** of the board, as its firmware says it */
  serial: str({ min: 1, max: LIMITS.enrollIdentity.value }),
  /** of its first network card, as the maker gave it */
  mac: str({ pattern: ENROLL_MAC, says: 'six pairs of lower case hexadecimal digits with colons' }),
})
export type EnrollRequest = Infer<typeof ENROLL_REQUEST>
