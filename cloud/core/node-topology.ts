/** The NodeResourceTopology of a device, from its inventory: one zone for each NUMA node that pods can be placed on. */
import type { Inventory, NumaNode, Topology } from '../../protocol/inventory.ts'
import { formatBytes, formatMilli } from '../../protocol/units.ts'
import type { NodeResourceTopology, Zone } from '../resources/node-resource-topology.ts'
import type { Node } from '../resources/node.ts'
import { controllerReference, nameOf } from './meta.ts'
import { placeableTopology } from './placeable-topology.ts'

/**
 * Zones carry what is left after the system's own share, split among them as their memory and CPUs are. Memory of GPUs has
 * no zone; a node without CPUs has one that offers memory only, and says so.
 */
export function nodeTopology(node: Node, told: Inventory): NodeResourceTopology {
  const topology = placeableTopology(told)
  const inventory = { ...told, topology }
  const placeable = topology.numaNodes.flatMap((numa, row) => (numa.gpuMemory === true ? [] : [{ numa, row }]))
  return {
    apiVersion: 'topology.node.k8s.io/v1alpha2',
    kind: 'NodeResourceTopology',
    metadata: { name: nameOf(node), ownerReferences: [controllerReference(node)] },
    attributes: [
      // alignment is what a pod asks for: the device itself demands none
      { name: 'topologyManagerPolicy', value: 'none' },
      { name: 'topologyManagerScope', value: 'pod' },
      { name: 'skerry.dev/numa-source', value: topology.numaSource ?? 'real' },
    ],
    zones: placeable.map(({ numa, row }) => ({
      name: zoneName(numa.id),
      type: 'Node',
      ...costsOf(
        topology,
        row,
        placeable.map((one) => one.row),
      ),
      attributes: attributesOf(numa),
      resources: resourcesOf(numa, inventory),
    })),
  }
}

export function zoneName(id: number): string {
  return `node-${id}`
}

/** The stored object with what the device says now; people's labels and annotations stay. */
export function withTopology(stored: NodeResourceTopology, next: NodeResourceTopology): NodeResourceTopology {
  const metadata = { ...stored.metadata, ownerReferences: next.metadata.ownerReferences ?? [] }
  return { ...stored, metadata, zones: next.zones, attributes: next.attributes ?? [] }
}

function costsOf(topology: Topology, row: number, rows: readonly number[]): Pick<Zone, 'costs'> {
  const distances = topology.distances?.[row]
  if (distances === undefined) return {}
  return { costs: rows.map((other) => ({ name: zoneName(topology.numaNodes[other]?.id ?? 0), value: distances[other] ?? 0 })) }
}

function attributesOf(numa: NumaNode): NonNullable<Zone['attributes']> {
  return [{ name: 'skerry.dev/cpus', value: numa.cpus }, ...(numa.memoryOnly === true ? [{ name: 'skerry.dev/memory-only', value: 'true' }] : [])]
}

function resourcesOf(numa: NumaNode, inventory: Inventory): NonNullable<Zone['resources']> {
  const { topology, capacity, allocatable } = inventory
  const all = idsOf(numa.cpus)
  const allowed = topology.allowedCpus === undefined ? null : new Set(idsOf(topology.allowedCpus))
  const usable = allowed === null ? all : all.filter((cpu) => allowed.has(cpu))
  const huge = Object.entries(numa.hugepages ?? {}).map(([size, pages]) => ({
    name: `hugepages-${formatBytes(Number(size))}`,
    bytes: Number(size) * pages,
  }))
  const hugeBytes = huge.reduce((sum, one) => sum + one.bytes, 0)
  const memory = numa.memoryBytes ?? 0
  const rows: NonNullable<Zone['resources']>[number][] = []
  const add = (name: string, whole: string, left: string): void => void rows.push({ name, capacity: whole, allocatable: left, available: left })
  if (all.length > 0)
    add('cpu', formatMilli(all.length * 1000), formatMilli(Math.floor(usable.length * 1000 * shareLeft(capacity['cpu'], allocatable['cpu']))))
  if (memory > 0) add('memory', kibi(memory), kibi(Math.max(0, Math.floor((memory - hugeBytes) * memoryShare(inventory)))))
  for (const one of huge) add(one.name, formatBytes(one.bytes), formatBytes(one.bytes))
  for (const [name, count] of devicesOf(numa, topology)) add(name, String(count), String(count))
  return rows.toSorted((a, b) => (a.name < b.name ? -1 : 1))
}

/** The part of a resource that the system does not keep for itself. */
function shareLeft(whole: number | undefined, left: number | undefined): number {
  return whole === undefined || whole <= 0 || left === undefined ? 1 : Math.min(1, left / whole)
}

/** Of the ordinary memory of the machine: pages that are set aside are counted apart, not as kept. */
function memoryShare({ memory, capacity, allocatable }: Inventory): number {
  const huge = Object.entries(capacity).reduce((sum, [name, bytes]) => (name.startsWith('hugepages-') ? sum + bytes : sum), 0)
  return shareLeft((memory?.totalBytes ?? capacity['memory'] ?? 0) - huge, allocatable['memory'])
}

/** Only devices that are next to this node: one without a place is in no zone, but in the Node's own capacity. */
function devicesOf(numa: NumaNode, topology: Topology): readonly (readonly [string, number])[] {
  const counts = new Map<string, number>()
  for (const one of topology.accelerators ?? []) {
    if (one.numaNode === numa.id && one.resource !== undefined) counts.set(one.resource, (counts.get(one.resource) ?? 0) + 1)
  }
  return [...counts]
}

function kibi(bytes: number): string {
  return `${Math.floor(bytes / 1024)}Ki`
}

/** far above any kernel's NR_CPUS: a message may say anything */
const HIGHEST_CPU = 65_535

/** Linux list format; what is not a list is empty. */
function idsOf(text: string): readonly number[] {
  const ids: number[] = []
  for (const part of text.split(',')) {
    const match = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part.trim())
    if (match === null) continue
    const last = Math.min(HIGHEST_CPU, Number(match[2] ?? match[1]))
    for (let id = Number(match[1]); id <= last; id += 1) ids.push(id)
  }
  return ids
}
