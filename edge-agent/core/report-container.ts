/** One container as Kubernetes' clients know it: state, the kubelet's short reasons, restart count, readiness. */
import { causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS, clip } from '../../protocol/limits.ts'
import type { PodPhase } from '../../protocol/pod.ts'
import type { ContainerReport } from '../../protocol/status-report.ts'
import { progressText, reportOfPull } from './image-progress.ts'
import type { Match } from './match.ts'
import type { Now, ObservedContainer, PullProgress } from './model.ts'
import type { LedgerEntry } from './saved-model.ts'
import { restartsAfterExit } from './pod-units.ts'
import { isFinished, waitingCause } from './verdict.ts'

/** A desired container: what is there of it, or why it is not there. */
export function reportOfMatch(match: Match, entry: LedgerEntry | undefined, now: Now, pull?: PullProgress): ContainerReport {
  const shown = match.kept ?? match.older[0] ?? match.leaving
  const waits = entry !== undefined && entry.notBeforeMonoMs !== null && entry.notBeforeMonoMs > now.monoMs
  const restartCount = restartsDone(match, entry)
  if (shown === null) {
    const { name, image } = match.container
    return { name, image, state: 'waiting', ...whyWaiting(entry, waits), ...pulling(pull), restartCount, ready: false }
  }
  // the version before may run while the new image comes
  const base = { ...factsOf(shown), restartCount, ...(match.kept === null && pull !== undefined ? { pull: reportOfPull(pull) } : {}) }
  if (isFinished(match.pod, shown, match.role)) return { ...base, ...terminated(shown), ready: false }
  if (shown.state === 'created') return { ...base, state: 'waiting', ...whyWaiting(entry, waits), ready: false }
  if ((shown.state === 'exited' || shown.state === 'dead') && waits) {
    const why = waitingCause(entry, shown)
    const reason = CRASHES.has(why.code) ? 'CrashLoopBackOff' : waitingReason(why, waits)
    return { ...base, state: 'waiting', reason, ...message(why), ...exit(shown), ready: false }
  }
  return { ...base, ...plainState(shown) }
}

/** An image that comes is no error, whatever the last attempt ended with. */
function pulling(pull: PullProgress | undefined): Partial<Pick<ContainerReport, 'reason' | 'message' | 'pull'>> {
  if (pull === undefined) return {}
  return { pull: reportOfPull(pull), ...(pull.active ? { reason: 'ContainerCreating', message: `pulling the image: ${progressText(pull)}` } : {}) }
}

/** A container that no desired pod asks for. */
export function reportOfUnwanted(found: ObservedContainer): ContainerReport {
  return { ...factsOf(found), restartCount: 0, ...plainState(found) }
}

/** Kubernetes' pod phase, from its containers. */
export function phaseOf(containers: readonly ContainerReport[], restartPolicy: 'Always' | 'OnFailure' | 'Never'): PodPhase {
  if (containers.some(isNew)) return 'Pending'
  if (containers.some((one) => one.state !== 'terminated')) return 'Running'
  if (restartPolicy === 'Always') return 'Running'
  if (containers.every((one) => one.exitCode === 0)) return 'Succeeded'
  return restartPolicy === 'Never' ? 'Failed' : 'Running'
}

function isNew(one: ContainerReport): boolean {
  return one.state === 'waiting' && one.startedAt === undefined
}

const CRASHES: ReadonlySet<string> = new Set(['container.crash-loop', 'container.unhealthy', 'container.hook.failed'])

type Facts = Omit<ContainerReport, 'state' | 'reason' | 'message' | 'restartCount' | 'ready'>
type Shown = Pick<ContainerReport, 'state' | 'ready'> & Partial<Pick<ContainerReport, 'reason' | 'message' | 'exitCode'>>

function factsOf(found: ObservedContainer): Facts {
  return {
    name: found.containerName,
    image: found.image,
    containerId: found.id,
    ...(found.pid === undefined || found.state !== 'running' ? {} : { pid: found.pid }),
    ...(found.imageId === null ? {} : { imageId: found.imageId }),
    ...(found.startedAt === null ? {} : { startedAt: found.startedAt }),
    ...(found.finishedAt === null || found.state === 'running' ? {} : { finishedAt: found.finishedAt }),
  }
}

function plainState(found: ObservedContainer): Shown {
  switch (found.state) {
    case 'running':
      return { state: 'running', ready: true }
    case 'created':
      return { state: 'waiting', reason: 'ContainerCreating', ready: false }
    case 'paused':
      return { state: 'waiting', reason: 'Paused', ready: false }
    case 'restarting':
      return { state: 'waiting', reason: 'Restarting', ready: false }
    case 'removing':
      return { state: 'waiting', reason: 'Terminating', ready: false }
    case 'exited':
    case 'dead':
      return { ...terminated(found), ready: false }
  }
}

function terminated(found: ObservedContainer): Omit<Shown, 'ready'> {
  const reason = found.oomKilled ? 'OOMKilled' : found.exitCode === 0 ? 'Completed' : 'Error'
  return {
    state: 'terminated',
    reason,
    ...exit(found),
    ...(found.error === '' ? {} : { message: clip(found.error, LIMITS.statusMessageText.value) }),
  }
}

function exit(found: ObservedContainer): { readonly exitCode?: number } {
  return found.exitCode === null ? {} : { exitCode: found.exitCode }
}

function whyWaiting(entry: LedgerEntry | undefined, waits: boolean): { readonly reason: string; readonly message?: string } {
  const why = entry?.lastCause
  if (why === null || why === undefined) return { reason: 'ContainerCreating' }
  return { reason: waitingReason(why, waits), ...message(why) }
}

function waitingReason(why: Cause, waits: boolean): string {
  if (why.code === 'image.absent') return 'ErrImageNeverPull'
  if (why.code.startsWith('image.')) return waits ? 'ImagePullBackOff' : 'ErrImagePull'
  if (why.code === 'container.create.failed') return 'CreateContainerError'
  return why.code.startsWith('container.start.') ? 'RunContainerError' : 'ContainerCreating'
}

function message(why: Cause): { readonly message: string } {
  return { message: clip(causeSentence(why), LIMITS.statusMessageText.value) }
}

/** The ledger counts an exit when it is seen; people count the restart when it is done. */
function restartsDone(match: Match, entry: LedgerEntry | undefined): number {
  if (entry === undefined) return 0
  const { kept, pod } = match
  const pending =
    kept !== null && kept.state === 'exited' && kept.finishedAt === entry.countedExit && restartsAfterExit(pod, kept.exitCode, match.role)
  return pending ? Math.max(0, entry.restarts - 1) : entry.restarts
}
