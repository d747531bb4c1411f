/** The words for what a pod brings along: values, files, mounts, and what the device allows. Plain data. */
import { bool, list, obj, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'

export const DEVICE_POLICY = obj({
  /** host paths that may be mounted, with everything below them */
  hostPaths: list(obj({ path: required(str({ pattern: /^\//, says: 'an absolute path' })), readOnly: bool() }), { max: 256 }),
  privileged: bool(),
  /** capabilities beyond those that every container has, without CAP_ */
  capabilities: list(str({ max: 64 }), { max: 64 }),
})
export type DevicePolicy = Infer<typeof DEVICE_POLICY>

/** Settings of this device that no document of the cloud changes. */
export interface LocalSettings {
  readonly policy: DevicePolicy
  /** named in messages */
  readonly policyFile: string
  /** IANA name of the device's own time zone; absent = UTC */
  readonly zone?: string
  /** folders for volumes: on disk, and on a file system that is never on disk (null = this device has none) */
  readonly roots: { readonly disk: string; readonly memory: string | null } | null
  /** pods join the network of their namespace and get the names of Services in files of this folder; absent = the engine's own network */
  readonly networks?: { readonly hosts: string }
}

/** `literal`: taken from elsewhere, so that `$(NAME)` in it is not a reference. */
export interface PlannedVariable {
  readonly name: string
  readonly value: string
  readonly literal?: true
}

export interface ConfigValue {
  readonly text: string
  /** text is base64 of the bytes */
  readonly base64: boolean
}

export interface PlannedFile extends ConfigValue {
  /** below the volume's folder */
  readonly path: string
  readonly mode: number
}

export interface PlannedFolder {
  readonly volume: string
  readonly medium: 'disk' | 'memory'
  readonly files: readonly PlannedFile[]
}

/** Everything that is to lie ready for a pod before one of its containers starts. */
export interface PodVolumes {
  readonly podUid: string
  /** group of the folders, and what it may do with them; null = root's */
  readonly group: number | null
  readonly folders: readonly PlannedFolder[]
  /** emptyDir on disk */
  readonly scratch: readonly string[]
  readonly hostPaths: readonly { readonly volume: string; readonly path: string; readonly type: string }[]
  /** equal digests mean equal files */
  readonly digest: string
}

export type PlannedMount =
  | { readonly kind: 'bind'; readonly source: string; readonly target: string; readonly readOnly: boolean }
  /** a volume of the engine; `tmpfsBytes`: in memory, gone when its last container ends (null = no size given) */
  | { readonly kind: 'volume'; readonly name: string; readonly target: string; readonly readOnly: boolean; readonly tmpfsBytes?: number | null }
  | { readonly kind: 'device'; readonly source: string; readonly target: string; readonly readOnly: boolean }
