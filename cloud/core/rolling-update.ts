/**
 * One step of a rolling update: sizes only. Never more than replicas + maxSurge pods, never fewer than replicas -
 * maxUnavailable available ones because of us. Unhealthy old pods go first: they cost nothing.
 */
import { resolveAmount } from '../resources/rollout-amount.ts'
import type { Deployment } from '../resources/deployment.ts'
import type { ReplicaSet } from '../resources/replica-set.ts'
import { nameOf } from './meta.ts'

export interface Bounds {
  readonly replicas: number
  readonly maxSurge: number
  readonly maxUnavailable: number
}

export function boundsOf(deployment: Deployment): Bounds {
  const replicas = deployment.spec.replicas ?? 1
  if (deployment.spec.strategy?.type === 'Recreate') return { replicas, maxSurge: 0, maxUnavailable: replicas }
  const rolling = deployment.spec.strategy?.rollingUpdate
  const maxSurge = resolveAmount(rolling?.maxSurge ?? '25%', replicas, 'up')
  const maxUnavailable = resolveAmount(rolling?.maxUnavailable ?? '25%', replicas, 'down')
  // both zero would never move
  return { replicas, maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : Math.min(maxUnavailable, replicas) }
}

export function scaleRolling(target: ReplicaSet | null, old: readonly ReplicaSet[], bounds: Bounds): ReadonlyMap<string, number> {
  const sizes = new Map(old.map((set) => [nameOf(set), size(set)]))
  if (target === null) return sizes
  sizes.set(nameOf(target), grown(target, old, bounds))
  if (sizes.get(nameOf(target)) !== size(target)) return sizes
  return shrunk(target, old, sizes, bounds)
}

function grown(target: ReplicaSet, old: readonly ReplicaSet[], { replicas, maxSurge }: Bounds): number {
  if (size(target) > replicas) return replicas
  // status counts pods that a set has not deleted yet: they still take room on devices
  const total = [...old, target].reduce((sum, set) => sum + Math.max(size(set), set.status?.replicas ?? 0), 0)
  return size(target) + Math.min(Math.max(0, replicas + maxSurge - total), replicas - size(target))
}

function shrunk(target: ReplicaSet, old: readonly ReplicaSet[], before: ReadonlyMap<string, number>, bounds: Bounds): ReadonlyMap<string, number> {
  const sizes = new Map(before)
  const minAvailable = bounds.replicas - bounds.maxUnavailable
  const total = [...old, target].reduce((sum, set) => sum + size(set), 0)
  let removable = total - minAvailable - (size(target) - Math.min(size(target), available(target)))
  if (removable <= 0) return sizes
  for (const set of old) {
    const unhealthy = Math.min(Math.max(0, size(set) - available(set)), removable)
    sizes.set(nameOf(set), size(set) - unhealthy)
    removable -= unhealthy
  }
  // sets that were told to shrink and have not yet done so will lose available pods: count them as lost already
  let spare = [...old, target].reduce((sum, set) => sum + Math.min(available(set), size(set)), 0) - minAvailable
  for (const set of old) {
    if (spare <= 0 || removable <= 0) break
    const step = Math.min(sizes.get(nameOf(set)) ?? 0, spare, removable)
    sizes.set(nameOf(set), (sizes.get(nameOf(set)) ?? 0) - step)
    spare -= step
    removable -= step
  }
  return sizes
}

function size(set: ReplicaSet): number {
  return set.spec.replicas ?? 0
}

function available(set: ReplicaSet): number {
  return set.status?.availableReplicas ?? 0
}
