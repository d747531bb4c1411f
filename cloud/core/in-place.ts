/**
 * A pod that gets the new revision of its template in place: same name, same uid, on the same device. The device sees another
 * spec hash for a uid that it knows, and decides itself when it switches. What was placed for the pod stays as it is, so that
 * a template that asks for other hardware makes a new pod instead.
 */
import { sameJson } from '../../protocol/revision.ts'
import type { ContainerSpec } from '../../protocol/pod.ts'
import type { DaemonSet } from '../resources/daemon-set.ts'
import type { Condition } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type { PodTemplate } from '../resources/pod-template.ts'
import { UPDATE_STRATEGY_ANNOTATION } from '../resources/update-annotations.ts'
import { annotationOf, conditionOf, withCondition } from './meta.ts'
import { isAvailable, stampOr } from './pod-state.ts'
import { REVISION_HASH_LABEL } from './pod-template.ts'
import {
  CPU_OPTIONS_ANNOTATION,
  CPU_POLICY_ANNOTATION,
  GPU_MODELS_ANNOTATION,
  NUMA_NODES_MIN_ANNOTATION,
  NUMA_POLICY_ANNOTATION,
} from './scheduler/pod-asks.ts'

/** True: the device runs the revision that the pod asks for. False: why not yet, or not at all. */
export const REVISION_APPLIED = 'skerry.dev/RevisionApplied'

/** The keys that the template gave: what it no longer gives is taken away, what others wrote on the pod stays. */
const TEMPLATE_KEYS_ANNOTATION = 'skerry.dev/template-keys'

export function isInPlace(set: DaemonSet): boolean {
  return annotationOf(set, UPDATE_STRATEGY_ANNOTATION) === 'InPlace'
}

/** True when this pod can take the template's place on its device; else a new pod has to be placed. */
export function canUpdateInPlace(pod: Pod, template: PodTemplate): boolean {
  if (pod.spec.nodeName === undefined) return false
  const { priorityClassName } = template.spec
  if (priorityClassName !== undefined && priorityClassName !== '' && priorityClassName !== pod.spec.priorityClassName) return false
  return sameJson(placedBy(pod.metadata.annotations, pod.spec), placedBy(template.metadata?.annotations, template.spec))
}

const NEW_POD_ANNOTATIONS = [
  CPU_OPTIONS_ANNOTATION,
  CPU_POLICY_ANNOTATION,
  GPU_MODELS_ANNOTATION,
  NUMA_NODES_MIN_ANNOTATION,
  NUMA_POLICY_ANNOTATION,
  // `kubectl rollout restart` wants new containers, and their revision would be the same
  'kubectl.kubernetes.io/restartedAt',
] as const

/** What the scheduler decided the placement by, and what asks for a new pod. */
function placedBy(annotations: Readonly<Record<string, string>> | undefined, spec: PodTemplate['spec']): unknown {
  const asked = ({ resources = {}, ports = [] }: ContainerSpec): unknown => ({
    requests: { ...resources.limits, ...resources.requests },
    limits: resources.limits ?? {},
    ports: ports.flatMap(({ containerPort, hostPort, protocol }) => {
      const port = hostPort ?? (spec.hostNetwork === true ? containerPort : undefined)
      return port === undefined ? [] : [`${port}/${protocol ?? 'TCP'}`]
    }),
  })
  return {
    containers: spec.containers.map(asked),
    init: (spec.initContainers ?? []).map(asked),
    resources: spec.resources ?? {},
    annotations: NEW_POD_ANNOTATIONS.map((key) => annotations?.[key] ?? ''),
  }
}

/** The pod with the template's labels, annotations and spec; the caller gives it its defaults. */
export function updatedInPlace(pod: Pod, template: PodTemplate, hash: string, nowIso: string): Pod {
  const before = keysOf(annotationOf(pod, TEMPLATE_KEYS_ANNOTATION))
  const { nodeName, priority, preemptionPolicy, priorityClassName } = pod.spec
  const applying: Condition = { type: REVISION_APPLIED, status: 'False', reason: 'Updating', message: 'The device was told of the new revision.' }
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      labels: { ...without(pod.metadata.labels, before.labels), ...template.metadata?.labels, [REVISION_HASH_LABEL]: hash },
      annotations: { ...without(pod.metadata.annotations, before.annotations), ...template.metadata?.annotations, ...templateKeys(template) },
    },
    spec: {
      ...template.spec,
      ...(nodeName === undefined ? {} : { nodeName }),
      ...(priority === undefined ? {} : { priority }),
      ...(preemptionPolicy === undefined ? {} : { preemptionPolicy }),
      ...(priorityClassName === undefined ? {} : { priorityClassName }),
    },
    status: { ...pod.status, conditions: withCondition(pod.status?.conditions ?? [], applying, nowIso) },
  }
}

/** What a pod of a set that updates in place carries from its birth on. */
export function templateKeys({ metadata }: PodTemplate): Readonly<Record<string, string>> {
  const keys = { labels: Object.keys(metadata?.labels ?? {}), annotations: Object.keys(metadata?.annotations ?? {}) }
  return { [TEMPLATE_KEYS_ANNOTATION]: JSON.stringify(keys) }
}

/** The device was told and has not switched: the revision before runs on, or it is back to it. */
export function isApplied(pod: Pod): boolean {
  return conditionOf(pod.status?.conditions, REVISION_APPLIED)?.status !== 'False'
}

/** Ready since `minReadySeconds`, with the revision that the pod asks for. */
export function isAvailableAsAsked(pod: Pod, minReadySeconds: number, nowMs: number): boolean {
  if (!isAvailable(pod, minReadySeconds, nowMs)) return false
  return minReadySeconds === 0 ? isApplied(pod) : (appliedForMs(pod, nowMs) ?? -1) >= minReadySeconds * 1000
}

/** How long the revision has been there; null = it is not. Pods that never changed have had it always. */
export function appliedForMs(pod: Pod, nowMs: number): number | null {
  const applied = conditionOf(pod.status?.conditions, REVISION_APPLIED)
  if (applied === null) return Infinity
  return applied.status === 'False' ? null : nowMs - stampOr(applied.lastTransitionTime, 0)
}

function keysOf(text: string | undefined): { readonly labels: readonly string[]; readonly annotations: readonly string[] } {
  const none = { labels: [], annotations: [] }
  if (text === undefined) return none
  try {
    const value = JSON.parse(text) as Partial<Record<'labels' | 'annotations', unknown>> | null
    return { labels: texts(value?.labels), annotations: texts(value?.annotations) }
  } catch {
    return none
  }
}

function texts(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []
}

function without(map: Readonly<Record<string, string>> | undefined, keys: readonly string[]): Readonly<Record<string, string>> {
  return Object.fromEntries(Object.entries(map ?? {}).filter(([key]) => !keys.includes(key)))
}
