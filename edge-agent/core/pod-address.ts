/** Where the ports of a pod's containers are reached from the host's own network. */
import type { DesiredPod, ObservedContainer } from './model.ts'

const LOOPBACK = '127.0.0.1'

/** null while it has no address. Containers of a pod share a network, so that any of them may carry it. */
export function podAddress(pod: DesiredPod, kept: ObservedContainer, observed: readonly ObservedContainer[]): string | null {
  if (pod.spec.hostNetwork === true) return LOOPBACK
  return kept.ip ?? observed.find(({ podUid, ip }) => podUid === pod.uid && ip !== null)?.ip ?? null
}
