/** Who is who: container names, ledger keys and container plans made from a desired pod. */
import { pidsOfPod } from '../../protocol/pids.ts'
import { parseUnits } from '../../protocol/units.ts'
import type { ContainerIdentity, ContainerSpec, DesiredPod, ObservedContainer } from './model.ts'

/** Kubernetes' default; used for containers whose spec is gone and whose engine record does not tell. */
export const GRACE_SECONDS_DEFAULT = 30
/** Docker takes longer names, but file systems and host names below it do not. */
const NAME_LENGTH_MAX = 200
const SHORT = 8

/** `<uid>/<container>/<hash8>`: a changed spec is a new key and starts with a clean record. */
export function ledgerKey(podUid: string, containerName: string, specHash: string): string {
  return `${podUid}/${containerName}/${specHash.slice(0, SHORT)}`
}

/** The container of the pod, whatever its spec: `<uid>/<container>` of a ledger key. */
export function slotOfKey(key: string): string {
  return key.slice(0, key.lastIndexOf('/'))
}

/** Unique on the device; uid and hash are never cut away. Characters that Docker refuses become '-'. */
export function containerName(namespace: string, podName: string, container: string, podUid: string, specHash: string): string {
  const tail = `-${podUid.slice(0, SHORT)}-${specHash.slice(0, SHORT)}`
  const head = `skerry-${namespace}-${podName}-${container}`.replace(/[^a-zA-Z0-9_.-]/g, '-')
  return `${head.slice(0, NAME_LENGTH_MAX - tail.length)}${tail}`
}

export function identityOf(pod: DesiredPod, container: string, specHash: string): ContainerIdentity {
  const { uid, namespace, name } = pod
  return { podUid: uid, specHash, namespace, podName: name, containerName: container, name: containerName(namespace, name, container, uid, specHash) }
}

export function identityOfObserved(found: ObservedContainer): ContainerIdentity {
  const { podUid, specHash, namespace, podName, name } = found
  return { podUid, specHash, namespace, podName, containerName: found.containerName, name }
}

export function keyOfObserved(found: ObservedContainer): string {
  return ledgerKey(found.podUid, found.containerName, found.specHash)
}

export function graceSecondsOf(pod: DesiredPod): number {
  return pod.spec.terminationGracePeriodSeconds ?? GRACE_SECONDS_DEFAULT
}

/** PID cap of each container: what the scheduler placed, else what the pod says, else the table's default. */
export function pidsLimitOf(pod: DesiredPod): number {
  const written = pod.spec.resources?.limits?.['pids']
  return pod.placement?.pids ?? pidsOfPod(written === undefined ? null : parseUnits(written))
}

/** Kubernetes' rule when the policy is not written: a moving tag is always pulled. */
export function pullPolicyOf(container: ContainerSpec): 'Always' | 'IfNotPresent' | 'Never' {
  if (container.imagePullPolicy !== undefined) return container.imagePullPolicy
  if (container.image.includes('@')) return 'IfNotPresent'
  const tag = /:([^/:]+)$/.exec(container.image)?.[1] ?? 'latest'
  return tag === 'latest' ? 'Always' : 'IfNotPresent'
}

/** Host ports this container binds; with the host's network every port it names. `8080/TCP` */
export function hostPortsOf(pod: DesiredPod, container: ContainerSpec): readonly string[] {
  const claimed: string[] = []
  for (const port of container.ports ?? []) {
    const number = pod.spec.hostNetwork === true ? port.containerPort : port.hostPort
    if (number !== undefined) claimed.push(`${number}/${port.protocol ?? 'TCP'}`)
  }
  return claimed
}
