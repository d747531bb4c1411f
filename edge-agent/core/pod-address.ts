/** Where the ports of a pod's containers are reached from the host's own network. */
import type { DesiredPod, ObservedContainer } from './model.ts'

const LOOPBACK = '127.0.0.1'

/** null while it has no address. Containers of a pod share a network, so that any of them may carry it. */
export function podAddress(pod: DesiredPod, kept: ObservedContainer, observed: readonly ObservedContainer[]): string | null {
  if (pod.spec.hostNetwork === true) return LOOPBACK
  return kept.ip ?? observed.find(({ podUid, ip }) => podUid === pod.uid && ip !== null)?.ip ?? null
}

/** Containers that share a pod's network get its address: hooks of what is stopped are asked there, also when their pod is gone. */
export function withPodAddresses(observed: readonly ObservedContainer[]): readonly ObservedContainer[] {
  const ips = new Map<string, string>()
  for (const { podUid, ip } of observed) if (ip !== null) ips.set(podUid, ip)
  return observed.map((one) => {
    const shared = one.preStop !== undefined && one.state === 'running' && one.ip === null ? ips.get(one.podUid) : undefined
    return shared === undefined ? one : { ...one, ip: shared }
  })
}
