/** Rules of PID limits: what a chain of cgroups allows, what a pod may have of a device, and what is left to give. */
import { LIMITS } from './limits.ts'

/** The lowest of a cgroup's limit file and those above it; null = no file (the root), 'max' = no limit. null = nothing limits. 0 is a limit. */
export function lowestLimit(chain: readonly (string | null)[]): number | null {
  const limits = chain.flatMap((text) => (text !== null && /^\d+$/.test(text.trim()) ? [Number(text)] : []))
  // version 1 writes a number near 2^63 where it means that nothing limits
  const counts = limits.filter(Number.isSafeInteger)
  return counts.length === 0 ? null : Math.min(...counts)
}

/** What a device gives each pod. */
export interface PidRule {
  /** what a pod gets that names nothing; null = it is bounded by all pods' share of the device only */
  readonly unsaid: number | null
  /** no pod gets more, whatever it names; null = what it names */
  readonly most: number | null
  readonly least: number
  readonly greatest: number
}

/** The kubelet's (KEP-757, KEP-6063): its podPidsLimit (-1 = none) is default and cap at once. */
export function kubeletPidRule(podPidsLimit: number): PidRule {
  const limit = podPidsLimit < 0 ? null : podPidsLimit
  return { unsaid: limit, most: limit, least: 1024, greatest: 16_384 }
}

/** Ours: the default is a fence against fork bombs. What a pod names is counted when it is placed, so it may be more, or very little. */
export const POD_PID_RULE: PidRule = { unsaid: LIMITS.defaultPidsPerPod.value, most: null, least: 1, greatest: LIMITS.pidsPerPodMax.value }

export type PodPidLimit =
  | { readonly kind: 'limit'; readonly pids: number; readonly capped: boolean }
  | { readonly kind: 'allocatable' }
  | { readonly kind: 'refused'; readonly why: string }

/** @param asked null = the pod names nothing */
export function podPidLimit({ unsaid, most, least, greatest }: PidRule, asked: number | null): PodPidLimit {
  if (asked === null) return unsaid === null ? { kind: 'allocatable' } : { kind: 'limit', pids: unsaid, capped: false }
  if (asked < least || asked > greatest) return { kind: 'refused', why: `a pod's pid limit is ${least} to ${greatest}, got ${asked}` }
  return most === null ? { kind: 'limit', pids: asked, capped: false } : { kind: 'limit', pids: Math.min(most, asked), capped: asked > most }
}

/** The limit of each container of a pod here. A value that admission would refuse gets the default: there is always a fence. */
export function pidsOfPod(asked: number | null): number {
  const limit = podPidLimit(POD_PID_RULE, asked)
  return limit.kind === 'limit' ? limit.pids : LIMITS.defaultPidsPerPod.value
}

export interface PidBudget {
  readonly capacity: number
  readonly kubeReserved: number
  readonly systemReserved: number
  readonly hardEviction: number
}

/** What all pods together may have; never negative. */
export function allocatablePids(budget: PidBudget): number {
  return Math.max(0, budget.capacity - budget.kubeReserved - budget.systemReserved - budget.hardEviction)
}
