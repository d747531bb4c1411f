/** The StorageClass of volumes on devices, which exists from the first start on. */
import { resourceKey } from '../resources/object.ts'
import type { ResourceDefinition } from '../resources/object.ts'
import { LOCAL_CLASS, LOCAL_PROVISIONER, STORAGE_CLASSES } from '../resources/storage-class.ts'
import { admitNew } from './admission.ts'
import { isoSeconds } from './api.ts'
import type { Api } from './api.ts'

/** Leaves it as it is when it exists. */
export async function ensureStorageClass(api: Api): Promise<void> {
  const definition = STORAGE_CLASSES as unknown as ResourceDefinition
  const facts = { uid: api.random.uuid(), nowIso: isoSeconds(api.clock.nowMs()), suffix: '' }
  const metadata = { name: LOCAL_CLASS, annotations: { 'storageclass.kubernetes.io/is-default-class': 'true' } }
  const object = { apiVersion: 'storage.k8s.io/v1', kind: 'StorageClass', metadata, provisioner: LOCAL_PROVISIONER }
  await api.store.create(resourceKey(definition), admitNew(definition, object, '', facts))
}
