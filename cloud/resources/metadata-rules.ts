/** Rules for `metadata` that hold for every kind: names, sizes, owners, what may never change. */
import { isDnsLabel, isDnsSubdomain } from '../../protocol/ids.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Issue } from '../../protocol/shape.ts'
import type { KubeObject, ObjectMeta } from './object.ts'

/** label: at most 63 characters, no dots; subdomain: labels joined by dots, at most 253 */
export type NameRule = 'label' | 'subdomain'

const SAYS: Readonly<Record<NameRule, string>> = {
  label: 'must be lower case letters, digits and "-", at most 63, starting and ending with a letter or digit',
  subdomain: 'must be lower case letters, digits, "-" and ".", at most 253, starting and ending with a letter or digit',
}
const OWN_FINALIZERS: readonly string[] = ['orphan', 'foregroundDeletion', 'kubernetes']
const FIXED = ['name', 'namespace', 'uid', 'creationTimestamp'] as const

/** Issues of an object's metadata, after generateName was resolved. `old` is null on create. */
export function metadataIssues(object: KubeObject, old: KubeObject | null, nameRule: NameRule, namespaced: boolean): readonly Issue[] {
  const meta = object.metadata
  return [
    ...nameIssues(meta, nameRule),
    ...namespaceIssues(meta, namespaced),
    ...sizeIssues(meta),
    ...finalizerIssues(meta),
    ...ownerIssues(meta),
    ...(old === null ? [] : fixedIssues(meta, old.metadata)),
  ]
}

/** Is this a valid name under the rule? */
export function isValidName(name: string, rule: NameRule): boolean {
  return rule === 'label' ? isDnsLabel(name) : isDnsSubdomain(name)
}

function nameIssues(meta: ObjectMeta, rule: NameRule): readonly Issue[] {
  if (meta.name === undefined || meta.name === '')
    return [{ path: 'metadata.name', kind: 'required', message: 'is required (or set metadata.generateName)' }]
  if (!isValidName(meta.name, rule))
    return [{ path: 'metadata.name', kind: 'invalid', message: `${JSON.stringify(meta.name)} is not a valid name: ${SAYS[rule]}` }]
  return []
}

function namespaceIssues(meta: ObjectMeta, namespaced: boolean): readonly Issue[] {
  const path = 'metadata.namespace'
  const given = meta.namespace !== undefined && meta.namespace !== ''
  if (!namespaced) return given ? [{ path, kind: 'forbidden', message: 'must not be set: this kind does not live in a namespace' }] : []
  if (!given) return [{ path, kind: 'required', message: 'is required' }]
  return isDnsLabel(meta.namespace) ? [] : [{ path, kind: 'invalid', message: SAYS.label }]
}

function sizeIssues(meta: ObjectMeta): readonly Issue[] {
  const max = LIMITS.annotationBytes.value
  const bytes = Object.entries(meta.annotations ?? {}).reduce((sum, [key, value]) => sum + utf8Bytes(key) + utf8Bytes(value), 0)
  return bytes <= max ? [] : [{ path: 'metadata.annotations', kind: 'too-many', message: `must be at most ${max} bytes in all, is ${bytes}` }]
}

function finalizerIssues(meta: ObjectMeta): readonly Issue[] {
  return (meta.finalizers ?? []).flatMap((finalizer, index): readonly Issue[] =>
    finalizer.includes('/') || OWN_FINALIZERS.includes(finalizer)
      ? []
      : [
          {
            path: `metadata.finalizers[${index}]`,
            kind: 'invalid',
            message: `${JSON.stringify(finalizer)} must be a qualified name such as "example.com/cleanup"`,
          },
        ],
  )
}

function ownerIssues(meta: ObjectMeta): readonly Issue[] {
  const controllers = (meta.ownerReferences ?? []).filter((owner) => owner.controller === true)
  if (controllers.length <= 1) return []
  const names = controllers.map((owner) => `${owner.kind}/${owner.name}`).join(' and ')
  return [{ path: 'metadata.ownerReferences', kind: 'invalid', message: `only one owner may be the controller, found ${names}` }]
}

function fixedIssues(meta: ObjectMeta, old: ObjectMeta): readonly Issue[] {
  return FIXED.filter((field) => meta[field] !== undefined && meta[field] !== old[field]).map((field): Issue => ({
    path: `metadata.${field}`,
    kind: 'forbidden',
    message: `is immutable: it is ${JSON.stringify(old[field] ?? null)}`,
  }))
}

/** Length of a text in UTF-8. */
export function utf8Bytes(text: string): number {
  let bytes = 0
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x1_0000 ? 3 : 4
  }
  return bytes
}
