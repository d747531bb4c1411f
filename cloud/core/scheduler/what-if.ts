/** The smallest changes that would make a pod fit, each tried by a dry run of all rules before it is told. */
import { compareText } from '../meta.ts'
import type { Pod } from '../../resources/pod.ts'
import type { NodeRefusal, Refusal } from './explain.ts'
import type { NodeInfo, PodInfo, Profile } from './framework.ts'
import { podInfo } from './pod-info.ts'
import { faultsOn, worldTests } from './verdict.ts'
import { changeFor } from './what-if-changes.ts'
import type { Change } from './what-if-changes.ts'
import type { World } from './world.ts'

export interface Suggestion {
  readonly node: string
  /** all of them together are enough, and none can be left out */
  readonly changes: readonly string[]
}

/** Devices that are tried: those with the fewest reasons. */
const TRIED = 16
const TOLD = 3
/** A change may show the next reason; more rounds than this is no small change. */
const ROUNDS = 3

/** Up to three ways, fewest changes first. `only` looks at one device. The world is as before afterwards. */
export function whatIf(profile: Profile, pod: PodInfo, world: World, refusal: Refusal, only: string | null): readonly Suggestion[] {
  const nearest = refusal.nodes
    .filter((one) => only === null || one.node === only)
    .toSorted((a, b) => a.reasons.length - b.reasons.length || compareText(a.node, b.node))
    .slice(0, TRIED)
  const found = nearest.flatMap((one) => tryOn(profile, pod, world, one) ?? [])
  const said = new Set<string>()
  return found
    .toSorted((a, b) => a.changes.length - b.changes.length || compareText(a.node, b.node))
    .filter(({ changes }) => !said.has(changes.join('\n')) && said.add(changes.join('\n')))
    .slice(0, TOLD)
}

function tryOn(profile: Profile, info: PodInfo, world: World, refused: NodeRefusal): Suggestion | null {
  const node = world.get(refused.node)
  if (node === undefined) return null
  const changes: Change[] = []
  for (let round = 0, faults = refused.reasons; faults.length > 0; round += 1) {
    if (round === ROUNDS) return null
    for (const { cause } of faults) {
      const applied = applyAll(info.pod, node, changes)
      const change = changeFor(cause, podInfo(applied.pod), applied.node)
      if (change === null || changes.some(({ what }) => what === change.what)) return null
      changes.push(change)
    }
    faults = dryRun(profile, info.pod, node, world, changes)
  }
  for (const change of Array.from(changes)) {
    const without = changes.filter((other) => other !== change)
    if (without.length > 0 && dryRun(profile, info.pod, node, world, without).length === 0) changes.splice(changes.indexOf(change), 1)
  }
  return { node: node.name, changes: changes.map(({ what }) => what) }
}

function dryRun(profile: Profile, pod: Pod, node: NodeInfo, world: World, changes: readonly Change[]): NodeRefusal['reasons'] {
  const applied = applyAll(pod, node, changes)
  const info = podInfo(applied.pod)
  return world.supposing([applied.node], () => faultsOn(profile, info, worldTests(profile, info, world), applied.node))
}

function applyAll(pod: Pod, node: NodeInfo, changes: readonly Change[]): { readonly pod: Pod; readonly node: NodeInfo } {
  return changes.reduce((now, change) => ({ pod: change.pod?.(now.pod) ?? now.pod, node: change.node?.(now.node) ?? now.node }), { pod, node })
}
