/** What all rules of a profile say of one pod on one node. */
import type { Cause } from '../../../protocol/causes.ts'
import type { NodeInfo, NodeTest, PodInfo, Profile, Snapshot } from './framework.ts'
import type { World } from './world.ts'

export interface Fault {
  readonly plugin: string
  readonly cause: Cause
}

export interface NamedTest {
  readonly plugin: string
  readonly test: NodeTest
}

/** What the plugins that look across pods say of this pod, as the world is now. */
export function worldTests(profile: Profile, pod: PodInfo, world: World): readonly NamedTest[] {
  const out: NamedTest[] = []
  for (const plugin of profile.worldFilters ?? []) {
    const test = plugin.preFilter(pod, world)
    if (test !== null) out.push({ plugin: plugin.name, test })
  }
  return out
}

/** Do the rules that read only pod and node let it pass? The first refusal ends the look. */
export function passesLocally(profile: Profile, pod: PodInfo, node: NodeInfo): boolean {
  for (const plugin of profile.filters) {
    if (plugin.applies?.(pod) === false) continue
    if (!(plugin.passes?.(pod, node) ?? plugin.filter(pod, node).length === 0)) return false
  }
  return true
}

export function passesTests(tests: readonly NamedTest[], node: NodeInfo): boolean {
  for (const { test } of tests) if (!test.passes(node)) return false
  return true
}

/** Every reason of every rule. */
export function faultsOn(profile: Profile, pod: PodInfo, tests: readonly NamedTest[], node: NodeInfo): readonly Fault[] {
  return [
    ...profile.filters.flatMap((plugin) =>
      plugin.applies?.(pod) === false ? [] : plugin.filter(pod, node).map((cause) => ({ plugin: plugin.name, cause })),
    ),
    ...tests.flatMap(({ plugin, test }) => test.filter(node).map((cause) => ({ plugin, cause }))),
  ]
}

/** The nodes that are worth a look, when a rule can name them; null = all. */
export function namedCandidates(profile: Profile, pod: PodInfo, nodes: Snapshot): readonly NodeInfo[] | null {
  let names: readonly string[] | null = null
  for (const plugin of profile.filters) {
    const narrowed = plugin.preFilter?.(pod, nodes) ?? null
    if (narrowed === null) continue
    const keep: readonly string[] = narrowed
    names = names === null ? [...new Set(keep)].sort() : names.filter((name) => keep.includes(name))
  }
  return names === null ? null : names.map((name) => nodes.get(name)).filter((node) => node !== undefined)
}
