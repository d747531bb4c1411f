/** EndpointSlice: a part of the addresses behind a Service. */
import { bool, list, map, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { ENDPOINT_PORT, TARGET_REFERENCE } from './endpoints.ts'
import { OBJECT_META } from './object.ts'

export const SERVICE_NAME_LABEL = 'kubernetes.io/service-name'
export const SLICE_MANAGER_LABEL = 'endpointslice.kubernetes.io/managed-by'

const ENDPOINT = obj({
  addresses: required(list(str({ min: 1, max: 253 }), { max: 100 })),
  conditions: obj({ ready: bool(), serving: bool(), terminating: bool() }),
  hostname: str({ max: 63 }),
  targetRef: TARGET_REFERENCE,
  nodeName: str({ max: 253 }),
  zone: str({ max: 253 }),
  deprecatedTopology: map(str({ max: 253 }), { max: 16 }),
})

export const ENDPOINT_SLICE_SHAPE = obj({
  apiVersion: required(oneOf('discovery.k8s.io/v1')),
  kind: required(oneOf('EndpointSlice')),
  metadata: required(OBJECT_META),
  addressType: required(oneOf('IPv4', 'IPv6', 'FQDN')),
  endpoints: required(list(ENDPOINT, { max: 1_000 })),
  ports: list(ENDPOINT_PORT, { max: 100 }),
})
export type EndpointSlice = Infer<typeof ENDPOINT_SLICE_SHAPE>

export const ENDPOINT_SLICES = defineResource<EndpointSlice>({
  group: 'discovery.k8s.io',
  version: 'v1',
  kind: 'EndpointSlice',
  plural: 'endpointslices',
  shortNames: [],
  namespaced: true,
  nameRule: 'subdomain',
  shape: ENDPOINT_SLICE_SHAPE,
  columns: [
    NAME_COLUMN,
    column('AddressType', 'string', 'Kind of the addresses.'),
    column('Ports', 'string', 'Ports of all of them.'),
    column('Endpoints', 'string', 'The addresses.'),
    AGE_COLUMN,
  ],
  cells: (slice, nowMs) => [
    nameCell(slice),
    slice.addressType,
    shortList(
      (slice.ports ?? []).map(({ port }) => String(port ?? '')),
      '<unset>',
    ),
    shortList(
      slice.endpoints.flatMap(({ addresses }) => addresses),
      '<unset>',
    ),
    ageCell(slice, nowMs),
  ],
})

const SHOWN = 3

function shortList(items: readonly string[], none: string): string {
  if (items.length === 0) return none
  return items.length <= SHOWN ? items.join(',') : `${items.slice(0, SHOWN).join(',')} + ${items.length - SHOWN} more...`
}
