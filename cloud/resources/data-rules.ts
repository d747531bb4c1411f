/** Rules that ConfigMap and Secret share: keys, sizes, base64, and `immutable`. */
import { LIMITS } from '../../protocol/limits.ts'
import { canonicalJson } from '../../protocol/revision.ts'
import type { Issue } from '../../protocol/shape.ts'
import { utf8Bytes } from './metadata-rules.ts'

type Texts = Readonly<Record<string, string>>

const KEY = /^[-._a-zA-Z0-9]{1,253}$/
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/

/** Keys that could not be file names. */
export function dataKeyIssues(data: Texts, path: string): readonly Issue[] {
  return Object.keys(data).flatMap((key): readonly Issue[] =>
    KEY.test(key) && key !== '.' && key !== '..' && !key.startsWith('..')
      ? []
      : [
          {
            path: `${path}[${JSON.stringify(key)}]`,
            kind: 'invalid',
            message: 'a key must be letters, digits, "-", "_" or ".", at most 253, not starting with ".."',
          },
        ],
  )
}

/** Values that are not standard base64. The value is never repeated in the message. */
export function base64Issues(data: Texts, path: string): readonly Issue[] {
  return Object.entries(data).flatMap(([key, value]): readonly Issue[] =>
    BASE64.test(value.replaceAll(/[\r\n]/g, ''))
      ? []
      : [
          {
            path: `${path}[${JSON.stringify(key)}]`,
            kind: 'invalid',
            message: 'must be base64 (put plain text into stringData, or into data of a ConfigMap)',
          },
        ],
  )
}

/** All values together must fit one object. */
export function dataSizeIssues(maps: readonly Texts[], path: string): readonly Issue[] {
  const max = LIMITS.apiBodyBytes.value
  const bytes = maps.flatMap((data) => Object.values(data)).reduce((sum, value) => sum + utf8Bytes(value), 0)
  return bytes <= max ? [] : [{ path, kind: 'too-many', message: `must be at most ${max} bytes in all, is ${bytes}` }]
}

interface Holder {
  readonly immutable?: boolean
  readonly data?: unknown
  readonly binaryData?: unknown
}

/** Once `immutable` is true neither it nor the data may change. */
export function immutableIssues(object: Holder, old: Holder | null): readonly Issue[] {
  if (old?.immutable !== true) return []
  const issues: Issue[] = []
  if (object.immutable !== true) issues.push({ path: 'immutable', kind: 'forbidden', message: 'may not be unset once true' })
  for (const field of ['data', 'binaryData'] as const) {
    if (canonicalJson(object[field] ?? {}) !== canonicalJson(old[field] ?? {})) {
      issues.push({ path: field, kind: 'forbidden', message: 'may not change: the object is immutable; create another one' })
    }
  }
  return issues
}
