/** What each list has in its file: everything that its rows know, one column a fact. */
import type { CsvColumn } from './csv.ts'
import type { DeviceRow, TableName, Tables } from './view-model.ts'

const at = (ms: number | null): string | null => (ms === null ? null : new Date(ms).toISOString())

/** @param labels label keys that get a column of their own */
export function csvColumns(labels: readonly string[]): { readonly [T in TableName]: readonly CsvColumn<Tables[T]>[] } {
  return {
    devices: [...DEVICES, ...labels.map((key) => ({ title: `label ${key}`, cell: (row: DeviceRow) => row.labels[key] ?? null }))],
    workloads: [
      { title: 'kind', cell: (row) => row.kind },
      { title: 'namespace', cell: (row) => row.namespace },
      { title: 'name', cell: (row) => row.name },
      { title: 'state', cell: (row) => row.word },
      { title: 'says', cell: (row) => row.says },
      { title: 'ready', cell: (row) => row.ready },
      { title: 'desired', cell: (row) => row.desired },
      { title: 'not placed', cell: (row) => row.notPlaced },
      { title: 'in trouble', cell: (row) => row.troubled },
      { title: 'image', cell: (row) => row.image },
      { title: 'created', cell: (row) => at(row.createdAtMs) },
    ],
    pods: [
      { title: 'namespace', cell: (row) => row.namespace },
      { title: 'name', cell: (row) => row.name },
      { title: 'workload', cell: (row) => row.workload },
      { title: 'device', cell: (row) => row.device },
      { title: 'state', cell: (row) => row.word },
      { title: 'cause', cell: (row) => row.cause?.code ?? null },
      { title: 'why', cell: (row) => row.cause?.says ?? null },
      { title: 'restarts', cell: (row) => row.restarts },
      { title: 'image', cell: (row) => row.image },
      { title: 'started', cell: (row) => at(row.startedAtMs) },
      { title: 'created', cell: (row) => at(row.createdAtMs) },
    ],
    events: [
      { title: 'last', cell: (row) => at(row.atMs) },
      { title: 'type', cell: (row) => (row.warning ? 'warning' : 'normal') },
      { title: 'reason', cell: (row) => row.reason },
      { title: 'about', cell: (row) => row.about },
      { title: 'message', cell: (row) => row.message },
      { title: 'by', cell: (row) => row.by },
      { title: 'count', cell: (row) => row.count },
    ],
    rollouts: [
      { title: 'namespace', cell: (row) => row.namespace },
      { title: 'name', cell: (row) => row.name },
      { title: 'state', cell: (row) => row.word },
      { title: 'says', cell: (row) => row.says },
      { title: 'changes', cell: (row) => row.summary.join('; ') },
      { title: 'members', cell: (row) => row.counts.members },
      { title: 'done', cell: (row) => row.counts['done'] ?? 0 },
      { title: 'failed', cell: (row) => (row.counts['failed'] ?? 0) + (row.counts['rolledBackByDevice'] ?? 0) },
      { title: 'offline', cell: (row) => row.counts['offline'] ?? 0 },
      { title: 'created', cell: (row) => at(row.createdAtMs) },
    ],
    audit: [
      { title: 'at', cell: (row) => at(row.atMs) },
      { title: 'who', cell: (row) => row.who },
      { title: 'verb', cell: (row) => row.verb },
      { title: 'about', cell: (row) => row.about },
      { title: 'status', cell: (row) => row.status },
      { title: 'reason', cell: (row) => row.reason },
    ],
  }
}

const DEVICES: readonly CsvColumn<DeviceRow>[] = [
  { title: 'device', cell: (row) => row.name },
  { title: 'state', cell: (row) => row.standing },
  { title: 'cause', cell: (row) => causesOf(row)[0]?.code ?? null },
  { title: 'why', cell: (row) => causesOf(row)[0]?.says ?? null },
  { title: 'last heard', cell: (row) => at(row.heardAtMs) },
  { title: 'cordoned', cell: (row) => String(row.cordoned) },
  { title: 'held on site', cell: (row) => row.held },
  { title: 'agent', cell: (row) => row.agent },
  { title: 'processor', cell: (row) => row.arch },
  { title: 'system', cell: (row) => row.os },
  { title: 'kernel', cell: (row) => row.kernel },
  { title: 'engine', cell: (row) => row.engine },
  { title: 'address', cell: (row) => row.address },
  { title: 'CPU asked', cell: (row) => row.asked.cpuMilli / 1000 },
  { title: 'CPU', cell: (row) => (row.capacity === null ? null : row.capacity.cpuMilli / 1000) },
  { title: 'memory bytes asked', cell: (row) => row.asked.memoryBytes },
  { title: 'memory bytes', cell: (row) => row.capacity?.memoryBytes ?? null },
  { title: 'pods', cell: (row) => row.asked.pods },
]

function causesOf(row: DeviceRow): DeviceRow['causes'] {
  return [...row.podCauses, ...row.causes]
}
