/**
 * Which images the desired state asks for, for which release, and with which pull secrets. A digest is pinned per release:
 * the pods of one revision of a workload on this device run the same bytes, also when the tag moves meanwhile; a new
 * revision (also `kubectl rollout restart`) looks the tag up again.
 */
import type { Cause } from '../../protocol/causes.ts'
import type { DesiredPod, DesiredState, ImagesWanted, ImageUse, PullCredential } from './model.ts'
import type { Ledger, LedgerEntry } from './saved-model.ts'

/** The revision labels that Kubernetes' controllers put on their pods. */
const REVISION_LABELS = ['pod-template-hash', 'controller-revision-hash'] as const

export function releaseOf(pod: DesiredPod): string {
  const revision = REVISION_LABELS.map((label) => pod.labels?.[label]).find((value) => value !== undefined)
  return `${pod.specHash.slice(0, 16)}/${revision ?? pod.uid}`
}

export function imageUseOf(pod: DesiredPod): ImageUse {
  return { release: releaseOf(pod), secrets: (pod.spec.imagePullSecrets ?? []).map(({ name }) => `${pod.namespace}/${name}`) }
}

/** Each image and release once. */
export function imagesWanted(desired: DesiredState): ImagesWanted {
  const byKey = new Map<string, ImagesWanted['images'][number]>()
  for (const pod of desired.pods) {
    const release = releaseOf(pod)
    for (const { image } of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) byKey.set(`${image} ${release}`, { image, release })
  }
  // the release of the runs to come, see podOfRun
  for (const { pod } of desired.schedules ?? []) {
    const release = `${pod.specHash.slice(0, 16)}/${pod.specHash.slice(0, 10)}`
    for (const { image } of [...(pod.spec.initContainers ?? []), ...pod.spec.containers]) byKey.set(`${image} ${release}`, { image, release })
  }
  return { credentials: desired.credentials ?? [], prefetch: desired.prefetch ?? [], images: [...byKey.values()] }
}

/** Pulls that wait are tried at once when what opens their registry has changed. */
export function wakePulls(ledger: Ledger, before: DesiredState | null, after: DesiredState): Ledger {
  if (sameCredentials(before?.credentials ?? [], after.credentials ?? [])) return ledger
  let changed = false
  const entries = Object.entries(ledger).map(([key, entry]): readonly [string, LedgerEntry] => {
    if (entry.notBeforeMonoMs === null || entry.lastCause?.code.startsWith('image.pull.') !== true) return [key, entry]
    changed = true
    return [key, { ...entry, failures: 0, notBeforeMonoMs: null }]
  })
  return changed ? Object.fromEntries(entries) : ledger
}

/** The credential for a registry: the named secrets in their order. Null = try without. */
export function credentialFor(credentials: readonly PullCredential[], registry: string, secrets: readonly string[]): PullCredential | null {
  for (const secret of secrets) {
    const found = credentials.find((one) => one.secret === secret && one.registry === registry)
    if (found !== undefined) return found
  }
  return null
}

/** What an image failure teaches the backoff: an attempt that brought layers further is not a failure in a row. */
export function broughtFurther(why: Cause): boolean {
  return why.code.startsWith('image.pull.') && why.facts['gained'] === 'yes'
}

function sameCredentials(a: readonly PullCredential[], b: readonly PullCredential[]): boolean {
  return a.length === b.length && JSON.stringify(a) === JSON.stringify(b)
}
