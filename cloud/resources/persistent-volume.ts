/** PersistentVolume: a volume on a device, as the API shows it. */
import { anything, list, map, obj, oneOf, quantity, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { OBJECT_META } from './object.ts'
import { ACCESS_MODES, shortModes } from './storage-class.ts'

const TEXT = str({ max: 253 })

export const VOLUME_OBJECT_SHAPE = obj({
  apiVersion: required(oneOf('v1')),
  kind: required(oneOf('PersistentVolume')),
  metadata: required(OBJECT_META),
  spec: required(
    obj({
      capacity: map(quantity(), { max: 4 }),
      accessModes: list(oneOf(...ACCESS_MODES), { max: 4 }),
      claimRef: obj({ apiVersion: TEXT, kind: TEXT, namespace: TEXT, name: TEXT, uid: TEXT, resourceVersion: TEXT }),
      persistentVolumeReclaimPolicy: oneOf('Retain'),
      storageClassName: TEXT,
      volumeMode: oneOf('Filesystem'),
      /** `path` is the name of the engine's volume on the device */
      local: required(obj({ path: required(str({ min: 1, max: 512 })), fsType: TEXT })),
      nodeAffinity: anything(),
    }),
  ),
  status: obj({ phase: oneOf('Available', 'Bound', 'Released', 'Failed', 'Pending'), reason: TEXT, message: str({ max: 1024 }) }),
})
export type PersistentVolume = Infer<typeof VOLUME_OBJECT_SHAPE>

export const PERSISTENT_VOLUMES = defineResource<PersistentVolume>({
  group: '',
  version: 'v1',
  kind: 'PersistentVolume',
  plural: 'persistentvolumes',
  shortNames: ['pv'],
  namespaced: false,
  nameRule: 'subdomain',
  shape: VOLUME_OBJECT_SHAPE,
  hasStatus: true,
  defaults: (volume) => ({
    ...volume,
    spec: { ...volume.spec, persistentVolumeReclaimPolicy: 'Retain', volumeMode: 'Filesystem' },
    status: { phase: 'Available', ...volume.status },
  }),
  columns: [
    NAME_COLUMN,
    column('Capacity', 'string', 'What was asked for.'),
    column('Access Modes', 'string', 'Who may use it.'),
    column('Reclaim Policy', 'string', 'What becomes of the data when the claim goes.'),
    column('Status', 'string', 'Whether a claim has it.'),
    column('Claim', 'string', 'The claim.'),
    column('StorageClass', 'string', 'Kind of the volume.'),
    column('Reason', 'string', 'Why it is in this state.'),
    AGE_COLUMN,
    column('VolumeMode', 'string', 'Files or blocks.', { wide: true }),
  ],
  cells: (volume, nowMs) => [
    nameCell(volume),
    String(volume.spec.capacity?.['storage'] ?? ''),
    shortModes(volume.spec.accessModes ?? []),
    volume.spec.persistentVolumeReclaimPolicy ?? '',
    volume.status?.phase ?? '',
    volume.spec.claimRef === undefined ? '' : `${volume.spec.claimRef.namespace ?? ''}/${volume.spec.claimRef.name ?? ''}`,
    volume.spec.storageClassName ?? '',
    volume.status?.reason ?? '',
    ageCell(volume, nowMs),
    volume.spec.volumeMode ?? '',
  ],
})
