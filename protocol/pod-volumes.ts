/** Volumes and mounts of a pod: what a device can offer. Files made from objects, folders, host paths, volumes that stay. */
import { bool, int, list, obj, oneOf, quantity, refused, required, str } from './shape.ts'
import type { Infer } from './shape.ts'

const later = (what: string): string => `${what} is not supported by this version of Skerry; remove the field`

const VOLUME_NAME = str({
  pattern: /^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$/,
  says: 'lower case letters, digits and "-", at most 63, starting and ending with a letter or digit',
})
const OBJECT_NAME = str({ min: 1, max: 253 })
const MODE = int(0, 0o777)

/** Stays below the folder it is for. `..` at the start of any part is what the agent's own links are called. */
const RELATIVE_PATH = str({
  pattern: /^(?!\/)(?!(.*\/)?\.\.)[^\0]{1,1024}$/,
  says: 'a relative path of which no part begins with ".."',
})

/** A key of an object -> a file. */
const KEY_ITEM = obj({ key: required(str({ min: 1, max: 253 })), path: required(RELATIVE_PATH), mode: MODE })

export const FIELD_REF = obj({ apiVersion: oneOf('v1'), fieldPath: required(str({ min: 1, max: 512 })) })
export const RESOURCE_FIELD_REF = obj({ containerName: str({ max: 63 }), resource: required(str({ min: 1, max: 253 })), divisor: quantity() })

const DOWNWARD_FILE = obj({ path: required(RELATIVE_PATH), fieldRef: FIELD_REF, resourceFieldRef: RESOURCE_FIELD_REF, mode: MODE })

const PROJECTION = obj({
  configMap: obj({ name: required(OBJECT_NAME), items: list(KEY_ITEM, { max: 256 }), optional: bool() }),
  secret: obj({ name: required(OBJECT_NAME), items: list(KEY_ITEM, { max: 256 }), optional: bool() }),
  downwardAPI: obj({ items: list(DOWNWARD_FILE, { max: 64 }) }),
  serviceAccountToken: refused(later('a service account token')),
  clusterTrustBundle: refused(later('a cluster trust bundle')),
  podCertificate: refused(later('a pod certificate')),
})

/** One of the kinds is set. */
export const VOLUME = obj(
  {
    name: required(VOLUME_NAME),
    configMap: obj({ name: required(OBJECT_NAME), items: list(KEY_ITEM, { max: 256 }), defaultMode: MODE, optional: bool() }),
    secret: obj({ secretName: required(OBJECT_NAME), items: list(KEY_ITEM, { max: 256 }), defaultMode: MODE, optional: bool() }),
    downwardAPI: obj({ items: list(DOWNWARD_FILE, { max: 64 }), defaultMode: MODE }),
    projected: obj({ sources: list(PROJECTION, { max: 32 }), defaultMode: MODE }),
    emptyDir: obj({ medium: oneOf('', 'Memory'), sizeLimit: quantity() }),
    hostPath: obj({
      path: required(str({ pattern: /^\/[^\0]{0,4095}$/, says: 'an absolute path' })),
      type: oneOf('', 'DirectoryOrCreate', 'Directory', 'FileOrCreate', 'File', 'Socket', 'CharDevice', 'BlockDevice'),
    }),
    persistentVolumeClaim: obj({ claimName: required(OBJECT_NAME), readOnly: bool() }),
    csi: refused(later('a CSI volume')),
    ephemeral: refused(later('an ephemeral volume')),
    nfs: refused(later('an NFS volume')),
    iscsi: refused(later('an iSCSI volume')),
    image: refused(later('an image volume')),
    gitRepo: refused(later('a gitRepo volume')),
    flexVolume: refused(later('a flexVolume')),
    cephfs: refused(later('a CephFS volume')),
    rbd: refused(later('an RBD volume')),
    fc: refused(later('a Fibre Channel volume')),
  },
  { retainKeys: true },
)

export const VOLUME_MOUNT = obj({
  name: required(VOLUME_NAME),
  mountPath: required(str({ pattern: /^\/[^\0:]{0,4095}$/, says: 'an absolute path without ":"' })),
  readOnly: bool(),
  subPath: str({ max: 1024 }),
  mountPropagation: oneOf('None'),
  subPathExpr: refused(later('subPathExpr')),
  recursiveReadOnly: refused(later('recursiveReadOnly')),
})

export type Volume = Infer<typeof VOLUME>
export type VolumeMount = Infer<typeof VOLUME_MOUNT>
export type KeyItem = Infer<typeof KEY_ITEM>
export type DownwardFile = Infer<typeof DOWNWARD_FILE>
export type FieldRef = Infer<typeof FIELD_REF>
export type ResourceFieldRef = Infer<typeof RESOURCE_FIELD_REF>
