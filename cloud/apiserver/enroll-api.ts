/**
 * Devices that were flashed with the image of all others fetch their own join files here, each with the key of the fleet; administrators
 * have such keys made.
 *
 * INVARIANTS
 * - One request is decided at a time, so that a key lets in no more than it says; those that wait are bounded.
 * - The use is counted on disk before the name is given, and the name is given before the answer: what ends in between costs one use at most.
 * - Nothing of a request is read before its key is known.
 * - A key lies where Kubernetes keeps bootstrap tokens: whoever deletes its Secret ends it.
 */
import { timingSafeEqual } from 'node:crypto'
import { cause, causeInFull } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { ENROLL_REQUEST, ENROLL_TOKEN } from '../../protocol/enroll.ts'
import type { EnrollFile } from '../../protocol/enroll.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { parse } from '../../protocol/shape.ts'
import { applicantOf, ENROLL_NAMESPACE, judge, keyOf, secretNameOf, USED_ANNOTATION, withEnrollment } from '../core/enrollment.ts'
import type { Admission, Applicant, EnrollmentKey } from '../core/enrollment.ts'
import { newNode } from '../core/node-status.ts'
import type { StoredObject } from '../ports.ts'
import { NODES } from '../resources/node.ts'
import type { KubeObject, ResourceDefinition } from '../resources/object.ts'
import type { Secret } from '../resources/secret.ts'
import { admitNew } from './admission.ts'
import { isoSeconds } from './api.ts'
import type { Api } from './api.ts'
import { ApiError, badRequest } from './api-error.ts'
import { digestOf } from './auth.ts'
import { newKey } from './enroll-keys.ts'
import type { KeyWish, NewKey } from './enroll-keys.ts'

type Plain = Pick<Api, 'store' | 'clock' | 'random' | 'log'>

export interface EnrollApi {
  /** the join document of the device that asks with a key of its fleet; throws ApiError with why not */
  enroll(authorization: string | undefined, body: () => Promise<unknown>): Promise<Enrolled>
  /** a new key, and the file that devices are flashed with; the caller is an administrator */
  makeKey(wish: KeyWish): Promise<{ readonly file: EnrollFile; readonly key: NewKey['answer'] }>
}

export interface Enrolled {
  /** id of the key */
  readonly key: string
  readonly device: string
  readonly join: unknown
}

export interface EnrollOptions {
  issueJoin(device: string): Promise<unknown>
  /** where devices reach this cloud, and the authority of its certificate */
  readonly place: () => { readonly url: string; readonly ca: string }
}

export function enrollApi(api: Plain, { issueJoin, place }: EnrollOptions): EnrollApi {
  let waiting = 0
  let turn: Promise<unknown> = Promise.resolve()
  /** one after another */
  const inTurn = <T>(run: () => Promise<T>): Promise<T> => {
    if (waiting >= LIMITS.enrollWaiting.value)
      throw new ApiError(429, 'TooManyRequests', `${waiting} devices are being let in; ask again in a moment`, { retryAfterSeconds: 5 })
    waiting += 1
    const mine = turn.then(run).finally(() => {
      waiting -= 1
    })
    turn = mine.catch(() => undefined)
    return mine
  }
  return {
    async enroll(authorization, body) {
      // whoever has no key costs one look, and takes nobody's turn
      await keyIn(api, authorization)
      const parsed = parse(ENROLL_REQUEST, await body())
      if (!parsed.ok) throw badRequest(parsed.issues.map(({ path, message }) => `${path} ${message}`).join(', '))
      const claim = digestOf(parsed.value.claim).toString('hex')
      const admitted = await inTurn(async () => {
        const { secret, key } = await keyIn(api, authorization)
        const applicant = applicantOf(key, parsed.value)
        if ('code' in applicant) throw refused(applicant)
        const how = await admit(api, { secret, key, applicant, claim })
        api.log.info('a device was let in', { device: applicant.device, key: key.id, how })
        return { key: key.id, device: applicant.device }
      })
      return { ...admitted, join: await issueJoin(admitted.device) }
    },
    async makeKey(wish) {
      const { secret, token, answer } = newKey(api, wish)
      const written = await api.store.create('secrets', secret)
      // one in two thousand million has that name already
      if (!written.ok) throw new ApiError(503, 'ServiceUnavailable', 'the key could not be kept; ask again')
      return { file: { enroll: { ...place(), token } }, key: answer }
    },
  }
}

/** @throws 401 when there is no such key */
async function keyIn({ store }: Plain, authorization = ''): Promise<{ readonly secret: StoredObject; readonly key: EnrollmentKey }> {
  const token = /^Bearer (\S+)$/.exec(authorization)?.[1] ?? ''
  const id = ENROLL_TOKEN.test(token) ? token.slice(0, 6) : ''
  const secret = id === '' ? null : await store.get('secrets', ENROLL_NAMESPACE, secretNameOf(id))
  const key = secret === null ? null : keyOf(JSON.parse(secret.json) as Secret, (base64) => Buffer.from(base64, 'base64').toString('utf8'))
  if (secret === null || key === null || !timingSafeEqual(digestOf(key.token), digestOf(token)))
    throw refused(cause('enroll.key.unknown', { key: id === '' ? 'in the request' : id }), 401)
  return { secret, key }
}

interface Asking {
  readonly secret: StoredObject
  readonly key: EnrollmentKey
  readonly applicant: Applicant
  /** digest */
  readonly claim: string
}

async function admit(api: Plain, { secret, key, applicant, claim }: Asking): Promise<Admission> {
  const { store, clock } = api
  const stored = await store.get('nodes', '', applicant.device)
  const node = stored === null ? null : (JSON.parse(stored.json) as KubeObject)
  const verdict = judge(key, applicant, claim, node, clock.nowMs())
  if (typeof verdict !== 'string') throw refused(verdict)
  if (verdict === 'same') return verdict
  const counted = await store.update('secrets', withUse(JSON.parse(secret.json) as KubeObject, key.used + 1), secret.revision)
  if (!counted.ok) throw busy()
  const facts = { uid: api.random.uuid(), nowIso: isoSeconds(clock.nowMs()), suffix: '' }
  const definition = NODES as unknown as ResourceDefinition
  const next = withEnrollment(node ?? newNode(applicant.device), key, applicant, claim)
  const named =
    stored === null ? await store.create('nodes', admitNew(definition, next, '', facts)) : await store.update('nodes', next, stored.revision)
  // somebody wrote it in between
  if (!named.ok) throw busy()
  return verdict
}

function withUse(secret: KubeObject, used: number): KubeObject {
  return { ...secret, metadata: { ...secret.metadata, annotations: { ...secret.metadata.annotations, [USED_ANNOTATION]: String(used) } } }
}

function busy(): ApiError {
  return new ApiError(503, 'ServiceUnavailable', 'something else changed the key or the Node just now; ask again')
}

function refused(why: Cause, code = 403): ApiError {
  return new ApiError(code, code === 401 ? 'Unauthorized' : 'Forbidden', causeInFull(why))
}
