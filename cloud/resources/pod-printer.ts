/** What `kubectl get pods` shows; the status word follows the rules of Kubernetes' own printer. */
import type { PodSpec } from '../../protocol/pod.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, nameCell } from './define.ts'
import { ageOf } from './human-duration.ts'
import { parseStamp } from '../../protocol/stamp.ts'
import type { ContainerState, ContainerStatus, PodStatus } from './pod-status.ts'
import type { Column, KubeObject } from './object.ts'

/** The parts of a pod that are printed. */
interface PrintedPod extends KubeObject {
  readonly spec: PodSpec
  readonly status?: PodStatus
}

export const POD_COLUMNS: readonly Column[] = [
  NAME_COLUMN,
  column('Ready', 'string', 'Containers that are ready, of all containers.'),
  column('Status', 'string', 'Phase of the pod, or why it is not running.'),
  column('Restarts', 'string', 'How often containers of the pod were restarted, and when last.'),
  AGE_COLUMN,
  column('IP', 'string', 'Address of the pod.', { wide: true }),
  column('Node', 'string', 'Device that the pod is bound to.', { wide: true }),
  column('Nominated Node', 'string', 'Device that is being made free for the pod.', { wide: true }),
  column('Readiness Gates', 'string', 'Readiness gates that are true, of all.', { wide: true }),
  // not one of Kubernetes' own: last, so that nobody who counts columns is misled
  column('Not Placed', 'string', 'Why no device was found for the pod.', { wide: true }),
]

export function podCells(pod: PrintedPod, nowMs: number): readonly (string | number | null)[] {
  const containers = pod.status?.containerStatuses ?? []
  const ready = containers.filter((c) => isUp(c)).length
  return [
    nameCell(pod),
    `${ready}/${pod.spec.containers.length}`,
    podStatusWord(pod),
    restartsCell(containers, nowMs),
    ageCell(pod, nowMs),
    orNone(pod.status?.podIPs?.[0]?.ip ?? pod.status?.podIP),
    orNone(pod.spec.nodeName),
    orNone(pod.status?.nominatedNodeName),
    '<none>',
    orNone(whyNotPlaced(pod.status)),
  ]
}

function whyNotPlaced(status: PodStatus | undefined): string | undefined {
  return status?.conditions?.find((condition) => condition.type === 'PodScheduled' && condition.status === 'False')?.message
}

/** The STATUS word: Running, Pending, ContainerCreating, CrashLoopBackOff, Completed, Terminating, … */
export function podStatusWord(pod: PrintedPod): string {
  const status = pod.status
  const phase = status?.phase ?? ''
  if (pod.metadata.deletionTimestamp !== undefined) {
    if (status?.reason === 'NodeLost') return 'Unknown'
    if (phase !== 'Succeeded' && phase !== 'Failed') return 'Terminating'
  }
  const containers = status?.containerStatuses ?? []
  // the first container that has something to say names the pod
  const word = containers.map((c) => stateWord(c.state)).find((w) => w !== null) ?? firstOf(status?.reason, phase)
  // a finished container does not hide others that still run
  return word === 'Completed' && containers.some(isUp) ? (isReady(status) ? 'Running' : 'NotReady') : word
}

function stateWord(state: ContainerState | undefined): string | null {
  if (state?.waiting?.reason !== undefined && state.waiting.reason !== '') return state.waiting.reason
  const ended = state?.terminated
  if (ended === undefined) return null
  if (ended.reason !== undefined && ended.reason !== '') return ended.reason
  return ended.signal !== undefined && ended.signal !== 0 ? `Signal:${ended.signal}` : `ExitCode:${ended.exitCode}`
}

function isUp(container: ContainerStatus): boolean {
  return container.ready === true && container.state?.running !== undefined
}

function isReady(status: PodStatus | undefined): boolean {
  return status?.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') === true
}

function restartsCell(containers: readonly ContainerStatus[], nowMs: number): string {
  const restarts = containers.reduce((sum, container) => sum + (container.restartCount ?? 0), 0)
  const ends = containers.flatMap((container) => container.lastState?.terminated?.finishedAt ?? [])
  const last = ends.toSorted((a, b) => parseStamp(a) - parseStamp(b)).at(-1)
  return restarts === 0 || last === undefined ? String(restarts) : `${restarts} (${ageOf(last, nowMs)} ago)`
}

function firstOf(reason: string | undefined, phase: string): string {
  return reason !== undefined && reason !== '' ? reason : phase
}

function orNone(text: string | undefined): string {
  return text === undefined || text === '' ? '<none>' : text
}
