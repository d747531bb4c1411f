/**
 * What a device says against a placement that the scheduler decided: its own inventory contradicts it. Such a pod would wait
 * there for ever. One that somebody makes anew is given up, so that the next one goes elsewhere; a bare pod, and one of which
 * anything exists on the device already, stays with the device's sentence.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause, CauseCode } from '../../protocol/causes.ts'
import type { PodReport } from '../../protocol/status-report.ts'
import type { Pod } from '../resources/pod.ts'
import { desiredHash } from './desired-pod.ts'
import { controllerOf, isDeleting } from './meta.ts'
import { isFinished } from './pod-state.ts'

const CONTRADICTIONS = [
  'placement.cpu.absent',
  'placement.cpu.none-left',
  'placement.memory-node.absent',
  'placement.gpu.absent',
  'placement.pids.short',
] as const satisfies readonly CauseCode[]

/** Why this pod is to be made anew elsewhere, or null. */
export function refusedPlacement(pod: Pod, report: PodReport | null): Cause | null {
  const why = report?.cause
  if (report === null || why === undefined || !isContradiction(why.code)) return null
  if (isDeleting(pod) || isFinished(pod) || controllerOf(pod) === null) return null
  // an older report may speak of a placement that is gone
  if (report.specHash !== desiredHash(pod)) return null
  const exists = [...report.containers, ...(report.initContainers ?? [])].some(
    ({ state, containerId }) => state !== 'waiting' || containerId !== undefined,
  )
  return exists ? null : cause(why.code, why.facts ?? {})
}

function isContradiction(code: string): code is (typeof CONTRADICTIONS)[number] {
  return CONTRADICTIONS.some((one) => one === code)
}
