/** The inventory as people read it in a terminal: fact, value, where it was read. */
import type { Inventory } from '../../protocol/inventory.ts'
import { formatMilli, humanBytes } from '../../protocol/units.ts'

export function printInventory(inventory: Inventory): string {
  const { os, topology, memory, pids } = inventory
  const source = (fact: string): string => inventory.sources?.[fact] ?? ''
  const rows: (readonly [string, string, string])[] = [
    ['device', inventory.device, ''],
    ['system', [os?.name, os?.kernel, os?.arch].filter((part) => part !== undefined).join(', '), source('os.name')],
    ['board', os?.board ?? '', ''],
    ['cpus', `${topology.threads} threads, ${topology.cores ?? '?'} cores, ${topology.sockets ?? '?'} sockets`, source('topology.cores')],
    ['online', topology.onlineCpus, source('topology.onlineCpus')],
    ['offline', topology.offlineCpus ?? '', ''],
    ['allowed', topology.allowedCpus ?? '', source('topology.allowedCpus')],
    ...topology.numaNodes.map((node, row) => [
      `node ${node.id}`,
      [node.cpus === '' ? 'no cpus' : `cpus ${node.cpus}`, bytes(node.memoryBytes), `distances ${topology.distances?.[row]?.join(' ') ?? '?'}`].join(', '),
      source('topology.numaNodes'),
    ] as const),
    ['memory', memory === undefined ? '?' : `${bytes(memory.totalBytes)}, ${bytes(memory.availableBytes)} available`, source('memory.totalBytes')],
    ['pids', pids === undefined ? '?' : `${pids.capacity}, ${pids.used ?? '?'} used`, pids?.limitedBy ?? ''],
    ...(inventory.fileSystems ?? []).map((one) => [`disk ${one.mount}`, `${bytes(one.sizeBytes)}, ${bytes(one.usedBytes)} used`, one.type ?? ''] as const),
    ...Object.entries(inventory.allocatable).map(([name, amount]) => [`for pods: ${name}`, amountOf(name, amount), ''] as const),
    ...(inventory.findings ?? []).map((finding) => ['finding', finding.what, finding.source ?? ''] as const),
  ]
  return table(rows.filter(([, value]) => value !== ''))
}

function table(rows: readonly (readonly [string, string, string])[]): string {
  const first = Math.max(...rows.map(([name]) => name.length))
  const second = Math.min(72, Math.max(...rows.map(([, value]) => value.length)))
  return rows.map(([name, value, from]) => `${name.padEnd(first)}  ${value.padEnd(second)}  ${from}`.trimEnd()).join('\n')
}

function amountOf(name: string, amount: number): string {
  if (name === 'cpu') return formatMilli(amount)
  return name === 'memory' || name === 'ephemeral-storage' ? humanBytes(amount) : String(amount)
}

function bytes(value: number | undefined): string {
  return value === undefined ? '?' : humanBytes(value)
}
