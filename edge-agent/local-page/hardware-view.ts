/** The inventory, cut down to what fits a phone: facts in words, and NUMA nodes with the cpus that workloads are pinned to. */
import type { Inventory, Topology } from '../../protocol/inventory.ts'
import { humanBytes } from '../../protocol/units.ts'
import { parseCpuList } from './cpu-list.ts'
import type { CpuView, HardwareView, NumaView, WorkloadView } from './view-model.ts'

/** Beyond this a phone shows dust: the list in words stays. */
const DRAWN_CPUS_PER_NODE = 128

/** @param workloads in the order they are shown: cpus point at their index */
export function hardwareView(inventory: Inventory, workloads: readonly WorkloadView[]): HardwareView {
  const { topology } = inventory
  const offline = new Set(parseCpuList(topology.offlineCpus ?? ''))
  const owners = new Map<number, number>()
  workloads.forEach((one, index) => {
    for (const cpu of parseCpuList(one.cpus)) owners.set(cpu, index)
  })
  return {
    facts: facts(inventory),
    nodes: topology.numaNodes.map((node, row) => numaView(node, topology.distances?.[row], topology, { offline, owners })),
    memory:
      inventory.memory === undefined ? null : { totalBytes: inventory.memory.totalBytes, availableBytes: inventory.memory.availableBytes ?? null },
    disks: (inventory.fileSystems ?? []).flatMap((one) =>
      one.sizeBytes === undefined || one.usedBytes === undefined ? [] : [{ mount: one.mount, sizeBytes: one.sizeBytes, usedBytes: one.usedBytes }],
    ),
    findings: (inventory.findings ?? []).map((one) => (one.source === undefined ? one.what : `${one.what} (${one.source})`)),
  }
}

function numaView(
  node: Topology['numaNodes'][number],
  distances: readonly number[] | undefined,
  topology: Topology,
  cpuFacts: { readonly offline: ReadonlySet<number>; readonly owners: ReadonlyMap<number, number> },
): NumaView {
  const ids = parseCpuList(node.cpus)
  const drawn = ids.length > DRAWN_CPUS_PER_NODE ? [] : ids
  const cpus: CpuView[] = drawn.map((id) => ({ id, online: !cpuFacts.offline.has(id), workload: cpuFacts.owners.get(id) ?? null }))
  const others = (distances ?? []).flatMap((distance, index) => {
    const other = topology.numaNodes[index]
    return other === undefined || other.id === node.id ? [] : [`${distance} to node ${other.id}`]
  })
  return { id: node.id, cpuList: node.cpus, cpus, memoryBytes: node.memoryBytes ?? null, distances: others.join(', ') }
}

function facts(inventory: Inventory): readonly (readonly [string, string])[] {
  const { os, topology, pids, engine } = inventory
  const rows: (readonly [string, string | undefined])[] = [
    ['Board', os?.board],
    ['System', [os?.name, os?.arch].filter((part) => part !== undefined).join(', ') || undefined],
    ['Kernel', os?.kernel],
    ['Processor', processor(topology)],
    ['PIDs', pids === undefined ? undefined : [`${pids.used ?? '?'} of ${pids.capacity} in use`, ...said('limited by', pids.limitedBy)].join(', ')],
    ['Engine', engineWords(engine) || undefined],
    ['Memory limit', inventory.memory?.limitBytes === undefined ? undefined : humanBytes(inventory.memory.limitBytes)],
    ['Addresses', addresses(inventory) || undefined],
  ]
  return rows.flatMap(([label, value]) => (value === undefined ? [] : [[label, value] as const]))
}

function engineWords(engine: Inventory['engine']): string {
  return [...said(engine?.name ?? 'docker', engine?.version), ...said('cgroup', engine?.cgroup), ...said('storage', engine?.storageDriver)].join(', ')
}

function addresses(inventory: Inventory): string {
  return (inventory.addresses ?? []).map((one) => (one.interface === undefined ? one.address : `${one.address} (${one.interface})`)).join(', ')
}

function said(label: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [`${label} ${value}`]
}

function processor(topology: Topology): string {
  const parts = [`${topology.threads} threads`]
  if (topology.cores !== undefined) parts.push(`${topology.cores} cores`)
  if (topology.sockets !== undefined && topology.sockets > 1) parts.push(`${topology.sockets} sockets`)
  if (topology.allowedCpus !== undefined && topology.allowedCpus !== topology.onlineCpus) parts.push(`workloads may use ${topology.allowedCpus}`)
  return parts.join(', ')
}
