/** Which observed containers belong to which desired ones. O(n): both sides are indexed once. */
import { identityOf, ledgerKey } from './identity.ts'
import { unitsOf } from './pod-units.ts'
import type { Role, Unit } from './pod-units.ts'
import type { ContainerIdentity, ContainerSpec, DesiredPod, ObservedContainer } from './model.ts'

export interface Match {
  readonly pod: DesiredPod
  readonly container: ContainerSpec
  readonly role: Role
  /** of this container; the pod's where it has only one */
  readonly hash: string
  readonly identity: ContainerIdentity
  readonly key: string
  /** the one container that is this; null when there is none (or only one that is being removed) */
  readonly kept: ObservedContainer | null
  /** same identity, being removed by the engine: its name is not free yet */
  readonly leaving: ObservedContainer | null
  /** the same identity again: two containers where one belongs */
  readonly duplicates: readonly ObservedContainer[]
  /** the same container of the same pod, made from another spec */
  readonly older: readonly ObservedContainer[]
}

export interface Matched {
  readonly wanted: readonly Match[]
  /** containers of this device that no desired pod asks for */
  readonly unwanted: readonly ObservedContainer[]
}

/** Pairs both sides. A pod uid that is listed twice counts once: the first wins. */
export function matchContainers(pods: readonly DesiredPod[], observed: readonly ObservedContainer[]): Matched {
  const bySlot = new Map<string, ObservedContainer[]>()
  for (const found of observed) {
    const slot = slotOf(found.podUid, found.containerName)
    const others = bySlot.get(slot)
    if (others === undefined) bySlot.set(slot, [found])
    else others.push(found)
  }
  const wanted: Match[] = []
  const taken = new Set<string>()
  for (const pod of pods) {
    for (const unit of unitsOf(pod)) {
      const slot = slotOf(pod.uid, unit.container.name)
      if (taken.has(slot)) continue
      taken.add(slot)
      wanted.push(matchOne(pod, unit, bySlot.get(slot) ?? []))
    }
  }
  const unwanted = observed.filter((found) => !taken.has(slotOf(found.podUid, found.containerName)))
  return { wanted, unwanted }
}

function matchOne(pod: DesiredPod, { container, role, hash }: Unit, found: readonly ObservedContainer[]): Match {
  const same = found.filter((one) => one.specHash === hash)
  const [kept, ...duplicates] = same.filter((one) => one.state !== 'removing').toSorted(byPreference)
  return {
    pod,
    container,
    role,
    hash,
    identity: identityOf(pod, container.name, hash),
    key: ledgerKey(pod.uid, container.name, hash),
    kept: kept ?? null,
    leaving: same.find((one) => one.state === 'removing') ?? null,
    duplicates,
    older: found.filter((one) => one.specHash !== hash && one.state !== 'removing'),
  }
}

const PREFERENCE: Readonly<Record<ObservedContainer['state'], number>> = {
  running: 0,
  restarting: 1,
  paused: 2,
  exited: 3,
  created: 4,
  dead: 5,
  removing: 6,
}

/** Running first, then the oldest, then by id: two agents looking at the same engine choose the same one. */
function byPreference(a: ObservedContainer, b: ObservedContainer): number {
  return PREFERENCE[a.state] - PREFERENCE[b.state] || compareText(a.startedAt ?? '~', b.startedAt ?? '~') || compareText(a.id, b.id)
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

function slotOf(podUid: string, containerName: string): string {
  return `${podUid}/${containerName}`
}
