/**
 * One pod on every device that fits. Devices that cannot be reached keep what they run and take no part in a rolling
 * update; they are updated when they come back, and never hold up the others.
 */
import { resolveAmount } from '../resources/rollout-amount.ts'
import type { Toleration } from '../../protocol/pod.ts'
import type { DaemonSet } from '../resources/daemon-set.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'
import type { PodTemplate } from '../resources/pod-template.ts'
import { annotationOf, byAge, conditionOf, isControlledBy, isDeleting, nameOf, uidOf } from './meta.ts'
import { isAvailable, isReady } from './pod-state.ts'
import { REVISION_HASH_LABEL, templateHash } from './pod-template.ts'
import { soonest } from './replica-set.ts'
import { tolerates } from './scheduler/filters/tolerations.ts'
import { REQUIRED_NODE_ANNOTATION } from './scheduler/pod-info.ts'

export interface DaemonSetPlan {
  /** names of nodes that get a new pod */
  readonly create: readonly string[]
  readonly remove: readonly Pod[]
  /** controller-revision-hash of new pods */
  readonly hash: string
  readonly status: NonNullable<DaemonSet['status']>
  readonly recheckInMs: number | null
}

export function planDaemonSet(set: DaemonSet, nodes: readonly Node[], pods: readonly Pod[], nowMs: number): DaemonSetPlan {
  const hash = templateHash(set.spec.template)
  const eligible = nodes.filter((node) => isEligible(set.spec.template, node))
  const byNode = podsByNode(pods.filter((pod) => isControlledBy(pod, uidOf(set))))
  const create: string[] = []
  const remove: Pod[] = []
  if (!isDeleting(set)) {
    const wanted = new Set(eligible.map(nameOf))
    for (const [node, list] of byNode) if (!wanted.has(node)) remove.push(...list.filter((pod) => !isDeleting(pod)))
    for (const node of eligible) settle(byNode.get(nameOf(node)) ?? [], nameOf(node), create, remove)
    if (set.spec.updateStrategy?.type !== 'OnDelete') remove.push(...rollingRemovals(set, hash, eligible, byNode, remove, nowMs))
  }
  const minReady = set.spec.minReadySeconds ?? 0
  return {
    create,
    remove,
    hash,
    status: statusOf(set, hash, eligible, byNode, nowMs),
    recheckInMs: soonest([...byNode.values()].flat(), minReady, nowMs),
  }
}

/** One live pod a node: ended ones are replaced, extra ones removed (the oldest stays). A terminating pod still has the place. */
function settle(list: readonly Pod[], node: string, create: string[], remove: Pod[]): void {
  if (list.length === 0) create.push(node)
  const live = list.filter((pod) => !isDeleting(pod)).sort(byAge)
  const ended = live.filter((pod) => pod.status?.phase === 'Failed' || pod.status?.phase === 'Succeeded')
  remove.push(...ended, ...live.filter((pod) => !ended.includes(pod)).slice(1))
}

/** Old pods that may go now. Those that are not available cost nothing; the others wait for room under maxUnavailable. */
function rollingRemovals(
  set: DaemonSet,
  hash: string,
  eligible: readonly Node[],
  byNode: ReadonlyMap<string, readonly Pod[]>,
  going: readonly Pod[],
  nowMs: number,
): readonly Pod[] {
  const reachable = eligible.filter(isReachable)
  const maxUnavailable = Math.max(1, resolveAmount(set.spec.updateStrategy?.rollingUpdate?.maxUnavailable ?? 1, eligible.length, 'up'))
  const minReady = set.spec.minReadySeconds ?? 0
  let unavailable = 0
  const free: Pod[] = []
  const costly: Pod[] = []
  for (const node of reachable) {
    const pod = (byNode.get(nameOf(node)) ?? []).find((candidate) => !isDeleting(candidate) && !going.includes(candidate))
    const available = pod !== undefined && isAvailable(pod, minReady, nowMs)
    if (!available) unavailable += 1
    if (pod === undefined || pod.metadata.labels?.[REVISION_HASH_LABEL] === hash) continue
    if (available) costly.push(pod)
    else free.push(pod)
  }
  return [...free, ...costly.slice(0, Math.max(0, maxUnavailable - unavailable))]
}

/** A node that reports. One that was never heard or is silent does not count against maxUnavailable. */
function isReachable(node: Node): boolean {
  const ready = conditionOf(node.status?.conditions, 'Ready')
  return ready !== null && ready.status !== 'Unknown'
}

/** Node name of a daemon pod: bound, or still pinned by annotation. */
export function daemonNodeOf(pod: Pod): string {
  return pod.spec.nodeName ?? annotationOf(pod, REQUIRED_NODE_ANNOTATION) ?? ''
}

function podsByNode(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const out = new Map<string, Pod[]>()
  for (const pod of pods) {
    const list = out.get(daemonNodeOf(pod)) ?? []
    list.push(pod)
    out.set(daemonNodeOf(pod), list)
  }
  return out
}

/** What every daemon pod puts up with: a device that is not ready, cordoned or short of something still gets its agent. */
const DAEMON_TOLERATIONS: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
]

/** The template as daemon pods get it. */
export function daemonTemplate(template: PodTemplate): PodTemplate {
  const given = template.spec.tolerations ?? []
  const missing = DAEMON_TOLERATIONS.filter((extra) => !given.some((have) => have.key === extra.key && have.effect === extra.effect))
  return { ...template, spec: { ...template.spec, tolerations: [...given, ...missing] } }
}

function isEligible(template: PodTemplate, node: Node): boolean {
  const { nodeName, nodeSelector, tolerations } = daemonTemplate(template).spec
  if (nodeName !== undefined && nodeName !== nameOf(node)) return false
  if (Object.entries(nodeSelector ?? {}).some(([key, value]) => node.metadata.labels?.[key] !== value)) return false
  return (node.spec?.taints ?? []).every((taint) => taint.effect === 'PreferNoSchedule' || tolerates(tolerations ?? [], taint))
}

function statusOf(
  set: DaemonSet,
  hash: string,
  eligible: readonly Node[],
  byNode: ReadonlyMap<string, readonly Pod[]>,
  nowMs: number,
): NonNullable<DaemonSet['status']> {
  const wanted = new Set(eligible.map(nameOf))
  const counts = { scheduled: 0, ready: 0, updated: 0, available: 0, misscheduled: 0 }
  for (const [node, list] of byNode) {
    const live = list.filter((pod) => !isDeleting(pod)).sort(byAge)
    const pod = live[0]
    if (pod === undefined) continue
    if (!wanted.has(node)) {
      counts.misscheduled += 1
      continue
    }
    counts.scheduled += 1
    if (isReady(pod)) counts.ready += 1
    if (isAvailable(pod, set.spec.minReadySeconds ?? 0, nowMs)) counts.available += 1
    if (pod.metadata.labels?.[REVISION_HASH_LABEL] === hash) counts.updated += 1
  }
  return {
    currentNumberScheduled: counts.scheduled,
    numberMisscheduled: counts.misscheduled,
    desiredNumberScheduled: eligible.length,
    numberReady: counts.ready,
    observedGeneration: set.metadata.generation ?? 0,
    updatedNumberScheduled: counts.updated,
    numberAvailable: counts.available,
    numberUnavailable: eligible.length - counts.available,
  }
}
