/** PersistentVolumeClaim: a volume that stays on the device where its first pod was placed. */
import { list, map, obj, oneOf, quantity, refused, required, str } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { parseQuantityNano } from '../../protocol/units.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { CONDITION, LABEL_SELECTOR, OBJECT_META } from './object.ts'
import { ACCESS_MODES, LOCAL_CLASS, shortModes } from './storage-class.ts'

export const CLAIM_SPEC = obj({
  accessModes: required(list(oneOf(...ACCESS_MODES), { max: 4 })),
  resources: required(obj({ requests: required(map(quantity(), { max: 4 })), limits: map(quantity(), { max: 4 }) })),
  storageClassName: str({ max: 253 }),
  volumeMode: oneOf('Filesystem', 'Block'),
  volumeName: str({ max: 253 }),
  selector: LABEL_SELECTOR,
  dataSource: refused('is not supported: volumes of devices begin empty'),
  dataSourceRef: refused('is not supported: volumes of devices begin empty'),
  volumeAttributesClassName: refused('is not supported: volumes of devices have no attributes'),
})
export type ClaimSpec = Infer<typeof CLAIM_SPEC>

export const CLAIM_SHAPE = obj({
  apiVersion: required(oneOf('v1')),
  kind: required(oneOf('PersistentVolumeClaim')),
  metadata: required(OBJECT_META),
  spec: required(CLAIM_SPEC),
  status: obj({
    phase: oneOf('Pending', 'Bound', 'Lost'),
    accessModes: list(oneOf(...ACCESS_MODES), { max: 4 }),
    capacity: map(quantity(), { max: 4 }),
    conditions: list(CONDITION, { mergeKey: 'type', max: 16 }),
  }),
})
export type PersistentVolumeClaim = Infer<typeof CLAIM_SHAPE>

export const CLAIM_PROTECTION = 'kubernetes.io/pvc-protection'

export const CLAIMS = defineResource<PersistentVolumeClaim>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolumeClaim',
  plural: 'persistentvolumeclaims',
  shortNames: ['pvc'],
  namespaced: true,
  nameRule: 'subdomain',
  shape: CLAIM_SHAPE,
  hasStatus: true,
  defaults: (claim) => ({
    ...claim,
    spec: { ...claim.spec, storageClassName: claim.spec.storageClassName ?? LOCAL_CLASS, volumeMode: claim.spec.volumeMode ?? 'Filesystem' },
    status: { phase: 'Pending', ...claim.status },
  }),
  rules: claimIssues,
  columns: [
    NAME_COLUMN,
    column('Status', 'string', 'Whether it has a volume.'),
    column('Volume', 'string', 'The volume.'),
    column('Capacity', 'string', 'What was asked for; devices hold nobody to it.'),
    column('Access Modes', 'string', 'Who may use it.'),
    column('StorageClass', 'string', 'Kind of the volume.'),
    AGE_COLUMN,
    column('VolumeMode', 'string', 'Files or blocks.', { wide: true }),
  ],
  cells: (claim, nowMs) => [
    nameCell(claim),
    claim.metadata.deletionTimestamp === undefined ? (claim.status?.phase ?? 'Pending') : 'Terminating',
    claim.spec.volumeName ?? '',
    claim.spec.volumeName === undefined ? '' : String(claim.status?.capacity?.['storage'] ?? ''),
    claim.spec.volumeName === undefined ? '' : shortModes(claim.status?.accessModes ?? []),
    claim.spec.storageClassName ?? '',
    ageCell(claim, nowMs),
    claim.spec.volumeMode ?? '',
  ],
})

function claimIssues({ spec }: PersistentVolumeClaim, old: PersistentVolumeClaim | null): readonly Issue[] {
  const issues = [...claimSpecIssues(spec, 'spec')]
  if (old !== null && old.spec.volumeName !== undefined && spec.volumeName !== old.spec.volumeName)
    issues.push({ path: 'spec.volumeName', kind: 'forbidden', message: `is immutable once set: it is ${JSON.stringify(old.spec.volumeName)}` })
  return issues
}

/** What a device can give; `at` is where the spec stands. */
export function claimSpecIssues(spec: ClaimSpec, at: string): readonly Issue[] {
  const issues: Issue[] = []
  const storage = spec.resources.requests['storage']
  if (spec.accessModes.length === 0) issues.push({ path: `${at}.accessModes`, kind: 'required', message: 'must name at least one' })
  for (const mode of ['ReadWriteMany', 'ReadOnlyMany'] as const)
    if (spec.accessModes.includes(mode))
      issues.push({
        path: `${at}.accessModes`,
        kind: 'unsupported',
        message: `"${mode}" is not supported: a volume is on one device; use "ReadWriteOnce"`,
      })
  if (storage === undefined) issues.push({ path: `${at}.resources.requests`, kind: 'required', message: 'must have storage' })
  else if ((parseQuantityNano(String(storage)) ?? 0n) <= 0n)
    issues.push({ path: `${at}.resources.requests["storage"]`, kind: 'invalid', message: 'must be more than 0' })
  if (spec.storageClassName !== undefined && spec.storageClassName !== LOCAL_CLASS)
    issues.push({
      path: `${at}.storageClassName`,
      kind: 'unsupported',
      message: `${JSON.stringify(spec.storageClassName)} is not supported: devices offer "${LOCAL_CLASS}"; leave the field out`,
    })
  if (spec.volumeMode === 'Block')
    issues.push({ path: `${at}.volumeMode`, kind: 'unsupported', message: '"Block" is not supported; use "Filesystem"' })
  if (spec.selector !== undefined)
    issues.push({ path: `${at}.selector`, kind: 'unsupported', message: 'is not supported: volumes are made when they are needed' })
  return issues
}
