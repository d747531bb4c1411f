/**
 * The CPUs that containers without CPUs of their own run on: all usable ones less those that pods hold for themselves. What
 * the device keeps for itself stays in the pool, as with the kubelet: it is kept from owners only. INVARIANTS
 * - A document that gives CPUs away is acted on only after a look at the engine that began when it was durable (`takesCpus`).
 * - Once a container with CPUs of its own starts, no other container may run on them: its start waits (`ownerWaits`) until
 *   the engine shows every other container elsewhere, and whatever shares is given the pool of that moment right before its
 *   own start (the step's `shares`), because a plan may be half an hour old.
 * - A pod's CPUs leave the pool when its document is durable, and return when it has ended or nothing of it is left, nor on its
 *   way (cpu-starting).
 * - Narrowing and widening replaces nothing: the pool is no part of what a container is made from.
 */
import { formatIdList, parseIdList } from '../../protocol/id-list.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import type { StartingOwner } from './cpu-starting.ts'
import { matchContainers } from './match.ts'
import type { DesiredPod, DesiredState, ObservedContainer } from './model.ts'
import { podHasEnded } from './pod-stage.ts'

export interface PoolInput {
  readonly desired: DesiredState | null
  readonly observed: readonly ObservedContainer[]
  readonly inventory: Inventory | null
  readonly evicted: ReadonlySet<string>
  /** owners whose start may be on the way, see cpu-starting; absent = none */
  readonly starting?: readonly StartingOwner[]
}

export interface CpuPool {
  readonly usable: ReadonlySet<number>
  /** empty when pods hold everything: then nobody is moved */
  readonly shared: ReadonlySet<number>
  /** `shared` in Linux list format */
  readonly cpus: string
}

/** null = nothing is known of the CPUs. */
export function cpuPool({ desired, observed, inventory, evicted, starting = [] }: PoolInput): CpuPool | null {
  if (inventory === null) return null
  const { allowedCpus, onlineCpus } = inventory.topology
  const usable = new Set(ids(allowedCpus ?? onlineCpus))
  const shared = new Set(usable)
  const owners = (desired?.pods ?? []).filter((pod) => pod.placement?.cpus !== undefined)
  const ended = owners.length === 0 ? new Set<string>() : endedOf(owners, observed)
  for (const pod of owners) {
    if (ended.has(pod.uid) || evicted.has(pod.uid)) continue
    for (const cpu of ids(pod.placement?.cpus)) shared.delete(cpu)
  }
  for (const found of observed) if (mayRun(found)) for (const cpu of ids(found.ownCpus)) shared.delete(cpu)
  for (const { cpus } of starting) for (const cpu of ids(cpus)) shared.delete(cpu)
  return { usable, shared, cpus: formatIdList(shared) }
}

/** Where a container that shares is to run before it starts; null = anywhere. */
export function sharedCpusNow(input: PoolInput): string | null {
  const pool = cpuPool(input)
  return pool === null || pool.shared.size === 0 || pool.shared.size === pool.usable.size ? null : pool.cpus
}

/** Does the newer document give a pod CPUs that the older one did not? */
export function takesCpus(newer: DesiredState, older: DesiredState | null): boolean {
  const known = new Map((older?.pods ?? []).map((pod) => [pod.uid, pod.placement?.cpus]))
  return newer.pods.some(({ uid, placement }) => placement?.cpus !== undefined && placement.cpus !== known.get(uid))
}

/** Containers that run on other CPUs than the pool has. `pods` are the desired ones by uid. */
export function misplaced(
  observed: readonly ObservedContainer[],
  pool: CpuPool,
  pods: ReadonlyMap<string, DesiredPod>,
): readonly ObservedContainer[] {
  if (pool.shared.size === 0) return []
  return observed.filter((found) => {
    if (!mayRun(found) || found.cpus === undefined || isOwner(found, pods.get(found.podUid))) return false
    return !sameSet(cpusOf(found.cpus, pool), pool.shared)
  })
}

/**
 * What must leave the pod's CPUs before they are its own: a container of another pod, or another owner whose start may be on the
 * way. null = none, or the engine does not tell.
 */
export function ownerWaits(
  pod: DesiredPod,
  observed: readonly ObservedContainer[],
  pool: CpuPool | null,
  starting: readonly StartingOwner[],
): ObservedContainer | StartingOwner | null {
  const own = new Set(ids(pod.placement?.cpus))
  if (own.size === 0) return null
  const unseen = starting.find(({ podUid, cpus }) => podUid !== pod.uid && ids(cpus).some((cpu) => own.has(cpu)))
  if (unseen !== undefined) return unseen
  const overlaps = ({ cpus }: ObservedContainer): boolean => cpus === '' || ids(cpus).some((cpu) => own.has(cpu))
  return observed.find((found) => found.podUid !== pod.uid && found.cpus !== undefined && mayRun(found) && (pool === null || overlaps(found))) ?? null
}

/** It runs, or its start may be on the way. */
function mayRun({ state }: ObservedContainer): boolean {
  return state === 'running' || state === 'created' || state === 'paused' || state === 'restarting'
}

/** Containers of older agents carry no mark: their pod tells. */
function isOwner(found: ObservedContainer, pod: DesiredPod | undefined): boolean {
  return found.ownCpus !== undefined || (pod?.placement?.cpus !== undefined && found.cpus === pod.placement.cpus)
}

function endedOf(owners: readonly DesiredPod[], observed: readonly ObservedContainer[]): ReadonlySet<string> {
  const { wanted } = matchContainers(owners, observed)
  return new Set(owners.filter(({ uid }) => podHasEnded(wanted.filter(({ pod }) => pod.uid === uid))).map(({ uid }) => uid))
}

function cpusOf(cpus: string, pool: CpuPool): ReadonlySet<number> {
  return cpus === '' ? pool.usable : new Set(ids(cpus))
}

function sameSet(a: ReadonlySet<number>, b: ReadonlySet<number>): boolean {
  return a.size === b.size && [...a].every((one) => b.has(one))
}

function ids(text: string | undefined): readonly number[] {
  return text === undefined ? [] : (parseIdList(text) ?? [])
}
