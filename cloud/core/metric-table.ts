/**
 * Every metric of the cloud, with what bounds its labels. Base units, `_total` for counters, `_info` with the value 1. No label
 * carries a device: what one device does is asked of the device, or of the API.
 */
import type { LabelBound, MetricDefinition } from '../../protocol/exposition.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { ROLLOUT_PHASES } from '../resources/rollout-status.ts'
import { VERDICTS } from '../resources/rollout-verdict.ts'

const WORKLOADS = { max: LIMITS.metricWorkloads.value, why: 'workloads beyond this are counted together as "other"' }
const ROLLOUTS = { max: 20, why: 'rollouts that have not ended; the newest' }
const REASONS = { max: 32, why: 'reasons are fixed words of the code, never input' }
const CODES = { max: 64, why: 'HTTP status codes that the server answers with' }
const QUEUES = { max: 32, why: 'one for each controller' }
const KINDS = { max: 64, why: 'kinds that the API serves, and fixed words for other paths' }
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'other'] as const

/** Seconds. */
const FAST = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5]
const SLOW = [0.001, 0.005, 0.025, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 60]

type Labels = Readonly<Record<string, LabelBound>>
const counter = (help: string, labels: Labels = {}): MetricDefinition => ({ kind: 'counter', help, labels })
const gauge = (help: string, labels: Labels = {}): MetricDefinition => ({ kind: 'gauge', help, labels })
const histogram = (help: string, buckets: readonly number[], labels: Labels = {}): MetricDefinition => ({ kind: 'histogram', help, labels, buckets })

export const DEVICE_STATES = ['ready', 'not-ready', 'silent', 'never-seen'] as const
export const DOCUMENT_STATES = ['acknowledged', 'waiting', 'refused', 'none'] as const
export const INSTANCE_PHASES = ['unplaced', 'starting', 'ready', 'unreachable', 'ending', 'succeeded', 'failed'] as const
const CHANNELS = ['desired', 'cmd', 'status', 'inventory', 'hello', 'presence', 'events', 'telemetry', 'other'] as const

export const METRICS = {
  skerry_build_info: gauge('Versions of this program; always 1.', { version: { max: 1, why: 'its own' }, node: { max: 1, why: 'its own' } }),
  skerry_devices: gauge('Devices by what is known of them.', { state: DEVICE_STATES }),
  skerry_devices_connected: gauge('Devices that are connected to the broker now.'),
  skerry_device_documents: gauge(
    'Desired states by how far they got: acknowledged = the device says that it holds the newest and has reported since.',
    {
      state: DOCUMENT_STATES,
    },
  ),
  skerry_devices_converged: gauge('Devices that run exactly what their document asks for, by their newest report.'),
  skerry_device_messages_total: counter('MQTT messages between cloud and devices.', { direction: ['in', 'out'], type: CHANNELS }),
  skerry_device_message_bytes_total: counter('Payload bytes of those messages.', { direction: ['in', 'out'], type: CHANNELS }),
  skerry_device_messages_refused_total: counter('Messages of devices that were refused.', { reason: REASONS }),
  skerry_broker_connections: gauge('Clients of the embedded broker, the cloud itself included.'),
  skerry_broker_refusals_total: counter('Connections, publishes and subscriptions that the embedded broker refused.', { reason: REASONS }),
  skerry_broker_connected: gauge('1 while the cloud is connected to its broker.'),
  skerry_workload_instances: gauge('Pods by workload and phase.', { namespace: WORKLOADS, workload: WORKLOADS, phase: INSTANCE_PHASES }),
  skerry_workload_instances_wanted: gauge('Pods that a workload should have.', { namespace: WORKLOADS, workload: WORKLOADS }),
  skerry_rollouts: gauge('Rollouts by phase.', { phase: ROLLOUT_PHASES }),
  skerry_rollout_devices: gauge('Devices of a rollout that has not ended, by wave and what is said of them.', {
    namespace: ROLLOUTS,
    rollout: ROLLOUTS,
    wave: { max: LIMITS.rolloutWaves.value + 1, why: 'waves of one rollout, and those who came late' },
    verdict: VERDICTS,
  }),
  skerry_rollout_paused: gauge('1 for each rollout that is paused, and by whom.', { namespace: ROLLOUTS, rollout: ROLLOUTS, by: ['user', 'rule'] }),
  skerry_placement_decisions_total: counter('Decisions of the scheduler.', { result: ['placed', 'refused', 'conflict'] }),
  skerry_placement_rejections_total: counter('Pods that no device took, by the class of the first cause.', { cause_class: REASONS }),
  skerry_placement_duration_seconds: histogram('Time to decide on one pod.', FAST),
  skerry_work_queue_keys: gauge('Keys that wait in a controller.', { queue: QUEUES }),
  skerry_work_duration_seconds: histogram('Time of one pass of a controller over one key.', SLOW, { queue: QUEUES }),
  skerry_work_failures_total: counter('Passes that failed and are tried again.', { queue: QUEUES }),
  skerry_store_writes_total: counter('Writes to the store.', {
    verb: ['create', 'update', 'delete'],
    result: ['done', 'conflict', 'failed'],
    resource: KINDS,
  }),
  skerry_store_write_duration_seconds: histogram('Time until a write was durable.', FAST),
  skerry_store_objects: gauge('Objects in the store that controllers follow.', { resource: KINDS }),
  skerry_store_revision: gauge('Newest revision of the store.'),
  skerry_api_request_duration_seconds: histogram('Time of API requests; watches and live sessions are not counted.', SLOW, {
    route: KINDS,
    method: METHODS,
    code: CODES,
  }),
  skerry_audit_events_total: counter('Acts through the API that the audit log holds, by what was done and how it ended.', {
    verb: { max: 64, why: 'verbs and parts of the API, and actions of rollouts; the rest is "other"' },
    result: ['done', 'refused', 'failed'],
  }),
  skerry_sse_clients: gauge('Consoles that follow changes now.'),
  process_cpu_seconds_total: counter('CPU time of this process.'),
  process_resident_memory_bytes: gauge('Memory of this process.'),
  process_start_time_seconds: gauge('When this process began, since 1970.'),
  process_open_fds: gauge('Open files and sockets of this process.'),
  nodejs_heap_used_bytes: gauge('Memory of JavaScript objects.'),
  nodejs_eventloop_lag_seconds: gauge('How late timers ran since the last scrape.', { quantile: ['0.5', '0.99', '1'] }),
} as const satisfies Readonly<Record<string, MetricDefinition>>

export type MetricName = keyof typeof METRICS
