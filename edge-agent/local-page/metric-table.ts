/** Every metric of the agent. Pods and containers are labels here: a device has few, and the limits table says how many. */
import type { LabelBound, MetricDefinition } from '../../protocol/exposition.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { PULL_SECONDS } from '../core/image-model.ts'
import type { WorkloadWord } from './view-model.ts'

const ONE = { max: 1, why: 'its own' }
const PODS = { max: LIMITS.podsPerDevice.value, why: 'pods of one device' }
const CONTAINERS = { max: LIMITS.containersPerPod.value, why: 'containers of one pod' }
const GPUS = { max: LIMITS.acceleratorsShown.value, why: 'accelerators of an inventory' }
const NUMA = { max: 64, why: 'NUMA nodes that are read' }
const NAMED = { namespace: PODS, pod: PODS }

export const WORDS: readonly WorkloadWord[] = ['pending', 'pulling', 'starting', 'running', 'restarting', 'stopped', 'removing', 'unknown']

const gauge = (help: string, labels: Readonly<Record<string, LabelBound>> = {}): MetricDefinition => ({ kind: 'gauge', help, labels })
const counter = (help: string, labels: Readonly<Record<string, LabelBound>> = {}): MetricDefinition => ({ kind: 'counter', help, labels })

export const AGENT_METRICS = {
  skerry_agent_info: gauge('Who this is; always 1.', { device: ONE, version: ONE }),
  skerry_agent_cloud_connected: gauge('1 while connected to the cloud.'),
  skerry_agent_cloud_last_contact_timestamp_seconds: gauge('When the cloud was last in contact.'),
  skerry_agent_engine_reachable: gauge('1 while the container engine answers.'),
  skerry_agent_storage_ok: gauge('1 while the state file can be written.'),
  skerry_agent_desired_known: gauge('1 when it is known what should run here.'),
  skerry_agent_desired_generation: gauge('Number of the document that this device follows.'),
  skerry_agent_converged: gauge('1 when everything is as asked for.'),
  skerry_agent_cause_active: gauge('What is not as wanted on this device, by cause; always 1.', {
    code: { max: LIMITS.metricCauses.value, why: 'codes are rows of the table of causes' },
  }),
  skerry_agent_events_waiting: gauge('Events that the cloud does not have yet.'),
  skerry_agent_events_dropped_total: counter('Events given up for space.'),
  skerry_agent_outbox_messages: gauge('Reports and inventories that the broker has not acknowledged.'),
  skerry_agent_link_bytes_total: counter('Bytes over the link.', {
    direction: ['up', 'down'],
    type: { max: 16, why: 'topics of the table' },
  }),
  skerry_agent_memory_bytes: gauge('Memory of the agent itself.'),
  skerry_agent_written_bytes_total: counter('Bytes that the agent wrote to the disk since it started.'),
  skerry_agent_image_pulls: gauge('Images that are being fetched.'),
  skerry_agent_image_pull_duration_seconds: {
    kind: 'histogram',
    help: 'How long attempts to fetch an image took until they ended.',
    labels: { result: ['done', 'failed'] },
    buckets: PULL_SECONDS,
  },
  skerry_agent_overrides: gauge('What people on site decided and is in force, by kind.', { kind: { max: 8, why: 'kinds of the protocol' } }),
  skerry_workload_state: gauge('The word that the page shows for each pod; always 1.', { ...NAMED, state: WORDS }),
  skerry_workload_restarts_total: counter('Restarts of the containers of a pod.', NAMED),
  skerry_container_cpu_seconds_total: counter('CPU time of a container.', { ...NAMED, container: CONTAINERS }),
  skerry_container_memory_bytes: gauge('Working set of a container.', { ...NAMED, container: CONTAINERS }),
  skerry_container_pids: gauge('Processes and threads of a container.', { ...NAMED, container: CONTAINERS }),
  skerry_device_memory_bytes: gauge('Memory of the device.', { kind: ['total', 'used'] }),
  skerry_device_disk_bytes: gauge('Disk that holds images and containers.', { kind: ['total', 'used'] }),
  skerry_numa_memory_bytes: gauge('Memory of a NUMA node; free = not even used as a cache.', { node: NUMA, kind: ['total', 'free'] }),
  skerry_gpu_info: gauge('GPUs and other accelerators; always 1.', { gpu: GPUS, kind: ['gpu', 'integrated-gpu', 'npu', 'tpu', 'mig'], node: NUMA }),
  skerry_gpu_pods: gauge('Pods that were given this accelerator.', { gpu: GPUS }),
  skerry_gpu_utilization_ratio: gauge('Load of an accelerator whose driver tells it in a file, as of the last inventory.', { gpu: GPUS }),
  skerry_gpu_memory_bytes: gauge('Memory of an accelerator; used only where its driver tells it in a file.', { gpu: GPUS, kind: ['total', 'used'] }),
  skerry_gpu_temperature_celsius: gauge('Temperature of an accelerator, as of the last inventory.', { gpu: GPUS }),
  skerry_device_temperature_celsius: gauge('The hottest zone.'),
  process_cpu_seconds_total: counter('CPU time of the agent.'),
  process_resident_memory_bytes: gauge('Memory of the agent.'),
} as const satisfies Readonly<Record<string, MetricDefinition>>

export type AgentMetric = keyof typeof AGENT_METRICS
