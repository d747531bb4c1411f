/** Checked identifiers. A device id is a DNS-1123 label so that it can be a Node name, a topic level and a certificate name. */

const DNS_LABEL = /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/
const DNS_SUBDOMAIN = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/
const UID = /^[A-Za-z0-9-]{1,64}$/
const SHA256 = /^[0-9a-f]{64}$/

/** True for a name usable as device id and Node name: lower case letters, digits and '-', 1 to 63 characters. */
export function isDeviceId(value: unknown): value is string {
  return typeof value === 'string' && DNS_LABEL.test(value)
}

export function isDnsLabel(value: unknown): value is string {
  return typeof value === 'string' && DNS_LABEL.test(value)
}

export function isDnsSubdomain(value: unknown): value is string {
  return typeof value === 'string' && value.length <= 253 && DNS_SUBDOMAIN.test(value)
}

export function isUid(value: unknown): value is string {
  return typeof value === 'string' && UID.test(value)
}

export function isSha256(value: unknown): value is string {
  return typeof value === 'string' && SHA256.test(value)
}

/** Keys that must never be copied by a merge: they reach the prototype. */
export function isForbiddenKey(key: string): boolean {
  return key === '__proto__' || key === 'prototype' || key === 'constructor'
}
