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
    ...topology.numaNodes.map(
      (node, row) =>
        [
          `node ${node.id}`,
          [
            node.cpus === '' ? 'no cpus' : `cpus ${node.cpus}`,
            bytes(node.memoryBytes),
            `distances ${topology.distances?.[row]?.join(' ') ?? '?'}`,
          ].join(', '),
          source('topology.numaNodes'),
        ] as const,
    ),
    ['memory', memory === undefined ? '?' : `${bytes(memory.totalBytes)}, ${bytes(memory.availableBytes)} available`, source('memory.totalBytes')],
    ['pids', pids === undefined ? '?' : `${pids.capacity}, ${pids.used ?? '?'} used`, pids?.limitedBy ?? ''],
    ...hardwareRows(inventory),
    ...(inventory.fileSystems ?? []).map(
      (one) => [`disk ${one.mount}`, `${bytes(one.sizeBytes)}, ${bytes(one.usedBytes)} used`, one.type ?? ''] as const,
    ),
    ...Object.entries(inventory.allocatable).map(([name, amount]) => [`for pods: ${name}`, amountOf(name, amount), ''] as const),
    ...(inventory.findings ?? []).map((finding) => ['finding', finding.what, finding.source ?? ''] as const),
  ]
  return table(rows.filter(([, value]) => value !== ''))
}

type Row = readonly [string, string, string]

/** What sits beside the CPUs. */
function hardwareRows({ topology, disks = [], network = [], peripherals = [], labels, sources = {} }: Inventory): readonly Row[] {
  const words = (...parts: readonly (string | undefined)[]): string => parts.filter((part) => part !== undefined && part !== '').join(', ')
  const node = (numaNode: number | undefined): string => (numaNode === undefined ? '' : `node ${numaNode}`)
  const bare = (topology.pciGpus ?? []).filter((card) => !(topology.accelerators ?? []).some((one) => one.address === card.address))
  return [
    ['profile', labels?.['skerry.dev/profile'] ?? '', sources['labels.skerry.dev/profile'] ?? ''],
    ...(topology.coreKinds ?? []).map((kind): Row => [`${kind.kind} cores`, `cpus ${kind.cpus}`, sources['topology.coreKinds'] ?? '']),
    ...(topology.accelerators ?? []).map((one): Row => {
      const memory = one.memoryBytes === undefined ? (one.sharesSystemMemory === true ? 'shares system memory' : '') : humanBytes(one.memoryBytes)
      return [one.kind, words(one.model ?? one.vendor, one.id, node(one.numaNode), memory, one.driver ?? 'no driver'), one.resource ?? 'not usable']
    }),
    ...bare.map((card): Row => [
      'display',
      words(`${card.address} ${card.vendor ?? '?'}:${card.device ?? '?'}`, node(card.numaNode)),
      card.driver ?? '',
    ]),
    ...(topology.pciNics ?? []).map((card): Row => [
      'network card',
      words(`${card.address} ${card.vendor ?? '?'}:${card.device ?? '?'}`, node(card.numaNode)),
      card.driver ?? '',
    ]),
    ...network.map((one): Row => {
      const speed = one.speedMbps === undefined ? '' : `${one.speedMbps} Mbit/s`
      return [`network ${one.name}`, words(one.class, one.up === undefined ? '' : one.up ? 'up' : 'down', speed), one.driver ?? '']
    }),
    ...disks.map((one): Row => {
      const wear = one.lifeUsedPercent === undefined ? '' : `up to ${one.lifeUsedPercent} % of its life used`
      return [`disk ${one.name}`, words(one.kind, one.model, one.sizeBytes === undefined ? '' : humanBytes(one.sizeBytes), wear), one.endOfLife ?? '']
    }),
    ...peripherals.map((one): Row => [one.kind, words(one.file, one.name), `skerry.dev/${one.kind}`]),
  ]
}

function table(rows: readonly (readonly [string, string, string])[]): string {
  const first = Math.max(...rows.map(([name]) => name.length))
  const second = Math.min(72, Math.max(...rows.map(([, value]) => value.length)))
  return rows.map(([name, value, from]) => `${name.padEnd(first)}  ${value.padEnd(second)}  ${from}`.trimEnd()).join('\n')
}

function amountOf(name: string, amount: number): string {
  if (name === 'cpu') return formatMilli(amount)
  return name === 'memory' || name === 'ephemeral-storage' || name.startsWith('hugepages-') ? humanBytes(amount) : String(amount)
}

function bytes(value: number | undefined): string {
  return value === undefined ? '?' : humanBytes(value)
}
