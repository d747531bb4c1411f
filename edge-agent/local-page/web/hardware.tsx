import type { HardwareView, NumaView, WorkloadView } from '../view-model.ts'
import { letterOf } from './workloads.tsx'
import { bytes } from './words.ts'

/** The device as a small map: memory and disks as bars, NUMA nodes as boxes of cpus, and the same in words. */
interface HardwareProps {
  readonly hardware: HardwareView | null
  readonly workloads: readonly WorkloadView[]
}

export function Hardware({ hardware, workloads }: HardwareProps) {
  if (hardware === null) return <p class="muted">Not read yet.</p>
  const { memory } = hardware
  return (
    <>
      {hardware.findings.length === 0 ? null : (
        <ul class="findings">
          {hardware.findings.map((one) => (
            <li key={one}>{one}</li>
          ))}
        </ul>
      )}
      <div class="nodes" role="img" aria-label={spoken(hardware.nodes)}>
        {hardware.nodes.map((node) => (
          <Node key={node.id} node={node} />
        ))}
      </div>
      {memory === null ? null : <Bar label="Memory" used={usedOf(memory)} total={memory.totalBytes} />}
      {hardware.disks.map((disk) => (
        <Bar key={disk.mount} label={disk.mount} used={disk.usedBytes} total={disk.sizeBytes} />
      ))}
      <dl class="facts-list">
        {hardware.facts.map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <details>
        <summary>Topology as a table</summary>
        <NodeTable nodes={hardware.nodes} workloads={workloads} />
      </details>
    </>
  )
}

function Node({ node }: { readonly node: NumaView }) {
  return (
    <div class="node">
      <p class="node-name">
        node {node.id}
        <span>{node.memoryBytes === null ? '' : bytes(node.memoryBytes)}</span>
      </p>
      {node.cpus.length === 0 ? (
        <p class="muted small">{node.cpuList === '' ? 'memory only' : `cpus ${node.cpuList}`}</p>
      ) : (
        <div class="cpus">
          {node.cpus.map((cpu) => (
            <i key={cpu.id} class={`cpu ${cpu.online ? '' : 'off'} ${cpu.workload === null ? '' : `hue${cpu.workload % 6}`}`}>
              {cpu.workload === null ? '' : letterOf(cpu.workload)}
            </i>
          ))}
        </div>
      )}
    </div>
  )
}

function Bar({ label, used, total }: { readonly label: string; readonly used: number | null; readonly total: number }) {
  const share = used === null || total <= 0 ? null : Math.min(100, Math.max(0, Math.round((used / total) * 100)))
  return (
    <div class="bar">
      <span class="bar-label">{label}</span>
      <span class={`track ${share !== null && share >= 90 ? 'full' : ''}`} aria-hidden="true">
        {share === null ? null : <i style={{ width: `${share}%` }} />}
      </span>
      <span class="bar-text">{used === null ? bytes(total) : `${bytes(used)} of ${bytes(total)}, ${share} %`}</span>
    </div>
  )
}

function NodeTable({ nodes, workloads }: { readonly nodes: readonly NumaView[]; readonly workloads: readonly WorkloadView[] }) {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Node</th>
          <th scope="col">CPUs</th>
          <th scope="col">Memory</th>
          <th scope="col">Distance</th>
        </tr>
      </thead>
      <tbody>
        {nodes.map((node) => (
          <tr key={node.id}>
            <th scope="row">{node.id}</th>
            <td>
              {node.cpuList || 'none'}
              {pinned(node, workloads)}
            </td>
            <td>{memoryText(node.memoryBytes)}</td>
            <td>{node.distances || '–'}</td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function pinned(node: NumaView, workloads: readonly WorkloadView[]): string {
  const names = new Set(node.cpus.flatMap((cpu) => (cpu.workload === null ? [] : [workloads[cpu.workload]?.name ?? ''])))
  return names.size === 0 ? '' : ` (pinned: ${[...names].join(', ')})`
}

function usedOf(memory: NonNullable<HardwareView['memory']>): number | null {
  return memory.availableBytes === null ? null : memory.totalBytes - memory.availableBytes
}

function spoken(nodes: readonly NumaView[]): string {
  return nodes.map(({ id, cpuList, memoryBytes }) => `NUMA node ${id}: cpus ${cpuList || 'none'}, memory ${memoryText(memoryBytes)}`).join('; ')
}

function memoryText(value: number | null): string {
  return value === null ? 'not known' : bytes(value)
}
