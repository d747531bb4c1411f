/**
 * Claims and the volumes behind them. A claim waits for its first pod; where that pod is placed the volume is made, and every
 * later pod goes there. A claim of which no object exists is a volume of each device by itself, as before there were objects.
 */
import { LOCAL_CLASS } from '../resources/storage-class.ts'
import { CLAIM_PROTECTION } from '../resources/persistent-volume-claim.ts'
import type { PersistentVolumeClaim } from '../resources/persistent-volume-claim.ts'
import type { PersistentVolume } from '../resources/persistent-volume.ts'
import type { Pod } from '../resources/pod.ts'
import { byAge, isDeleting, nameOf, namespaceOf, uidOf } from './meta.ts'
import { isFinished } from './pod-state.ts'

/** On a bound claim: the device that has the volume. Kubernetes' own name for it. */
export const SELECTED_NODE = 'volume.kubernetes.io/selected-node'

/** `namespace/name` of the claims that a pod uses. */
export function claimKeysOf(pod: Pod): readonly string[] {
  const names = (pod.spec.volumes ?? []).flatMap(({ persistentVolumeClaim: claim }) => (claim === undefined ? [] : [claim.claimName]))
  return [...new Set(names)].map((name) => `${namespaceOf(pod)}/${name}`)
}

/** The device that a claim is on, or null while that is open. */
export function nodeOfClaim(claim: PersistentVolumeClaim, users: readonly Pod[]): string | null {
  const selected = claim.metadata.annotations?.[SELECTED_NODE]
  if (selected !== undefined && claim.spec.volumeName !== undefined) return selected
  return firstUser(users)?.spec.nodeName ?? null
}

/** The volume that is to be made for an open claim, or null while no pod that uses it was placed. */
export function volumeFor(claim: PersistentVolumeClaim, users: readonly Pod[]): { readonly volume: PersistentVolume; readonly node: string } | null {
  const node = claim.spec.volumeName === undefined && !isDeleting(claim) ? (firstUser(users)?.spec.nodeName ?? null) : null
  if (node === null) return null
  const [namespace, name, uid] = [namespaceOf(claim), nameOf(claim), uidOf(claim)]
  const here = { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] }
  return {
    node,
    volume: {
      apiVersion: 'v1',
      kind: 'PersistentVolume',
      metadata: { name: `pvc-${uid}` },
      spec: {
        capacity: claim.spec.resources.requests,
        accessModes: claim.spec.accessModes,
        claimRef: { apiVersion: 'v1', kind: 'PersistentVolumeClaim', namespace, name, uid },
        persistentVolumeReclaimPolicy: 'Retain',
        storageClassName: claim.spec.storageClassName ?? LOCAL_CLASS,
        local: { path: `skerry-pvc-${namespace}-${name}` },
        nodeAffinity: { required: { nodeSelectorTerms: [here] } },
      },
      status: { phase: 'Bound' },
    },
  }
}

/** The claim with its volume. */
export function boundClaim(claim: PersistentVolumeClaim, volume: PersistentVolume, node: string): PersistentVolumeClaim {
  const { metadata, spec } = claim
  return {
    ...claim,
    metadata: { ...metadata, annotations: { ...metadata.annotations, [SELECTED_NODE]: node } },
    spec: { ...spec, volumeName: nameOf(volume) },
    status: { ...claim.status, phase: 'Bound', accessModes: spec.accessModes, capacity: spec.resources.requests },
  }
}

/** In use until the last pod that names it has ended or is gone: the claim outlives its own deletion so long. */
export function protectedClaim(claim: PersistentVolumeClaim, users: readonly Pod[]): PersistentVolumeClaim {
  const finalizers = claim.metadata.finalizers ?? []
  const has = finalizers.includes(CLAIM_PROTECTION)
  if (!isDeleting(claim)) return has ? claim : withFinalizers(claim, [...finalizers, CLAIM_PROTECTION])
  const used = users.some((pod) => !isFinished(pod))
  return has && !used
    ? withFinalizers(
        claim,
        finalizers.filter((one) => one !== CLAIM_PROTECTION),
      )
    : claim
}

function withFinalizers(claim: PersistentVolumeClaim, finalizers: readonly string[]): PersistentVolumeClaim {
  return { ...claim, metadata: { ...claim.metadata, finalizers } }
}

function firstUser(users: readonly Pod[]): Pod | undefined {
  return users.filter((pod) => pod.spec.nodeName !== undefined && !isFinished(pod)).toSorted(byAge)[0]
}
