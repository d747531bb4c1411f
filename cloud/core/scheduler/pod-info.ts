/** What a pod asks for, in numbers. */
import type { PodSpec } from '../../../protocol/pod.ts'
import type { Pod } from '../../resources/pod.ts'
import { annotationOf, isDeleting, keyOf, uidOf } from '../meta.ts'
import type { HostPort, PodInfo, VolumeNode } from './framework.ts'
import { nodeAffinityOf } from './node-affinity.ts'
import { podRequests } from './pod-requests.ts'
import { podTermsOf, spreadOf } from './pod-terms.ts'
import { imageWithTag } from './scores/image-locality.ts'

/** Set by the DaemonSet controller: the one node this pod is for. It is still checked against all rules before it is bound. */
export const REQUIRED_NODE_ANNOTATION = 'skerry.dev/required-node'

export function podInfo(pod: Pod): PodInfo {
  const { spec } = pod
  const labels = pod.metadata.labels ?? {}
  const namespace = pod.metadata.namespace ?? ''
  const requiredNode = spec.nodeName ?? annotationOf(pod, REQUIRED_NODE_ANNOTATION) ?? null
  return {
    pod,
    uid: uidOf(pod),
    key: keyOf(pod),
    namespace,
    labels,
    signature: JSON.stringify([namespace, labels, spec, requiredNode, readable(pod.metadata.annotations)]),
    ...podRequests(spec),
    hostPorts: hostPortsOf(spec),
    images: spec.containers.map((container) => imageWithTag(container.image)),
    tolerations: spec.tolerations ?? [],
    selector: spec.nodeSelector ?? {},
    nodeAffinity: nodeAffinityOf(spec.affinity),
    terms: podTermsOf(spec, { namespace, labels }),
    spread: spreadOf(spec, labels),
    requiredNode,
    priority: spec.priority ?? 0,
    leaving: isDeleting(pod),
  }
}

/** The pod with what is known of its volumes: equal pods with volumes elsewhere are not placed alike. */
export function withVolumes(info: PodInfo, volumeNodes: readonly VolumeNode[]): PodInfo {
  return volumeNodes.length === 0 ? info : { ...info, volumeNodes, signature: `${info.signature}${JSON.stringify(volumeNodes)}` }
}

/** kubectl's own note repeats the whole object with its name: no plugin reads it. */
function readable(annotations: Readonly<Record<string, string>> | undefined): unknown {
  if (annotations === undefined) return null
  const { 'kubectl.kubernetes.io/last-applied-configuration': _, ...rest } = annotations
  return rest
}

function hostPortsOf(spec: PodSpec): readonly HostPort[] {
  const out: HostPort[] = []
  for (const container of spec.containers) {
    for (const port of container.ports ?? []) {
      const host = port.hostPort ?? (spec.hostNetwork === true ? port.containerPort : undefined)
      if (host !== undefined) out.push({ ip: port.hostIP ?? '0.0.0.0', protocol: port.protocol ?? 'TCP', port: host })
    }
  }
  return out
}
