/** Could the device's kubelet-like policy align this pod? NodeResourceTopologyMatch's filter: only single-numa-node refuses. */
import { podAmounts } from './device-hints.ts'
import type { NumaPolicy, NumaScope } from './topology-policy.ts'
import { isNative, subtractFromZones, usableZones, zoneSuffices } from './zone.ts'
import type { Qos, Zone, ZoneAmounts, ZonePod } from './zone.ts'

export interface ZonedNode {
  readonly policy: NumaPolicy
  readonly scope: NumaScope
  readonly zones: readonly Zone[]
  /** of the whole device: what is missing here can never be had */
  readonly allocatable: ZoneAmounts
}

/** null = it can be aligned, else what cannot. */
export type Misfit = 'cannot align pod' | 'cannot align container' | 'cannot align init container' | null

export function zoneMisfit(node: ZonedNode, pod: ZonePod): Misfit {
  if (node.policy !== 'single-numa-node') return null
  if (pod.qos === 'BestEffort' && ![...pod.init, ...pod.app].some((amounts) => Object.keys(amounts).some((name) => !isNative(name)))) return null
  const zones = usableZones(node.zones)
  if (node.scope === 'pod') {
    const fits = lowestZone(zones, podAmounts(pod.init, pod.app), pod.qos, node.allocatable) !== null
    return fits ? null : 'cannot align pod'
  }
  return containerMisfit(zones, node.allocatable, pod)
}

/** Init containers run one after another and give back what they had; app containers add up. */
function containerMisfit(zones: readonly Zone[], allocatable: ZoneAmounts, pod: ZonePod): Misfit {
  for (const amounts of pod.init) if (lowestZone(zones, amounts, pod.qos, allocatable) === null) return 'cannot align init container'
  let left = zones
  for (const amounts of pod.app) {
    const zone = lowestZone(left, amounts, pod.qos, allocatable)
    if (zone === null) return 'cannot align container'
    left = subtractFromZones(left, [zone], amounts)
  }
  return null
}

/** The lowest node id that has everything; null = none has. What no zone knows, but the device has, is near every node. */
function lowestZone(zones: readonly Zone[], asked: ZoneAmounts, qos: Qos, allocatable: ZoneAmounts): number | null {
  let fitting: readonly number[] | null = null
  for (const [resource, amount] of Object.entries(asked)) {
    if (amount === 0) continue
    if (!Object.hasOwn(allocatable, resource)) return null
    const knowing = zones.filter((zone) => Object.hasOwn(zone.available, resource))
    if (knowing.length === 0 && (!isNative(resource) || resource === 'ephemeral-storage')) continue
    const enough = knowing.filter((zone) => zoneSuffices(qos, resource, amount, zone.available[resource] ?? 0)).map((zone) => zone.id)
    fitting = fitting === null ? enough : fitting.filter((id) => enough.includes(id))
    if (fitting.length === 0) return null
  }
  return fitting === null ? 0 : Math.min(...fitting)
}
