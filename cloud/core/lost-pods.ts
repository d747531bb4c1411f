/**
 * Pods whose device has been silent for so long that it has stopped them itself (`skerry.dev/disconnect-stop-after`), and what becomes
 * of them when it is back. INVARIANTS
 * - A pod that does not say so is never lost: its device may run it for weeks.
 * - A lost pod is on standby in its document, so that the device does not start it again before the cloud says so; it is taken
 *   back only when nothing that took its place is left.
 */
import { LIMITS } from '../../protocol/limits.ts'
import type { Condition } from '../resources/object.ts'
import type { Pod } from '../resources/pod.ts'
import { DISCONNECT_RETURN_ANNOTATION, DISCONNECT_RETURNS, podPolicy } from '../resources/update-annotations.ts'
import type { DisconnectReturn } from '../resources/update-annotations.ts'
import { annotationOf, conditionOf, controllerOf, isDeleting, withCondition } from './meta.ts'
import { isFinished, isReady } from './pod-state.ts'

/** True: its device was silent for longer than it may run alone. */
export const LOST = 'skerry.dev/Lost'
/** reason while its device is silent */
const SILENT = 'DeviceSilent'
/** reason when its device is heard again and it is not decided yet */
const BACK = 'DeviceBack'

export function isLost(pod: Pod): boolean {
  return conditionOf(pod.status?.conditions, LOST)?.status === 'True'
}

function isBack(pod: Pod): boolean {
  return conditionOf(pod.status?.conditions, LOST)?.reason === BACK
}

/** Only what somebody makes again elsewhere. */
export function isFenced(pod: Pod): boolean {
  return fenceMs(pod) !== null && controllerOf(pod)?.kind === 'ReplicaSet' && !isDeleting(pod) && !isFinished(pod)
}

/** Silence after which this pod is certainly stopped on its device; null = never. */
export function fenceMs(pod: Pod): number | null {
  const seconds = podPolicy(pod.metadata.annotations)?.stopAfterSeconds
  if (seconds === undefined) return null
  const grace = pod.spec.terminationGracePeriodSeconds ?? 30
  // monotonic clocks of cheap boards are off by less than one in a thousand
  return Math.ceil(seconds * 1_001) + grace * 1_000 + LIMITS.disconnectMarginMs.value
}

export function lostPod(pod: Pod, silent: boolean, nowIso: string): Pod {
  const condition: Condition = {
    type: LOST,
    status: 'True',
    reason: silent ? SILENT : BACK,
    message: silent ? 'Its device is silent and has stopped it by itself; another one may take its place.' : 'Its device is back.',
  }
  return withLost(pod, condition, nowIso)
}

export function foundPod(pod: Pod, nowIso: string): Pod {
  return withLost(pod, { type: LOST, status: 'False', reason: 'Returned', message: 'It goes on where it was.' }, nowIso)
}

function withLost(pod: Pod, condition: Condition, nowIso: string): Pod {
  return { ...pod, status: { ...pod.status, conditions: withCondition(pod.status?.conditions ?? [], condition, nowIso) } }
}

export interface ReturnPlan {
  /** come back as soon as there is room; room is made for them */
  readonly winners: readonly Pod[]
  /** are deleted */
  readonly losers: readonly Pod[]
}

/** @param live the pods that are not lost and not on their way out */
export function planReturn(wanted: number, live: readonly Pod[], lost: readonly Pod[]): ReturnPlan {
  const goes = (pod: Pod): boolean => {
    const how = returnOf(pod)
    if (how === 'keep-replacement' || wanted === 0) return true
    if (!isBack(pod)) return false
    // what was stopped has not run the longest
    return how === 'longest-running' || (how === 'best' && live.some(isReady))
  }
  const stay = lost.filter((pod) => !goes(pod))
  const back = stay.filter(isBack)
  return { winners: back.slice(0, wanted), losers: [...lost.filter(goes), ...back.slice(wanted)] }
}

function returnOf(pod: Pod): DisconnectReturn {
  const said = annotationOf(pod, DISCONNECT_RETURN_ANNOTATION)
  return DISCONNECT_RETURNS.find((one) => one === said) ?? 'keep-original'
}
