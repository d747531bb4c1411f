/** Everything that one device should run, gathered from all kinds that have a say in it. */
import type { DesiredState } from '../../protocol/desired-state.ts'
import type { Ahead } from '../core/rollout/ahead.ts'
import type { ConfigLookup } from '../core/configs-beside.ts'
import { buildDesired } from '../core/desired.ts'
import type { DesiredBuild } from '../core/desired.ts'
import type { CronJob } from '../resources/cron-job.ts'
import type { Node } from '../resources/node.ts'
import type { Pod } from '../resources/pod.ts'
import type { EventRecorder } from './event-recorder.ts'
import type { AgentBundles } from '../ports.ts'
import { agentVersionOf } from '../resources/agent-version.ts'
import { linkWish } from '../resources/link-rules.ts'
import type { Cluster } from './cluster.ts'
import { schedulesFor } from './device-schedules.ts'
import { imagesOf } from './image-wishes.ts'
import { servicesOf } from './service-wishes.ts'
import { telemetrySeconds } from '../resources/telemetry-rules.ts'

interface Asked {
  /** uids of the newest document */
  readonly published: readonly string[]
  /** readings wanted of a device that says nothing of its own; null = none */
  readonly usageSeconds: number | null
  readonly agents: AgentBundles
  /** images that rollouts want there before their time */
  readonly ahead: Ahead
}

export function desiredOf(
  cluster: Cluster,
  device: string,
  bound: readonly Pod[],
  { published, usageSeconds, agents, ahead }: Asked,
): DesiredBuild & { readonly leftOut: readonly CronJob[] } {
  const { schedules, pods, leftOut } = schedulesFor(cluster, device)
  const beside = {
    ...imagesOf(cluster, device, bound, pods, ahead),
    ...servicesOf(cluster, device, bound),
    ...telemetryOf(cluster, device, usageSeconds),
    ...linkOf(cluster, device),
    ...(schedules.length === 0 ? {} : { schedules }),
    ...agentOf(cluster, device, agents),
  }
  const lookup: ConfigLookup = (kind, key) => (kind === 'Secret' ? cluster.secrets : cluster.configMaps).get(key)
  return { ...buildDesired(bound, published, beside, lookup, pods), leftOut }
}

/** A version that this cloud does not have is not asked for; the Node says so. */
function agentOf(cluster: Cluster, device: string, agents: AgentBundles): Pick<DesiredState, 'agent'> {
  const version = agentVersionOf(cluster.nodes.get(`/${device}`))
  const agent = version === null ? null : agents.find(version)
  return agent === null ? {} : { agent }
}

function telemetryOf(cluster: Cluster, device: string, usageSeconds: number | null): Pick<DesiredState, 'telemetry'> {
  const node = cluster.nodes.get(`/${device}`)
  const everySeconds = node === undefined ? null : (telemetrySeconds(node) ?? usageSeconds)
  return everySeconds === null ? {} : { telemetry: { everySeconds } }
}

function linkOf(cluster: Cluster, device: string): Pick<DesiredState, 'link'> {
  const node = cluster.nodes.get(`/${device}`)
  const link = node === undefined ? null : linkWish(node)
  return link === null ? {} : { link }
}

/** What a Node itself asks of its device. */
export function wishesOf(node: Node): string {
  return `${telemetrySeconds(node) ?? ''} ${agentVersionOf(node) ?? ''} ${JSON.stringify(linkWish(node))}`
}

/** Says that the agent which a Node asks for is not here. */
export function tellAgent({ cluster, agents, events }: { cluster: Cluster; agents: AgentBundles; events: EventRecorder }, device: string): void {
  const node = cluster.nodes.get(`/${device}`)
  const version = agentVersionOf(node)
  if (node === undefined || version === null || agents.find(version) !== null) return
  const message = `There is no agent ${version} here: put skerry-agent-${version}.cjs into the folder "agents" of the cloud's data.`
  events.record({ about: node, type: 'Warning', reason: 'AgentUnavailable', message, component: 'publisher' })
}
