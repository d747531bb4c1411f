/** Endpoints: the addresses behind a Service, as older clients read them. */
import { int, list, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { OBJECT_META } from './object.ts'

const TEXT = str({ max: 253 })
const MAX = 1_000

export const TARGET_REFERENCE = obj({
  apiVersion: TEXT,
  kind: TEXT,
  name: TEXT,
  namespace: TEXT,
  uid: TEXT,
  resourceVersion: TEXT,
  fieldPath: TEXT,
})

const ENDPOINT_ADDRESS = obj({
  ip: required(str({ pattern: /^[0-9a-fA-F.:]{2,45}$/, says: 'an IP address' })),
  hostname: str({ max: 63 }),
  nodeName: TEXT,
  targetRef: TARGET_REFERENCE,
})
export const ENDPOINT_PORT = obj({
  name: str({ max: 63 }),
  port: int(1, 65_535),
  protocol: oneOf('TCP', 'UDP', 'SCTP'),
  appProtocol: TEXT,
})

export const ENDPOINTS_SHAPE = obj({
  apiVersion: required(oneOf('v1')),
  kind: required(oneOf('Endpoints')),
  metadata: required(OBJECT_META),
  subsets: list(
    obj({
      addresses: list(ENDPOINT_ADDRESS, { max: MAX }),
      notReadyAddresses: list(ENDPOINT_ADDRESS, { max: MAX }),
      ports: list(ENDPOINT_PORT, { max: 32 }),
    }),
    { max: 64 },
  ),
})
export type Endpoints = Infer<typeof ENDPOINTS_SHAPE>

export const ENDPOINTS = defineResource<Endpoints>({
  group: '',
  version: 'v1',
  kind: 'Endpoints',
  plural: 'endpoints',
  shortNames: ['ep'],
  namespaced: true,
  nameRule: 'subdomain',
  shape: ENDPOINTS_SHAPE,
  columns: [NAME_COLUMN, column('Endpoints', 'string', 'Addresses that are ready; those of pods count on their own device only.'), AGE_COLUMN],
  cells: (endpoints, nowMs) => [nameCell(endpoints), endpointsCell(endpoints), ageCell(endpoints, nowMs)],
})

const SHOWN = 3

function endpointsCell({ subsets = [] }: Endpoints): string {
  const all = subsets.flatMap(({ addresses = [], ports = [] }) =>
    addresses.flatMap(({ ip }) => (ports.length === 0 ? [ip] : ports.map(({ port }) => `${ip}:${port ?? 0}`))),
  )
  if (all.length === 0) return '<none>'
  return all.length <= SHOWN ? all.join(',') : `${all.slice(0, SHOWN).join(',')} + ${all.length - SHOWN} more...`
}
