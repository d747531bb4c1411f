/** Keys with which devices enrol: Secrets of Kubernetes' bootstrap token form, with what they are good for as annotations. */
import { randomInt } from 'node:crypto'
import { isDeviceId } from '../../protocol/ids.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { check } from '../../protocol/shape.ts'
import {
  ENROLL_NAMESPACE,
  ENROLL_SECRET_TYPE,
  labelsOf,
  LABELS_ANNOTATION,
  MAX_ANNOTATION,
  PREFIX_ANNOTATION,
  secretNameOf,
  USUAL_PREFIX,
} from '../core/enrollment.ts'
import { LABELS } from '../resources/object.ts'
import type { KubeObject, ResourceDefinition } from '../resources/object.ts'
import { SECRETS } from '../resources/secret.ts'
import { admitNew } from './admission.ts'
import { isoSeconds } from './api.ts'
import type { Api } from './api.ts'
import { badRequest } from './api-error.ts'

/** As it stands in the address; null = not said. */
export interface KeyWish {
  readonly hours: string | null
  readonly max: string | null
  readonly prefix: string | null
  /** `key=value,key=value`, for the Nodes of these devices */
  readonly labels: string | null
}

export interface NewKey {
  readonly secret: KubeObject
  readonly token: string
  readonly answer: { readonly id: string; readonly expires: string; readonly max: number }
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789'
const word = (length: number): string => Array.from({ length }, () => LETTERS[randomInt(LETTERS.length)] ?? 'a').join('')

/** @throws ApiError 400 that names what is wrong */
export function newKey({ clock, random }: Pick<Api, 'clock' | 'random'>, wish: KeyWish): NewKey {
  const hours = whole('hours', wish.hours, LIMITS.enrollHours.value, LIMITS.enrollHoursMax.value)
  const max = whole('max', wish.max, LIMITS.enrollDevices.value, LIMITS.enrollDevicesMax.value)
  const prefix = wish.prefix ?? USUAL_PREFIX
  if (prefix !== '' && (!isDeviceId(prefix) || prefix.length > 20))
    throw badRequest(`prefix ${JSON.stringify(prefix)}: lower case letters, digits and "-", at most 20, begins the names of these devices`)
  const labels = wish.labels ?? ''
  const read = labelsOf(labels)
  if (labels !== '' && Object.keys(read).length !== labels.split(',').length)
    throw badRequest(`labels ${JSON.stringify(labels)}: write key=value,key=value`)
  const wrong = check(LABELS, read)[0]
  if (wrong !== undefined) throw badRequest(`labels: ${wrong.path} ${wrong.message}`)
  const [id, secretWord] = [word(6), word(16)]
  const expires = isoSeconds(clock.nowMs() + hours * 3_600_000)
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: secretNameOf(id),
      annotations: { [MAX_ANNOTATION]: String(max), [PREFIX_ANNOTATION]: prefix, ...(labels === '' ? {} : { [LABELS_ANNOTATION]: labels }) },
    },
    type: ENROLL_SECRET_TYPE,
    stringData: {
      'token-id': id,
      'token-secret': secretWord,
      expiration: expires,
      description: 'lets devices fetch their join files',
      'usage-bootstrap-authentication': 'true',
    },
  }
  const facts = { uid: random.uuid(), nowIso: isoSeconds(clock.nowMs()), suffix: '' }
  const secret = admitNew(SECRETS as unknown as ResourceDefinition, object, ENROLL_NAMESPACE, facts)
  return { secret, token: `${id}.${secretWord}`, answer: { id, expires, max } }
}

function whole(name: string, text: string | null, usual: number, most: number): number {
  if (text === null) return usual
  const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN
  if (!(value >= 1 && value <= most)) throw badRequest(`${name} ${JSON.stringify(text)}: a whole number from 1 to ${most}`)
  return value
}
