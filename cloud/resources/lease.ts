/** Lease: who holds something and until when. `kubectl describe node` asks for one; it may be absent. */
import { int, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { OBJECT_META } from './object.ts'

export const LEASE_SHAPE = obj({
  apiVersion: required(oneOf('coordination.k8s.io/v1')),
  kind: required(oneOf('Lease')),
  metadata: required(OBJECT_META),
  spec: obj({
    holderIdentity: str({ max: 253 }),
    leaseDurationSeconds: int(1),
    acquireTime: str({ max: 40 }),
    renewTime: str({ max: 40 }),
    leaseTransitions: int(),
  }),
})
export type Lease = Infer<typeof LEASE_SHAPE>

export const LEASES = defineResource<Lease>({
  group: 'coordination.k8s.io',
  version: 'v1',
  kind: 'Lease',
  plural: 'leases',
  shortNames: [],
  namespaced: true,
  nameRule: 'subdomain',
  shape: LEASE_SHAPE,
  columns: [NAME_COLUMN, column('Holder', 'string', 'Who holds the lease.'), AGE_COLUMN],
  cells: (lease, nowMs) => [nameCell(lease), lease.spec?.holderIdentity ?? '', ageCell(lease, nowMs)],
})
