/** Where the volumes of a pod appear in one of its containers, as the engine is to mount them. */
import type { LocalSettings, PlannedMount } from './pod-model.ts'
import { cause } from '../../protocol/causes.ts'
import { parseUnits } from '../../protocol/units.ts'
import type { Volume, VolumeMount } from '../../protocol/pod-volumes.ts'
import { hostPathRule } from './device-policy.ts'
import type { ContainerSpec, DesiredPod } from './model.ts'
import { hostsFile } from './network-names.ts'
import { unreadable } from './pod-values.ts'
import type { Resolved } from './pod-values.ts'

/** Folders of a pod: `kind` is files (made from objects) or scratch (emptyDir). */
export function folderOf(root: string, podUid: string, kind: 'files' | 'scratch', volume: string): string {
  return `${root}/${podUid}/${kind}/${volume}`
}

/** Volumes that stay on the device are found again by namespace and claim, whatever pod asks. */
export function claimVolume(namespace: string, claim: string): string {
  return `skerry-pvc-${namespace}-${claim}`
}

export function mountsOf(pod: DesiredPod, container: ContainerSpec, local: LocalSettings): Resolved<readonly PlannedMount[]> {
  const volumes = new Map((pod.spec.volumes ?? []).map((volume) => [volume.name, volume]))
  const mounts: PlannedMount[] = []
  for (const mount of container.volumeMounts ?? []) {
    const volume = volumes.get(mount.name)
    if (volume === undefined) return unreadable(`volumeMounts ${mount.name}`, 'the pod has no volume of that name')
    const made = oneMount(pod, volume, mount, local)
    if (!made.ok) return made
    mounts.push(made.value)
  }
  return { ok: true, value: mounts }
}

const HOSTS = '/etc/hosts'

/** The names of Services, as the kubelet gives them; a pod that brings a file of its own has that. */
export function hostsMount(pod: DesiredPod, container: ContainerSpec, { networks }: LocalSettings): readonly PlannedMount[] {
  const own = (container.volumeMounts ?? []).some(({ mountPath }) => mountPath === HOSTS)
  if (networks === undefined || pod.spec.hostNetwork === true || own) return []
  const readOnly = container.securityContext?.readOnlyRootFilesystem === true
  return [{ kind: 'bind', source: hostsFile(networks.hosts, pod.uid), target: HOSTS, readOnly }]
}

/** Memory volumes of a pod, held by its sandbox so that they outlive their containers. */
export function heldMounts(pod: DesiredPod): readonly PlannedMount[] {
  return (pod.spec.volumes ?? []).flatMap((volume) =>
    volume.emptyDir?.medium === 'Memory' ? [memoryMount(pod, volume, `/held/${volume.name}`, true)] : [],
  )
}

function oneMount(pod: DesiredPod, volume: Volume, mount: VolumeMount, local: LocalSettings): Resolved<PlannedMount> {
  const { mountPath: target, readOnly = false, subPath } = mount
  const { emptyDir, hostPath, persistentVolumeClaim: claim } = volume
  if (hostPath !== undefined) return hostMount(hostPath, target, readOnly, local)
  if (claim !== undefined) {
    const name = claimVolume(pod.namespace, claim.claimName)
    return { ok: true, value: { kind: 'volume', name, target, readOnly: readOnly || claim.readOnly === true } }
  }
  if (emptyDir?.medium === 'Memory') return { ok: true, value: memoryMount(pod, volume, target, readOnly) }
  if (local.roots === null) return { ok: false, cause: cause('volume.failed', { volume: volume.name, why: 'this agent has no folder for volumes' }) }
  const { disk, memory } = local.roots
  if (emptyDir !== undefined) return { ok: true, value: { kind: 'bind', source: folderOf(disk, pod.uid, 'scratch', volume.name), target, readOnly } }
  const secret = volume.secret !== undefined || (volume.projected?.sources ?? []).some((source) => source.secret !== undefined)
  const root = secret ? memory : disk
  if (root === null) return { ok: false, cause: cause('volume.no-tmpfs', { tried: '/run, /dev/shm' }) }
  const folder = folderOf(root, pod.uid, 'files', volume.name)
  // files are made by the agent alone: containers cannot write them, so that no link of theirs is ever followed
  return {
    ok: true,
    value: { kind: 'bind', source: subPath === undefined || subPath === '' ? folder : `${folder}/${subPath}`, target, readOnly: true },
  }
}

function memoryMount(pod: DesiredPod, { name, emptyDir }: Volume, target: string, readOnly: boolean): PlannedMount {
  const tmpfsBytes = emptyDir?.sizeLimit === undefined ? null : parseUnits(emptyDir.sizeLimit)
  return { kind: 'volume', name: `skerry-mem-${pod.uid}-${name}`, target, readOnly, tmpfsBytes }
}

function hostMount(hostPath: NonNullable<Volume['hostPath']>, target: string, readOnly: boolean, local: LocalSettings): Resolved<PlannedMount> {
  const { path, type = '' } = hostPath
  const rule = path.split('/').includes('..') ? null : hostPathRule(path, local.policy)
  if (rule === null) return { ok: false, cause: cause('policy.device.denied', { what: `host path ${path}`, file: local.policyFile }) }
  const kind = type === 'CharDevice' || type === 'BlockDevice' ? 'device' : 'bind'
  return { ok: true, value: { kind, source: path, target, readOnly: readOnly || rule.readOnly } }
}
