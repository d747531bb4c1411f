/** The inventory, cut down to what fits a phone: facts in words, and what the picture is drawn from. */
import type { Inventory, Topology } from '../../protocol/inventory.ts'
import { humanBytes } from '../../protocol/units.ts'
import { topologyFacts } from '../../protocol/topology-facts.ts'
import type { PlaceFacts } from '../../protocol/topology-facts.ts'
import type { HardwareView } from './view-model.ts'

/** @param places in the order in which workloads are shown */
export function hardwareView(inventory: Inventory, places: readonly PlaceFacts[]): HardwareView {
  const { topology } = inventory
  return {
    facts: facts(inventory),
    topology: topologyFacts(topology, inventory.allocatable['cpu'] ?? null, places),
    memory:
      inventory.memory === undefined ? null : { totalBytes: inventory.memory.totalBytes, availableBytes: inventory.memory.availableBytes ?? null },
    disks: (inventory.fileSystems ?? []).flatMap((one) =>
      one.sizeBytes === undefined || one.usedBytes === undefined ? [] : [{ mount: one.mount, sizeBytes: one.sizeBytes, usedBytes: one.usedBytes }],
    ),
    findings: (inventory.findings ?? []).map((one) => (one.source === undefined ? one.what : `${one.what} (${one.source})`)),
  }
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
