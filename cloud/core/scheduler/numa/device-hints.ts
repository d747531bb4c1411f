/** On which nodes could a container have its devices, and which does it get? The kubelet's device manager. */
import type { ResourceHints } from './hints.ts'
import { hintsOver } from './hints.ts'
import type { NodeSet } from './node-set.ts'

export interface Device {
  readonly id: string
  /** node ids it is next to; null = not known, or none in particular */
  readonly nodes: readonly number[] | null
}

export interface DeviceAsk {
  readonly count: number
  readonly devices: readonly Device[]
  /** in use, by whomever */
  readonly taken: ReadonlySet<string>
  /** what this container holds already: hints come from exactly those, and only for the same number */
  readonly held: readonly string[]
  /** devices of its finished init containers: used again first */
  readonly reusable?: readonly string[]
}

/** `nodes`: all node ids of the device. */
export function deviceHints(nodes: readonly number[], ask: DeviceAsk): ResourceHints {
  if (ask.count === 0 || ask.devices.every((device) => device.nodes === null)) return null
  const reusable = new Set(ask.reusable ?? [])
  if (ask.held.length > 0) return ask.held.length === ask.count ? generate(nodes, ask, new Set(ask.held), new Set()) : []
  const free = new Set(ask.devices.filter((device) => !ask.taken.has(device.id)).map((device) => device.id))
  if (new Set([...free, ...reusable]).size < ask.count) return []
  return generate(nodes, ask, free, reusable)
}

/** A device near several nodes counts for each of them. */
export function isNear(device: Device, set: NodeSet): boolean {
  return device.nodes?.some((node) => set.includes(node)) === true
}

function generate(nodes: readonly number[], ask: DeviceAsk, free: ReadonlySet<string>, reusable: ReadonlySet<string>): ResourceHints {
  const again = ask.devices.filter((device) => reusable.has(device.id) && device.nodes !== null)
  const { hints } = hintsOver(nodes, (set) => {
    const near = ask.devices.filter((device) => isNear(device, set))
    const open = near.filter((device) => free.has(device.id) && !reusable.has(device.id)).length
    return {
      couldHold: near.length >= ask.count,
      holds: again.every((device) => isNear(device, set)) && again.length + open >= ask.count,
    }
  })
  return hints
}

/** What a pod asks for of each resource: app containers together, or the largest init container if that is more. */
export function podAmounts(
  init: readonly Readonly<Record<string, number>>[],
  app: readonly Readonly<Record<string, number>>[],
): Readonly<Record<string, number>> {
  const total = new Map<string, number>()
  for (const amounts of app) for (const [name, amount] of Object.entries(amounts)) total.set(name, (total.get(name) ?? 0) + amount)
  for (const amounts of init) for (const [name, amount] of Object.entries(amounts)) total.set(name, Math.max(total.get(name) ?? 0, amount))
  return Object.fromEntries(total)
}
