/** StorageClass: the kinds of volumes there are. Devices have one. */
import { anything, bool, list, map, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { OBJECT_META } from './object.ts'

/** Volumes of the engine of a device; made with the first pod, kept after the last. */
export const LOCAL_CLASS = 'skerry-local'
export const LOCAL_PROVISIONER = 'skerry.dev/local'
export const ACCESS_MODES = ['ReadWriteOnce', 'ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOncePod'] as const

export const STORAGE_CLASS_SHAPE = obj({
  apiVersion: required(oneOf('storage.k8s.io/v1')),
  kind: required(oneOf('StorageClass')),
  metadata: required(OBJECT_META),
  provisioner: required(str({ min: 1, max: 253 })),
  parameters: map(str(), { max: 64 }),
  reclaimPolicy: oneOf('Delete', 'Retain'),
  mountOptions: list(str({ max: 253 }), { max: 32 }),
  allowVolumeExpansion: bool(),
  volumeBindingMode: oneOf('Immediate', 'WaitForFirstConsumer'),
  allowedTopologies: anything(),
})
export type StorageClass = Infer<typeof STORAGE_CLASS_SHAPE>

export const STORAGE_CLASSES = defineResource<StorageClass>({
  group: 'storage.k8s.io',
  version: 'v1',
  kind: 'StorageClass',
  plural: 'storageclasses',
  shortNames: ['sc'],
  namespaced: false,
  nameRule: 'subdomain',
  shape: STORAGE_CLASS_SHAPE,
  defaults: (one) => ({ ...one, reclaimPolicy: one.reclaimPolicy ?? 'Retain', volumeBindingMode: one.volumeBindingMode ?? 'WaitForFirstConsumer' }),
  rules: classIssues,
  columns: [
    NAME_COLUMN,
    column('Provisioner', 'string', 'Who makes the volumes.'),
    column('ReclaimPolicy', 'string', 'What becomes of the data when the claim goes.'),
    column('VolumeBindingMode', 'string', 'When a volume is made.'),
    column('AllowVolumeExpansion', 'string', 'Whether a claim may grow.'),
    AGE_COLUMN,
  ],
  cells: (one, nowMs) => [
    isDefault(one) ? `${nameCell(one)} (default)` : nameCell(one),
    one.provisioner,
    one.reclaimPolicy ?? 'Retain',
    one.volumeBindingMode ?? 'WaitForFirstConsumer',
    String(one.allowVolumeExpansion ?? false),
    ageCell(one, nowMs),
  ],
})

function isDefault(one: StorageClass): boolean {
  return one.metadata.annotations?.['storageclass.kubernetes.io/is-default-class'] === 'true'
}

function classIssues(one: StorageClass): readonly Issue[] {
  const issues: Issue[] = []
  if (one.metadata.name !== LOCAL_CLASS || one.provisioner !== LOCAL_PROVISIONER)
    issues.push({ path: 'provisioner', kind: 'unsupported', message: `devices offer "${LOCAL_CLASS}" by "${LOCAL_PROVISIONER}" and no other` })
  if (one.reclaimPolicy === 'Delete')
    issues.push({
      path: 'reclaimPolicy',
      kind: 'unsupported',
      message: '"Delete" is not supported: data of devices is removed on the device; use "Retain"',
    })
  if (one.volumeBindingMode === 'Immediate')
    issues.push({
      path: 'volumeBindingMode',
      kind: 'unsupported',
      message: '"Immediate" is not supported: the first pod decides on which device it is',
    })
  return issues
}

const SHORT: Readonly<Record<string, string>> = { ReadWriteOnce: 'RWO', ReadOnlyMany: 'ROX', ReadWriteMany: 'RWX', ReadWriteOncePod: 'RWOP' }

/** `RWO`, as kubectl prints access modes. */
export function shortModes(modes: readonly string[]): string {
  return modes.map((mode) => SHORT[mode] ?? mode).join(',')
}
