/**
 * The numbers of the cloud against the truth of the devices, name by name. INVARIANTS: what is compared was true at one moment: the
 * devices are looked at before and after the cloud is asked, and only an answer between two equal looks counts.
 */
import type { ConsoleTab } from './console-tab.ts'
import type { Fleet } from './fleet.ts'
import type { DeviceLook } from './messages.ts'
import { members, rolloutOf } from './rollout.ts'
import type { Member } from './rollout.ts'

export interface Expected {
  /** devices whose cable is pulled */
  readonly away: ReadonlySet<string>
  /** devices on which the new image does not run */
  readonly bad: ReadonlySet<string>
  readonly newImage: string
}

/** Null = everything agrees; otherwise the first thing that does not, in words. */
export async function disagreement(fleet: Fleet, tab: ConsoleTab, expected: Expected): Promise<string | null> {
  const before = await fleet.looks()
  const [list, rollout, metrics] = [await members(fleet), await rolloutOf(fleet), await fleet.api.metrics()]
  const summary = tab.summary()
  const after = await fleet.looks()
  if (truthOf(before) !== truthOf(after)) return 'the devices moved while they were looked at'
  const lists = ofMembers(list, after, expected)
  if (lists !== null) return lists
  const counted = countsOf(list)
  for (const [verdict, count] of Object.entries(rollout.counts))
    if (count !== (verdict === 'members' ? list.length : (counted[verdict] ?? 0)))
      return `status.counts says ${verdict} ${count}, its members say otherwise`
  const silent = metrics.value('skerry_devices', { state: 'silent' })
  if (silent !== expected.away.size) return `metrics say ${silent} silent devices, ${expected.away.size} are away`
  if (summary?.devices !== fleet.names.length) return `the console shows ${summary?.devices} devices of ${fleet.names.length}`
  if (summary.standings.offline !== expected.away.size)
    return `the console shows ${summary.standings.offline} offline, ${expected.away.size} are away`
  const ready = metrics.value('skerry_workload_instances', { workload: 'DaemonSet/app', phase: 'ready' }) ?? 0
  const heard = after.filter(({ name, ready: images }) => !expected.away.has(name) && images.length > 0).length
  return ready === heard ? null : `metrics say ${ready} instances are ready, ${heard} devices that are heard have one`
}

/** Each verdict against what the device itself says it runs. */
function ofMembers(list: readonly Member[], looks: readonly DeviceLook[], { away, bad, newImage }: Expected): string | null {
  const truth = new Map(looks.map((look) => [look.name, look]))
  for (const { node, verdict } of list) {
    const look = truth.get(node)
    const runsNew = look?.ready.includes(newImage) === true
    const failed = verdict === 'failed' || verdict === 'rolledBackByDevice'
    if (look === undefined) return `${node} is a member and no device`
    if (verdict === 'done' && !runsNew) return `${node} counts as done and does not run the new image: ${JSON.stringify(look)}`
    if (runsNew && verdict !== 'done' && verdict !== 'soaking' && !away.has(node)) return `${node} runs the new image and counts as ${verdict}`
    if (failed && !bad.has(node)) return `${node} counts as ${verdict} and nothing is wrong with it`
    if (failed && away.has(node)) return `${node} is only away and counts as ${verdict}`
    if (verdict === 'offline' && !away.has(node)) return `${node} counts as offline and is connected`
  }
  return null
}

function countsOf(list: readonly Member[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {}
  for (const { verdict } of list) counts[verdict] = (counts[verdict] ?? 0) + 1
  return counts
}

function truthOf(looks: readonly DeviceLook[]): string {
  return JSON.stringify(looks.map(({ name, ready, up }) => [name, ready, up]))
}
