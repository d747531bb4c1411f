/** What the scheduler writes: a binding, why there is none, and the end of pods that make room. */
import type { Placement } from '../../protocol/desired-state.ts'
import { PLACEMENT_ANNOTATION } from '../core/desired-pod.ts'
import { conditionOf, isDeleting, keyOf, withCondition } from '../core/meta.ts'
import type { PodInfo } from '../core/scheduler/framework.ts'
import type { Preemption } from '../core/scheduler/preempt.ts'
import type { Pod } from '../resources/pod.ts'
import type { ControllerDeps } from './run-controller.ts'

type Writers = Pick<ControllerDeps, 'cluster' | 'events'>

/** The pod as it is once bound. */
export function boundPod(pod: Pod, node: string, placement: Placement, nowIso: string): Pod {
  const { nominatedNodeName: _, ...status } = pod.status ?? {}
  return {
    ...pod,
    metadata: { ...pod.metadata, annotations: { ...pod.metadata.annotations, [PLACEMENT_ANNOTATION]: JSON.stringify(placement) } },
    spec: { ...pod.spec, nodeName: node },
    status: { ...status, conditions: withCondition(status.conditions ?? [], { type: 'PodScheduled', status: 'True' }, nowIso) },
  }
}

/** False when somebody else decided meanwhile: the pod is gone, leaving, bound, or another of its name. */
export async function bindPod({ cluster, events }: Writers, pod: Pod, bound: Pod): Promise<boolean> {
  const node = bound.spec.nodeName ?? ''
  const stored = cluster.pods.get(keyOf(pod)) === pod ? await cluster.replaceSpec(cluster.pods, pod, bound) : null
  if (stored === null && !(await bindAgain(cluster, pod, bound))) return false
  events.record({
    about: pod,
    type: 'Normal',
    reason: 'Scheduled',
    message: `Successfully assigned ${keyOf(pod)} to ${node}`,
    component: 'default-scheduler',
  })
  return true
}

/** Over what was written to the pod since it was read: a condition, a label. */
async function bindAgain(cluster: Writers['cluster'], pod: Pod, bound: Pod): Promise<boolean> {
  const node = bound.spec.nodeName ?? ''
  const placement = bound.metadata.annotations?.[PLACEMENT_ANNOTATION] ?? ''
  const stored = await cluster.change(cluster.pods, keyOf(pod), (current) => {
    if (current.metadata.uid !== pod.metadata.uid || current.spec.nodeName !== undefined || isDeleting(current)) return null
    const next = boundPod(current, node, {}, cluster.nowIso())
    return { ...next, metadata: { ...next.metadata, annotations: { ...next.metadata.annotations, [PLACEMENT_ANNOTATION]: placement } } }
  })
  return stored?.metadata.uid === pod.metadata.uid && stored?.spec.nodeName === node
}

/** Says on the pod why it is not placed, once for each sentence. */
export async function tellRefusal({ cluster, events }: Writers, pod: Pod, sentence: string, reason: string): Promise<void> {
  const before = conditionOf(pod.status?.conditions, 'PodScheduled')
  if (before?.status === 'False' && before.message === sentence) return
  const nowIso = cluster.nowIso()
  const condition = { type: 'PodScheduled', status: 'False', reason, message: sentence }
  await cluster.change(cluster.pods, keyOf(pod), (current) =>
    current.spec.nodeName !== undefined
      ? null
      : { ...current, status: { ...current.status, conditions: withCondition(current.status?.conditions ?? [], condition, nowIso) } },
  )
  events.record({ about: pod, type: 'Warning', reason: 'FailedScheduling', message: sentence, component: 'default-scheduler' })
}

/** Asks the victims to go and notes on the pod where it will run. */
export async function evict({ cluster, events }: Writers, { pod, key }: PodInfo, { node, victims }: Preemption): Promise<void> {
  for (const victim of victims) {
    const message = `Preempted by ${key} (priority ${pod.spec.priority ?? 0} over ${victim.priority}) on ${node}`
    events.record({ about: victim.pod, type: 'Normal', reason: 'Preempted', message, component: 'default-scheduler' })
    const current = cluster.pods.get(victim.key)
    if (current !== undefined && current.metadata.uid === victim.uid) await cluster.remove(cluster.pods, current)
  }
  await cluster.change(cluster.pods, key, (current) =>
    current.spec.nodeName === undefined ? { ...current, status: { ...current.status, nominatedNodeName: node } } : null,
  )
}
