/**
 * Volumes of a pod that are folders of files: what lies in them, by the document. Files of Secrets and everything beside
 * them are kept in memory. Made once for a document and pod.
 */
import type { PlannedFile, PlannedFolder, PodVolumes } from './pod-model.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { DownwardFile, KeyItem, Volume } from '../../protocol/pod-volumes.ts'
import { digestOf } from '../../protocol/revision.ts'
import type { DesiredPod, DesiredState } from './model.ts'
import { configOf, configsOf, fieldValue, missing, resourceValue, unreadable, valuesOf } from './pod-values.ts'
import type { Configs, Resolved, Surroundings } from './pod-values.ts'

const DEFAULT_MODE = 0o644
const made = new WeakMap<DesiredState, Map<string, Resolved<PodVolumes> | null>>()

/** null = this pod needs nothing prepared. */
export function volumesOf(desired: DesiredState, pod: DesiredPod, around: Surroundings): Resolved<PodVolumes> | null {
  if ((pod.spec.volumes ?? []).length === 0) return null
  let pods = made.get(desired)
  if (pods === undefined) made.set(desired, (pods = new Map<string, Resolved<PodVolumes> | null>()))
  const before = pods.get(pod.uid)
  if (before !== undefined) return before
  const now = collect(pod, configsOf(desired), around)
  pods.set(pod.uid, now)
  return now
}

function collect(pod: DesiredPod, configs: Configs, around: Surroundings): Resolved<PodVolumes> {
  const folders: PlannedFolder[] = []
  for (const volume of pod.spec.volumes ?? []) {
    const files = filesOf(volume, pod, configs, around)
    if (files === null) continue
    if (!files.ok) return files
    const bytes = files.value.reduce((sum, { text }) => sum + text.length, 0)
    const { value: max } = LIMITS.podFilesBytes
    if (bytes > max) return unreadable(`volume ${volume.name}`, `its files are ${bytes} bytes, at most ${max} are taken`)
    const isSecret = volume.secret !== undefined || (volume.projected?.sources ?? []).some(({ secret }) => secret !== undefined)
    folders.push({ volume: volume.name, medium: isSecret ? 'memory' : 'disk', files: files.value })
  }
  const volumes = pod.spec.volumes ?? []
  const group = pod.spec.securityContext?.fsGroup ?? null
  return {
    ok: true,
    value: {
      podUid: pod.uid,
      group,
      folders,
      scratch: volumes.flatMap(({ name, emptyDir }) => (emptyDir === undefined || emptyDir.medium === 'Memory' ? [] : [name])),
      hostPaths: volumes.flatMap(({ name, hostPath }) =>
        hostPath === undefined ? [] : [{ volume: name, path: hostPath.path, type: hostPath.type ?? '' }],
      ),
      digest: digestOf({ group, folders }),
    },
  }
}

/** null = not a folder of files. */
function filesOf(volume: Volume, pod: DesiredPod, configs: Configs, around: Surroundings): Resolved<readonly PlannedFile[]> | null {
  const { configMap, secret, downwardAPI, projected } = volume
  if (configMap !== undefined) return ofObject('ConfigMap', configMap.name, configMap, configMap.defaultMode, pod, configs)
  if (secret !== undefined) return ofObject('Secret', secret.secretName, secret, secret.defaultMode, pod, configs)
  if (downwardAPI !== undefined) return ofDownward(downwardAPI.items ?? [], downwardAPI.defaultMode, pod, around)
  if (projected === undefined) return null
  const files: PlannedFile[] = []
  for (const source of projected.sources ?? []) {
    const part =
      source.configMap !== undefined
        ? ofObject('ConfigMap', source.configMap.name, source.configMap, projected.defaultMode, pod, configs)
        : source.secret !== undefined
          ? ofObject('Secret', source.secret.name, source.secret, projected.defaultMode, pod, configs)
          : ofDownward(source.downwardAPI?.items ?? [], projected.defaultMode, pod, around)
    if (!part.ok) return part
    files.push(...part.value)
  }
  return { ok: true, value: files }
}

function ofObject(
  kind: 'ConfigMap' | 'Secret',
  name: string,
  { items, optional }: { readonly items?: readonly KeyItem[]; readonly optional?: boolean },
  defaultMode: number | undefined,
  pod: DesiredPod,
  configs: Configs,
): Resolved<readonly PlannedFile[]> {
  const config = configOf(configs, kind, pod.namespace, name)
  if (config === null) return optional === true ? { ok: true, value: [] } : missing(kind, name)
  const values = valuesOf(config)
  const mode = defaultMode ?? DEFAULT_MODE
  if (items === undefined) return { ok: true, value: [...values].map(([path, value]) => ({ path, mode, ...value })) }
  const files: PlannedFile[] = []
  for (const item of items) {
    const value = values.get(item.key)
    if (value !== undefined) files.push({ path: item.path, mode: item.mode ?? mode, ...value })
    else if (optional !== true) return missing(kind, name, item.key)
  }
  return { ok: true, value: files }
}

function ofDownward(
  items: readonly DownwardFile[],
  defaultMode: number | undefined,
  pod: DesiredPod,
  around: Surroundings,
): Resolved<readonly PlannedFile[]> {
  const files: PlannedFile[] = []
  for (const { path, fieldRef, resourceFieldRef, mode } of items) {
    const value =
      fieldRef !== undefined
        ? fieldValue(fieldRef, pod, around)
        : resourceFieldRef !== undefined
          ? resourceValue(resourceFieldRef, pod, null, around)
          : unreadable(path, 'it names no source')
    if (!value.ok) return value
    files.push({ path, mode: mode ?? defaultMode ?? DEFAULT_MODE, text: value.value, base64: false })
  }
  return { ok: true, value: files }
}
