/** What a pod asks for, in numbers. */
import { LIMITS } from '../../../protocol/limits.ts'
import type { PodSpec } from '../../../protocol/pod.ts'
import { parseMilli, parseUnits } from '../../../protocol/units.ts'
import type { Pod } from '../../resources/pod.ts'
import { annotationOf, keyOf, uidOf } from '../meta.ts'
import type { Amounts, HostPort, PodInfo } from './framework.ts'

/** Set by the DaemonSet controller: the one node this pod is for. It is still checked against all rules before it is bound. */
export const REQUIRED_NODE_ANNOTATION = 'skerry.dev/required-node'

const SCORING_CPU_MILLI = 100
const SCORING_MEMORY_BYTES = 200 * 1024 * 1024

type Resources = NonNullable<PodSpec['resources']>

export function podInfo(pod: Pod): PodInfo {
  const requests: Record<string, number> = { pods: 1, pids: 0 }
  const scoring: Record<string, number> = { cpu: 0, memory: 0 }
  for (const container of pod.spec.containers) {
    const asked = containerRequests(container.resources)
    for (const [name, amount] of Object.entries(asked)) requests[name] = (requests[name] ?? 0) + amount
    requests['pids'] = (requests['pids'] ?? 0) + (saidPids(pod.spec, container.resources) ?? LIMITS.pidsAskedDefault.value)
    scoring['cpu'] = (scoring['cpu'] ?? 0) + (asked['cpu'] ?? SCORING_CPU_MILLI)
    scoring['memory'] = (scoring['memory'] ?? 0) + (asked['memory'] ?? SCORING_MEMORY_BYTES)
  }
  return {
    pod,
    uid: uidOf(pod),
    key: keyOf(pod),
    requests,
    scoringRequests: scoring,
    hostPorts: hostPortsOf(pod.spec),
    tolerations: pod.spec.tolerations ?? [],
    selector: pod.spec.nodeSelector ?? {},
    requiredNode: pod.spec.nodeName ?? annotationOf(pod, REQUIRED_NODE_ANNOTATION) ?? null,
    priority: pod.spec.priority ?? 0,
  }
}

/**
 * PID limit of each container: what the pod says, else the default. A pod that says nothing counts with less than its limit when it is
 * placed: the default is a fence against fork bombs, not what programs use.
 */
export function containerPids(spec: PodSpec, resources: Resources | undefined): number {
  return saidPids(spec, resources) ?? LIMITS.defaultPidsPerPod.value
}

function saidPids(spec: PodSpec, resources: Resources | undefined): number | null {
  const said = spec.resources?.limits?.['pids'] ?? resources?.limits?.['pids'] ?? resources?.requests?.['pids']
  return said === undefined ? null : parseUnits(said)
}

/** A limit without a request is also the request, as in Kubernetes. pids are counted apart. */
function containerRequests(resources: Resources | undefined): Amounts {
  const out: Record<string, number> = {}
  for (const [name, value] of Object.entries({ ...resources?.limits, ...resources?.requests })) {
    if (name !== 'pids') out[name] = amountOf(name, value)
  }
  return out
}

/** cpu in milli, everything else in whole units; a broken quantity (admission refuses those) counts as nothing. */
export function amountOf(name: string, value: string | number): number {
  return (name === 'cpu' ? parseMilli(value) : parseUnits(value)) ?? 0
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
