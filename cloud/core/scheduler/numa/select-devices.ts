/**
 * Which devices, once it is known near which nodes? Aligned ones first, then those near other nodes, then those near none in
 * particular. What the plugin of the device prefers is followed where there is a choice and it names usable devices.
 */
import { isNear } from './device-hints.ts'
import type { Device } from './device-hints.ts'
import type { NodeSet } from './node-set.ts'

/** What the device's plugin is asked, and answers: the ids it would rather give. */
export type PreferDevices = (offered: readonly string[], mustInclude: readonly string[], size: number) => readonly string[]

export interface DeviceChoice {
  readonly count: number
  readonly devices: readonly Device[]
  readonly taken: ReadonlySet<string>
  /** what finished init containers held: given first, even though taken */
  readonly reusable: readonly string[]
  /** merged hint; null = any node */
  readonly nodes: NodeSet | null
  readonly prefer: PreferDevices | null
}

/** Exactly `count` ids; null when there are not so many. */
export function selectDevices(choice: DeviceChoice): readonly string[] | null {
  const chosen = new Set(choice.reusable.slice(0, choice.count))
  if (chosen.size === choice.count) return [...chosen]
  const free = choice.devices.filter((device) => !choice.taken.has(device.id) && !chosen.has(device.id))
  if (free.length + chosen.size < choice.count) return null
  const { aligned, unaligned, noAffinity } = groupDevices(free, choice.nodes)
  const take = (ids: readonly string[]): void => {
    for (const id of ids) if (chosen.size < choice.count) chosen.add(id)
  }
  if (choice.count - chosen.size < aligned.length) {
    take(preferred(choice, aligned, chosen))
    take(aligned)
    return [...chosen]
  }
  take(aligned)
  if (chosen.size < choice.count)
    take(
      preferred(
        choice,
        free.map((device) => device.id),
        chosen,
      ),
    )
  take([...unaligned, ...noAffinity])
  return [...chosen]
}

interface DeviceGroups {
  readonly aligned: readonly string[]
  readonly unaligned: readonly string[]
  readonly noAffinity: readonly string[]
}

/** A device near several nodes is aligned when one of them is in the hint. Without a hint none is. */
function groupDevices(devices: readonly Device[], nodes: NodeSet | null): DeviceGroups {
  const ids = (wanted: (device: Device) => boolean): readonly string[] => devices.filter(wanted).map((device) => device.id)
  if (nodes === null) return { aligned: [], unaligned: [], noAffinity: ids(() => true) }
  const somewhere = (device: Device): boolean => device.nodes !== null && device.nodes.length > 0
  return {
    aligned: ids((device) => isNear(device, nodes)),
    unaligned: ids((device) => somewhere(device) && !isNear(device, nodes)),
    noAffinity: ids((device) => !somewhere(device)),
  }
}

/** What the plugin prefers among `free`, bogus ids left out. */
function preferred(choice: DeviceChoice, free: readonly string[], chosen: ReadonlySet<string>): readonly string[] {
  if (choice.prefer === null) return []
  const usable = new Set(free)
  return choice.prefer([...new Set([...free, ...chosen])], [...chosen], choice.count).filter((id) => usable.has(id))
}
