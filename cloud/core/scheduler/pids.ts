/** Rules of PID limits: what a chain of cgroups allows, what a pod may have of a device, and what is left to give. */

/** Range of a pod-level PID limit, as Kubernetes takes it (KEP-6063): below, ordinary runtimes fail; above, it fences nothing. */
export const POD_PIDS_MIN = 1024
export const POD_PIDS_MAX = 16_384

/** `pids.max` of a cgroup and those above it; null = no file (the root), 'max' = no limit. null = nothing limits. 0 is a limit. */
export function chainPidLimit(chain: readonly (string | null)[]): number | null {
  const limits = chain.filter((text) => text !== null && /^\d+$/.test(text)).map(Number)
  return limits.length === 0 ? null : Math.min(...limits)
}

export type PodPidLimit =
  | { readonly kind: 'limit'; readonly pids: number; readonly capped: boolean }
  /** bounded by all pods' share of the device only */
  | { readonly kind: 'allocatable' }
  | { readonly kind: 'refused'; readonly why: string }

/** The lower of what the device gives each pod (-1 = no such limit) and what the pod asks for. */
export function podPidLimit(deviceDefault: number, asked: number | null): PodPidLimit {
  if (asked !== null && (asked < POD_PIDS_MIN || asked > POD_PIDS_MAX))
    return { kind: 'refused', why: `a pod-level pid limit is ${POD_PIDS_MIN} to ${POD_PIDS_MAX}, got ${asked}` }
  if (deviceDefault < 0) return asked === null ? { kind: 'allocatable' } : { kind: 'limit', pids: asked, capped: false }
  if (asked === null) return { kind: 'limit', pids: deviceDefault, capped: false }
  return { kind: 'limit', pids: Math.min(deviceDefault, asked), capped: asked > deviceDefault }
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
