/** Everything that one device should run, gathered from all kinds that have a say in it. */
import type { DesiredState } from '../../protocol/desired-state.ts'
import type { ConfigLookup } from '../core/configs-beside.ts'
import { buildDesired } from '../core/desired.ts'
import type { DesiredBuild } from '../core/desired.ts'
import type { CronJob } from '../resources/cron-job.ts'
import type { Pod } from '../resources/pod.ts'
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
}

export function desiredOf(
  cluster: Cluster,
  device: string,
  bound: readonly Pod[],
  { published, usageSeconds }: Asked,
): DesiredBuild & { readonly leftOut: readonly CronJob[] } {
  const { schedules, pods, leftOut } = schedulesFor(cluster, device)
  const beside = {
    ...imagesOf(cluster, device, bound, pods),
    ...servicesOf(cluster, device, bound),
    ...telemetryOf(cluster, device, usageSeconds),
    ...(schedules.length === 0 ? {} : { schedules }),
  }
  const lookup: ConfigLookup = (kind, key) => (kind === 'Secret' ? cluster.secrets : cluster.configMaps).get(key)
  return { ...buildDesired(bound, published, beside, lookup, pods), leftOut }
}

function telemetryOf(cluster: Cluster, device: string, usageSeconds: number | null): Pick<DesiredState, 'telemetry'> {
  const node = cluster.nodes.get(`/${device}`)
  const everySeconds = node === undefined ? null : (telemetrySeconds(node) ?? usageSeconds)
  return everySeconds === null ? {} : { telemetry: { everySeconds } }
}
