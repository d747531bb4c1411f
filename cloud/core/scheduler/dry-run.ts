/** Would this pod fit this node in place of one that is there? */
import type { Cause } from '../../../protocol/causes.ts'
import type { Pod } from '../../resources/pod.ts'
import { tellsHardware } from './filters/node-resources-fit.ts'
import type { Profile } from './framework.ts'
import { podInfo } from './pod-info.ts'
import { withoutPod } from './snapshot.ts'
import { faultsOn, worldTests } from './verdict.ts'
import type { World } from './world.ts'

/** A device that is silent or cordoned keeps what it runs, so that neither is a reason against another revision of it. */
const OF_NO_MATTER: ReadonlySet<string> = new Set(['NodeReady', 'NodeUnschedulable'])

/** Why not, or nothing. A node that is not known has no reasons, nor has one that has not told its hardware: it will, in a moment. */
export function refusalsInPlace(profile: Profile, world: World, pod: Pod, node: string, insteadOf: string | null): readonly Cause[] {
  const found = world.get(node)
  if (found === undefined || !tellsHardware(found)) return []
  const info = podInfo(pod)
  const without = insteadOf === null ? found : withoutPod(found, insteadOf)
  const faults = world.supposing([without], () => faultsOn(profile, info, worldTests(profile, info, world), without))
  return faults.filter(({ plugin }) => !OF_NO_MATTER.has(plugin)).map(({ cause }) => cause)
}
