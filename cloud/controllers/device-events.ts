/** Events that a device kept for us become Kubernetes Events, each once: a message may come twice, and after a gap it goes on. */
import type { DeviceEvents } from '../../protocol/events.ts'
import { uidOf } from '../core/meta.ts'
import type { Cluster } from './cluster.ts'
import type { DeviceView } from './device-book.ts'
import type { EventRecorder } from './event-recorder.ts'

/** Records what is new in this batch. Events about a pod that is gone are told of the device. */
export function recordEvents(deps: { readonly cluster: Cluster; readonly events: EventRecorder }, view: DeviceView, batch: DeviceEvents): void {
  const { cluster, events } = deps
  const seen = view.events?.stream === batch.stream ? view.events.seq : 0
  const node = cluster.nodes.get(`/${view.device}`)
  const pods = cluster.pods.by('node', view.device)
  for (const { seq, event } of batch.events) {
    if (seq <= seen) continue
    const about = (event.pod === undefined ? undefined : pods.find((pod) => uidOf(pod) === event.pod?.uid)) ?? node
    if (about === undefined) continue
    const elsewhere = event.pod !== undefined && about === node ? `${event.pod.namespace}/${event.pod.name}: ` : ''
    const message = `${elsewhere}${event.message} (${event.at} on the device)`
    events.record({ about, type: event.type, reason: event.reason, message, component: view.device })
  }
  const last = batch.events.at(-1)?.seq ?? 0
  if (last > seen || view.events?.stream !== batch.stream) view.events = { stream: batch.stream, seq: Math.max(last, seen) }
}
