/**
 * May this device have a join file, and what is it called? INVARIANTS
 * - A key lets in no more devices than it says, and nobody once it has ended.
 * - A name that is taken is given to no other device: only to the one that holds the claim with which it was taken, or where somebody said
 *   that it may be given again.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import type { EnrollRequest } from '../../protocol/enroll.ts'
import { isDeviceId } from '../../protocol/ids.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Secret } from '../resources/secret.ts'

/** kubeadm's name for such Secrets, and their place */
export const ENROLL_NAMESPACE = 'kube-system'
export const ENROLL_SECRET_TYPE = 'bootstrap.kubernetes.io/token'
export const secretNameOf = (id: string): string => `bootstrap-token-${id}`

/** On the Secret of a key. */
export const PREFIX_ANNOTATION = 'skerry.dev/enroll-prefix'
export const MAX_ANNOTATION = 'skerry.dev/enroll-max'
export const USED_ANNOTATION = 'skerry.dev/enroll-used'
export const LABELS_ANNOTATION = 'skerry.dev/enroll-labels'
/** On the Node of a device that came by one. */
export const KEY_ANNOTATION = 'skerry.dev/enrolled-with'
export const CLAIM_ANNOTATION = 'skerry.dev/enroll-claim'
export const IDENTITY_ANNOTATION = 'skerry.dev/enroll-identity'
/** "true" on a Node: its board was flashed anew and may take this name again */
export const AGAIN_ANNOTATION = 'skerry.dev/enroll-again'

/** of a key of which nobody said another */
export const USUAL_PREFIX = 'gw'

/** What a key is good for. */
export interface EnrollmentKey {
  readonly id: string
  /** the whole token, as the device sends it */
  readonly token: string
  /** ms since 1970; Infinity = it does not end */
  readonly expiresMs: number
  readonly max: number
  readonly used: number
  readonly prefix: string
  readonly labels: Readonly<Record<string, string>>
}

/** @param plain decodes base64 @returns null when it is no such key */
export function keyOf(secret: Secret, plain: (base64: string) => string): EnrollmentKey | null {
  const data = (name: string): string => plain(secret.data?.[name] ?? '')
  if (secret.type !== ENROLL_SECRET_TYPE || data('usage-bootstrap-authentication') !== 'true') return null
  const said = secret.metadata.annotations ?? {}
  const ends = data('expiration')
  return {
    id: data('token-id'),
    token: `${data('token-id')}.${data('token-secret')}`,
    // a time that cannot be read is over
    expiresMs: ends === '' ? Infinity : Date.parse(ends) || 0,
    max: countOf(said[MAX_ANNOTATION]) ?? LIMITS.enrollDevices.value,
    used: countOf(said[USED_ANNOTATION]) ?? 0,
    prefix: said[PREFIX_ANNOTATION] ?? USUAL_PREFIX,
    labels: labelsOf(said[LABELS_ANNOTATION] ?? ''),
  }
}

/** `key=value,key=value`; what is not of that form is left out. */
export function labelsOf(text: string): Readonly<Record<string, string>> {
  const pairs = text.split(',').flatMap((one) => {
    const at = one.indexOf('=')
    return at <= 0 ? [] : [[one.slice(0, at).trim(), one.slice(at + 1).trim()] as const]
  })
  return Object.fromEntries(pairs)
}

/** Texts that makers leave where a serial number belongs. */
const NO_SERIAL = /^(?:0+|1234\d*|x+|none|null|n\/?a|unknown|default.*|.*o\.?e\.?m\.?.*|not .*|system.?serial.*|serial.?number|empty|invalid)$/i

/** The serial number, or the address of the network card; null = it has neither. */
export function identityOf({ serial = '', mac }: Pick<EnrollRequest, 'serial' | 'mac'>): string | null {
  const plain = serial.trim()
  if (plain.length >= 4 && !NO_SERIAL.test(plain) && wordOf(plain).length >= 4) return `serial ${plain}`
  return mac === undefined ? null : `mac ${mac}`
}

/** @returns null when nothing of that identity is fit for a name */
export function deviceNameOf(prefix: string, identity: string): string | null {
  const [kind = '', ...rest] = identity.split(' ')
  const word = kind === 'mac' ? rest.join('').replaceAll(':', '') : wordOf(rest.join(' '))
  const name = `${prefix}${prefix === '' ? '' : '-'}${word}`.slice(0, LIMITS.deviceIdLength.value).replace(/-+$/, '')
  return isDeviceId(name) ? name : null
}

function wordOf(text: string): string {
  return text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
}

export interface Applicant {
  readonly device: string
  readonly identity: string
}

/** Who asks, by the name that it would have; or why it can have none. */
export function applicantOf({ prefix }: EnrollmentKey, request: EnrollRequest): Applicant | Cause {
  const identity = identityOf(request)
  const device = identity === null ? null : deviceNameOf(prefix, identity)
  return identity === null || device === null ? cause('enroll.no-identity', {}) : { device, identity }
}

/** @param node the Node of that name, null = none @param claim digest of the claim in the request @returns why not, or in which way it may */
export function judge(key: EnrollmentKey, { device, identity }: Applicant, claim: string, node: KubeObject | null, nowMs: number): Cause | Admission {
  const said = node?.metadata.annotations ?? {}
  // its answer got lost: the key may have ended meanwhile
  if (node !== null && said[CLAIM_ANNOTATION] === claim) return 'same'
  if (nowMs >= key.expiresMs) return cause('enroll.key.ended', { key: key.id, when: new Date(key.expiresMs).toISOString().slice(0, 16) })
  if (node !== null && said[AGAIN_ANNOTATION] !== 'true') return cause('enroll.device.known', { device, identity })
  if (key.used >= key.max) return cause('enroll.key.full', { key: key.id, used: key.used, max: key.max })
  return node === null ? 'new' : 'again'
}

/** new = its Node is made; again = it takes the place of an earlier one; same = it asked before */
export type Admission = 'new' | 'again' | 'same'

/** The Node with what is remembered of it. */
export function withEnrollment(node: KubeObject, { id, labels }: EnrollmentKey, { identity }: Applicant, claim: string): KubeObject {
  const { [AGAIN_ANNOTATION]: _again, ...annotations } = node.metadata.annotations ?? {}
  const remembered = { [KEY_ANNOTATION]: id, [CLAIM_ANNOTATION]: claim, [IDENTITY_ANNOTATION]: identity }
  // what people set since stays
  return {
    ...node,
    metadata: { ...node.metadata, labels: { ...labels, ...node.metadata.labels }, annotations: { ...annotations, ...remembered } },
  }
}

function countOf(text: string | undefined): number | null {
  return text !== undefined && /^\d{1,9}$/.test(text) ? Number(text) : null
}
