/** What can be seen of this cloud from outside: its metrics and whether it is ready, joined from the parts that know. */
import type { Console } from './console/server.ts'
import type { Controllers } from './controllers/start-controllers.ts'
import type { HealthPart } from './apiserver/health.ts'
import type { Sample } from '../protocol/exposition.ts'
import type { Metrics } from './metrics/metrics.ts'
import { collectProcessFacts } from './metrics/process-facts.ts'
import type { EmbeddedBroker } from './mqtt/embedded-broker.ts'
import type { AuditLog, Clock, DeviceLink, Store } from './ports.ts'

export interface Observed {
  readonly store: Store
  readonly link: DeviceLink
  /** null = an outside broker */
  readonly broker: EmbeddedBroker | null
  readonly controllers: Pick<Controllers, 'figures'>
  readonly console: Pick<Console, 'clients'> | null
  readonly clock: Clock
  readonly version: string
  readonly audit: Pick<AuditLog, 'onRecord'>
}

/** The result ends what was begun here. */
export function observe(metrics: Metrics, { store, link, broker, controllers, console, clock, version, audit }: Observed): () => void {
  const stop = collectProcessFacts(metrics, () => clock.nowMs(), version)
  let revision = 0
  const unwatch = store.watch(null, null, {
    onChange: ({ object }) => {
      revision = object.revision
    },
    onExpired: () => undefined,
  })
  void store.revision().then((now) => {
    revision = Math.max(revision, now)
  }, ignore)
  audit.onRecord(({ verb, status }) => {
    const result = status < 400 ? 'done' : status < 500 ? 'refused' : 'failed'
    metrics.count('skerry_audit_events_total', { verb: /^[a-z]+( [a-z]+)?$/.test(verb) ? verb : 'other', result })
  })
  metrics.collect(() => controllers.figures())
  metrics.collect(() => ({
    skerry_broker_connected: one(link.isConnected() ? 1 : 0),
    skerry_device_messages_refused_total: byReason(link.refusals()),
    skerry_sse_clients: one(console?.clients() ?? 0),
    skerry_store_revision: one(revision),
    ...(broker === null ? {} : { skerry_broker_connections: one(broker.connections()), skerry_broker_refusals_total: byReason(broker.refusals()) }),
  }))
  return () => {
    stop()
    unwatch()
  }
}

/** Parts of the answer to /readyz. The store has answered when this process began to serve, and ends it when it cannot write. */
export function readiness(link: Pick<DeviceLink, 'isConnected'>, isStopping: () => boolean): readonly HealthPart[] {
  const connected = link.isConnected()
  return [
    { name: 'controllers', ok: !isStopping(), says: 'this process is stopping' },
    { name: 'broker', ok: connected, says: 'no connection to the broker: devices are not heard and not told' },
  ]
}

function one(value: number): readonly Sample[] {
  return [{ labels: {}, value }]
}

function byReason(counts: Readonly<Record<string, number>>): readonly Sample[] {
  return Object.entries(counts).map(([reason, value]) => ({ labels: { reason }, value }))
}

function ignore(): void {}
