/** Secret: settings that are not shown. Messages never repeat a value. */
import { bool, map, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { base64Issues, dataKeyIssues, dataSizeIssues, immutableIssues } from './data-rules.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { OBJECT_META } from './object.ts'

export const SECRET_SHAPE = obj({
  apiVersion: required(oneOf('v1')),
  kind: required(oneOf('Secret')),
  metadata: required(OBJECT_META),
  /** base64 */
  data: map(str()),
  /** plain text, write-only: folded into `data` */
  stringData: map(str()),
  type: str({ max: 253 }),
  immutable: bool(),
})
export type Secret = Infer<typeof SECRET_SHAPE>

/** Keys that a type promises to its readers. */
const REQUIRED_KEYS: Readonly<Record<string, readonly string[]>> = {
  'kubernetes.io/dockercfg': ['.dockercfg'],
  'kubernetes.io/dockerconfigjson': ['.dockerconfigjson'],
  'kubernetes.io/ssh-auth': ['ssh-privatekey'],
  'kubernetes.io/tls': ['tls.crt', 'tls.key'],
}

export const SECRETS = defineResource<Secret>({
  group: '',
  version: 'v1',
  kind: 'Secret',
  plural: 'secrets',
  shortNames: [],
  namespaced: true,
  nameRule: 'subdomain',
  shape: SECRET_SHAPE,
  defaults: ({ stringData, ...secret }) => {
    const folded = Object.fromEntries(Object.entries(stringData ?? {}).map(([key, text]) => [key, toBase64(text)]))
    const data = stringData === undefined ? {} : { data: { ...secret.data, ...folded } }
    return { ...secret, ...data, type: secret.type === undefined || secret.type === '' ? 'Opaque' : secret.type }
  },
  rules: (secret, old) => [
    ...dataKeyIssues(secret.data ?? {}, 'data'),
    ...base64Issues(secret.data ?? {}, 'data'),
    ...dataSizeIssues([secret.data ?? {}], 'data'),
    ...typeIssues(secret, old),
    ...immutableIssues(secret, old),
  ],
  columns: [NAME_COLUMN, column('Type', 'string', 'Says how the data is meant.'), column('Data', 'integer', 'Number of entries.'), AGE_COLUMN],
  cells: (secret, nowMs) => [nameCell(secret), secret.type ?? '', Object.keys(secret.data ?? {}).length, ageCell(secret, nowMs)],
  selectableFields: { type: (secret) => secret.type ?? '' },
})

function typeIssues(secret: Secret, old: Secret | null): readonly Issue[] {
  const type = secret.type ?? 'Opaque'
  if (old !== null && (old.type ?? 'Opaque') !== type) {
    return [{ path: 'type', kind: 'forbidden', message: `is immutable: it is ${JSON.stringify(old.type ?? 'Opaque')}` }]
  }
  const wanted = Object.hasOwn(REQUIRED_KEYS, type) ? (REQUIRED_KEYS[type] ?? []) : []
  return wanted
    .filter((key) => !Object.hasOwn(secret.data ?? {}, key))
    .map((key) => ({ path: `data[${JSON.stringify(key)}]`, kind: 'required', message: `is required for type ${type}` }))
}

function toBase64(text: string): string {
  let binary = ''
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary)
}
