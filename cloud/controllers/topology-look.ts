/** Gathers what the picture of a device is drawn from: its inventory, its pods, and where the scheduler would put those that wait. */
import { topologyAnswer } from '../core/topology-answer.ts'
import type { TopologyAnswer } from '../core/topology-answer.ts'
import type { Cluster } from './cluster.ts'
import type { DeviceBook } from './device-book.ts'
import type { SchedulerController } from './scheduler-controller.ts'
import type { TelemetryBook } from './telemetry-book.ts'

export interface TopologyLookDeps {
  readonly cluster: Cluster
  readonly book: DeviceBook
  readonly telemetry: Pick<TelemetryBook, 'samples'>
  readonly scheduler: Pick<SchedulerController, 'planned'>
}

/** null = there is no such device */
export function topologyLook({ cluster, book, telemetry, scheduler }: TopologyLookDeps): (device: string) => TopologyAnswer | null {
  return (device) => {
    const node = cluster.nodes.get(`/${device}`)
    if (node === undefined) return null
    const heard = book.peek(device)
    const pids = new Map<string, number>()
    for (const { pods = {} } of telemetry.samples(device))
      for (const [uid, reading] of Object.entries(pods)) if (reading.pids !== undefined) pids.set(uid, reading.pids)
    return topologyAnswer({
      node,
      inventory: heard?.inventory ?? null,
      pods: cluster.pods.by('node', device),
      report: heard?.report ?? null,
      pidsUsed: pids,
      planned: scheduler.planned(device),
    })
  }
}
