/** One pod as a row: where it is, how it stands in one word, and why. */
import { causeAdvice, causeSentence } from '../../protocol/causes.ts'
import type { PodReport } from '../../protocol/status-report.ts'
import { REVISION_APPLIED } from '../core/in-place.ts'
import { annotationOf, conditionOf, controllerOf, isDeleting, keyOf, nameOf, namespaceOf } from '../core/meta.ts'
import { REQUIRED_NODE_ANNOTATION } from '../core/scheduler/pod-info.ts'
import { parseStamp } from '../../protocol/stamp.ts'
import type { KubeObject } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type { ContainerStatus } from '../resources/pod-status.ts'
import { causeView, saidOnly } from './cause-words.ts'
import type { CauseView, PodRow, PodWord } from './view-model.ts'
import { POD_TONES } from './vocabulary.ts'

export interface PodSurroundings {
  /** key of the workload, see `workloadKeyOf` */
  readonly workload: string
  /** what its device reported of it last */
  readonly report: PodReport | null
  /** the device is not heard: nothing about the pod is certain */
  readonly deviceSilent: boolean
}

export function podRow(pod: Pod, around: PodSurroundings): PodRow {
  const container = pod.status?.containerStatuses?.[0]
  const word = wordOf(pod, container, around)
  const why = word === 'running' ? null : causeOf(pod, container, around)
  const done = word === 'stopped' && pod.status?.phase === 'Succeeded'
  const stuck = pod.spec.nodeName !== undefined && why !== null && (word === 'pending' || (CHANGING.has(word) && why.code.startsWith('image.')))
  return {
    key: keyOf(pod),
    namespace: namespaceOf(pod),
    name: nameOf(pod),
    workload: around.workload,
    device: pod.spec.nodeName ?? null,
    word,
    tone: done ? 'ok' : stuck ? 'bad' : POD_TONES[word],
    cause: done ? null : why,
    restarts: (pod.status?.containerStatuses ?? []).reduce((sum, one) => sum + (one.restartCount ?? 0), 0),
    image: pod.spec.containers[0]?.image ?? '',
    startedAtMs: stamp(container?.state?.running?.startedAt),
    createdAtMs: stamp(pod.metadata.creationTimestamp),
  }
}

/** `Deployment/shop/web` of a pod: through its ReplicaSet or Job when there is one; a pod without owner is its own workload. */
export function workloadKeyOf(pod: Pod, middle: (kind: string, namespace: string, name: string) => KubeObject | undefined): string {
  const namespace = namespaceOf(pod)
  const owner = controllerOf(pod)
  if (owner === null) return `Pod/${namespace}/${nameOf(pod)}`
  const between = middle(owner.kind, namespace, owner.name)
  const top = (between === undefined ? null : controllerOf(between)) ?? owner
  return `${top.kind}/${namespace}/${top.name}`
}

/** The device a pod is on, or must go to. */
export function placeOf(pod: Pod): string | null {
  return pod.spec.nodeName ?? annotationOf(pod, REQUIRED_NODE_ANNOTATION) ?? null
}

/** Wall clock ms of an API time, or null. */
export function stamp(text: string | undefined): number | null {
  const at = text === undefined ? Number.NaN : parseStamp(text)
  return Number.isNaN(at) ? null : at
}

const PULL_WORDS = new Set(['ImagePullBackOff', 'ErrImagePull', 'ErrImageNeverPull', 'InvalidImageName'])

function wordOf(pod: Pod, container: ContainerStatus | undefined, around: PodSurroundings): PodWord {
  if (isDeleting(pod)) return 'removing'
  if (pod.spec.nodeName === undefined) return conditionOf(pod.status?.conditions, 'PodScheduled')?.status === 'False' ? 'not-placed' : 'pending'
  const phase = pod.status?.phase
  if (phase === 'Succeeded' || phase === 'Failed') return 'stopped'
  if (around.deviceSilent || phase === 'Unknown') return 'unknown'
  const waiting = container?.state?.waiting?.reason
  if (waiting === 'CrashLoopBackOff') return 'restarting'
  if (waiting === 'Pulling') return 'pulling'
  if (waiting !== undefined && PULL_WORDS.has(waiting)) return 'pending'
  if (container?.state?.running !== undefined) return container.ready === false ? 'unhealthy' : changingWord(pod)
  if (container?.state?.terminated !== undefined) return 'restarting'
  return waiting === 'ContainerCreating' ? 'starting' : 'pending'
}

const CHANGING: ReadonlySet<PodWord> = new Set(['pulling', 'updating'])
const CHANGE_WORDS: Readonly<Record<string, PodWord>> = { Downloading: 'pulling', Held: 'held', RolledBack: 'rolled-back' }

/** It runs, but perhaps the revision before: what keeps the device from the one that is asked for. */
function changingWord(pod: Pod): PodWord {
  const applied = conditionOf(pod.status?.conditions, REVISION_APPLIED)
  return applied?.status === 'False' ? (CHANGE_WORDS[applied.reason ?? ''] ?? 'updating') : 'running'
}

/** The device's own cause first (it has numbers and advice), then what the API object says. */
function causeOf(pod: Pod, container: ContainerStatus | undefined, around: PodSurroundings): CauseView | null {
  if (around.report?.cause !== undefined && !around.deviceSilent) return causeView(around.report.cause)
  const scheduled = conditionOf(pod.status?.conditions, 'PodScheduled')
  if (pod.spec.nodeName === undefined && scheduled?.status === 'False' && scheduled.message !== undefined) {
    const code = scheduled.message === causeSentence({ code: 'placement.no-nodes' }) ? 'placement.no-nodes' : 'placement.none'
    return { ...saidOnly(scheduled.message), code, next: causeAdvice(code).next }
  }
  const ready = conditionOf(pod.status?.conditions, 'Ready')
  const applied = conditionOf(pod.status?.conditions, REVISION_APPLIED)
  const texts = [
    applied?.status === 'False' ? applied.message : undefined,
    around.deviceSilent ? ready?.message : undefined,
    pod.status?.message,
    container?.state?.waiting?.message,
    container?.state?.terminated?.message,
  ]
  const text = texts.find((one) => one !== undefined && one !== '')
  return text === undefined ? null : saidOnly(text)
}
