/** What a device says about a pod, in the words of the Kubernetes API. Nothing is shown ready that was not observed. */
import { causeSentence } from '../../protocol/causes.ts'
import type { ContainerReport, PodReport } from '../../protocol/status-report.ts'
import type { Condition } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import type { ContainerState, ContainerStatus, PodStatus } from '../resources/pod-status.ts'
import { desiredHash } from './desired-pod.ts'
import { REVISION_APPLIED } from './in-place.ts'
import { withCondition } from './meta.ts'

export interface PodNews {
  /** what the device's newest report says of this pod; null = it does not list it yet */
  readonly report: PodReport | null
  readonly hostIP: string | null
  /** why the device is not heard, or null when it is */
  readonly silentWhy: string | null
}

/** The pod's next status. Equal input gives an equal status, so that nothing is written when nothing changed. */
export function podStatus(pod: Pod, news: PodNews, nowIso: string): PodStatus {
  const before = pod.status ?? {}
  const bound: Condition = { type: 'PodScheduled', status: 'True' }
  if (news.silentWhy !== null) {
    const unknown: Condition = { type: 'Ready', status: 'Unknown', reason: 'NodeSilent', message: news.silentWhy }
    return { ...before, conditions: set(before.conditions ?? [], [bound, unknown], nowIso) }
  }
  const { report } = news
  if (report === null) return { ...before, phase: before.phase ?? 'Pending', conditions: set(before.conditions ?? [], [bound], nowIso) }
  const statuses = report.containers.map(containerStatus)
  const { reason: _reason, message: _message, ...kept } = before
  const why = report.cause === undefined ? null : { reason: shortReason(report), message: causeSentence(report.cause) }
  return {
    ...kept,
    phase: report.phase,
    conditions: set(before.conditions ?? [], [...conditionsOf(report, bound), revisionApplied(report, desiredHash(pod))], nowIso),
    containerStatuses: statuses,
    ...(report.initContainers === undefined ? {} : { initContainerStatuses: report.initContainers.map(containerStatus) }),
    startTime: before.startTime ?? nowIso,
    ...(news.hostIP === null ? {} : { hostIP: news.hostIP }),
    ...(report.podIP === undefined ? {} : { podIP: report.podIP, podIPs: [{ ip: report.podIP }] }),
    ...(why === null || report.phase === 'Running' ? {} : why),
  }
}

/** Kubernetes' short reason of an event about this cause. */
export function eventReason(code: string): string {
  if (code === 'container.unhealthy') return 'Unhealthy'
  if (code === 'container.hook.failed') return 'FailedPostStartHook'
  if (code === 'update.rolled-back') return 'RolledBack'
  return code.startsWith('device.pressure.') ? 'Evicted' : 'Blocked'
}

function set(conditions: readonly Condition[], next: readonly Condition[], nowIso: string): readonly Condition[] {
  return next.reduce((list, condition) => withCondition(list, condition, nowIso), conditions)
}

function conditionsOf(report: PodReport, bound: Condition): readonly Condition[] {
  const done = report.phase === 'Succeeded'
  const waiting = report.containers.filter((container) => !container.ready).map((container) => container.name)
  const status = report.ready ? 'True' : 'False'
  const why = report.ready
    ? {}
    : done
      ? { reason: 'PodCompleted' }
      : { reason: 'ContainersNotReady', message: `containers with unready status: [${waiting.join(' ')}]` }
  return [bound, initialized(report), { type: 'ContainersReady', status, ...why }, { type: 'Ready', status, ...why }]
}

/** By what the device runs, not by what it was told: its report may be older than the document. */
function revisionApplied({ specHash, update, containers, cause }: PodReport, wanted: string): Condition {
  if (specHash === wanted && update === undefined) return { type: REVISION_APPLIED, status: 'True' }
  const known = update?.wanted === wanted ? update : undefined
  const reason = known?.reason ?? (containers.some(({ pull }) => pull !== undefined) ? 'Downloading' : 'Updating')
  // one that has no healthy revision to return to fetches without asking its gate: the pod itself says what is wrong then
  const why = known?.cause ?? cause
  const message = why === undefined ? 'The device has not switched to the revision that is asked for.' : causeSentence(why)
  return { type: REVISION_APPLIED, status: 'False', reason, message }
}

/** Init containers ended well, sidecars among them run; the main ones tell it when they have begun. */
function initialized({ initContainers = [], containers }: PodReport): Condition {
  const begun = containers.some(({ startedAt }) => startedAt !== undefined)
  const open = begun ? [] : initContainers.filter(({ state, exitCode }) => state !== 'running' && exitCode !== 0).map(({ name }) => name)
  if (open.length === 0) return { type: 'Initialized', status: 'True' }
  return {
    type: 'Initialized',
    status: 'False',
    reason: 'ContainersNotInitialized',
    message: `containers with incomplete status: [${open.join(' ')}]`,
  }
}

function shortReason(report: PodReport): string {
  return report.reason ?? report.containers.find((container) => container.reason !== undefined)?.reason ?? 'Blocked'
}

function containerStatus(container: ContainerReport): ContainerStatus {
  return {
    name: container.name,
    image: container.image,
    imageID: container.imageId ?? '',
    ...(container.containerId === undefined ? {} : { containerID: `docker://${container.containerId}` }),
    ready: container.ready,
    started: container.started ?? container.state === 'running',
    restartCount: container.restartCount,
    state: stateOf(container),
    ...(container.state !== 'terminated' && container.exitCode !== undefined ? { lastState: { terminated: terminated(container) } } : {}),
  }
}

function stateOf(container: ContainerReport): ContainerState {
  switch (container.state) {
    case 'running':
      return { running: container.startedAt === undefined ? {} : { startedAt: container.startedAt } }
    case 'terminated':
      return { terminated: terminated(container) }
    case 'waiting':
      return {
        waiting: { reason: container.reason ?? 'ContainerCreating', ...(container.message === undefined ? {} : { message: container.message }) },
      }
  }
}

function terminated(container: ContainerReport): NonNullable<ContainerState['terminated']> {
  const code = container.exitCode ?? 0
  // while waiting, `reason` explains the wait and not the exit
  const reason = container.state === 'terminated' ? container.reason : undefined
  return {
    exitCode: code,
    reason: reason ?? (code === 0 ? 'Completed' : 'Error'),
    ...(container.state === 'terminated' && container.message !== undefined ? { message: container.message } : {}),
    ...(container.startedAt === undefined ? {} : { startedAt: container.startedAt }),
    ...(container.finishedAt === undefined ? {} : { finishedAt: container.finishedAt }),
  }
}
