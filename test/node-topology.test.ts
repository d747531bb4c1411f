/** A device's inventory as others read it: NUMA zones, hardware labels, amounts and conditions of its Node. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { hardwareLabels } from '../cloud/core/node-labels.ts'
import { newNode, nodeWithNews } from '../cloud/core/node-status.ts'
import { nodeTopology } from '../cloud/core/node-topology.ts'
import { parseTopologyAnnotation, TOPOLOGY_ANNOTATION } from '../cloud/core/scheduler/numa/node-topology.ts'
import { NODE_RESOURCE_TOPOLOGIES } from '../cloud/resources/node-resource-topology.ts'
import type { NodeResourceTopology } from '../cloud/resources/node-resource-topology.ts'
import { NODES } from '../cloud/resources/node.ts'
import type { Node } from '../cloud/resources/node.ts'
import { createCopyReader } from '../edge-agent/inventory/collect.ts'
import type { Inventory } from '../protocol/inventory.ts'
import { LIMITS } from '../protocol/limits.ts'
import { check } from '../protocol/shape.ts'
import { FakeFleet } from './fakes/fleet.ts'
import { fakeHost } from './fakes/host.ts'

const NOW = '2026-01-01T00:00:00Z'

async function inventoryOf(name: string, device = 'gw-1'): Promise<Inventory> {
  const { files, links } = JSON.parse(readFileSync(path.join(import.meta.dirname, 'fixtures/boards', `${name}.json`), 'utf8'))
  const clock = { now: () => ({ monoMs: 0, wallMs: 0 }), at: () => () => undefined }
  return (await (await createCopyReader({ device, agentVersion: '0.1.0', clock, engine: () => null }, fakeHost(files, [], links))).collect())
    .inventory
}

const node = (): Node => ({ ...newNode('gw-1'), metadata: { name: 'gw-1', uid: 'u-1', labels: { site: 'north' } } })
const zone = (topology: NodeResourceTopology, name: string) => topology.zones.find((one) => one.name === name)
const amounts = (topology: NodeResourceTopology, name: string) =>
  Object.fromEntries((zone(topology, name)?.resources ?? []).map((one) => [one.name, [one.capacity, one.allocatable]]))
const news = (inventory: Inventory) => ({ device: 'gw-1', inventory, report: null, silent: null, alarms: [] })

describe('the topology of a device', () => {
  it('has a zone for each NUMA node, with its distances, pages and GPUs', async () => {
    const topology = nodeTopology(node(), await inventoryOf('gpu-server-2-nodes'))
    expect(check(NODE_RESOURCE_TOPOLOGIES.shape, topology)).toEqual([])
    expect(topology.metadata.ownerReferences).toMatchObject([{ kind: 'Node', name: 'gw-1', uid: 'u-1' }])
    expect(topology.zones.map((one) => [one.name, one.type, one.costs?.map((cost) => cost.value)])).toEqual([
      ['node-0', 'Node', [10, 21]],
      ['node-1', 'Node', [21, 10]],
    ])
    expect(amounts(topology, 'node-0')).toMatchObject({
      'nvidia.com/gpu': ['1', '1'],
      'hugepages-2Mi': ['1Gi', '1Gi'],
      memory: ['16000000Ki', expect.any(String)],
    })
    expect(amounts(topology, 'node-1')).toMatchObject({
      'nvidia.com/gpu': ['1', '1'],
      'coral.ai/edgetpu': ['1', '1'],
      'hugepages-1Gi': ['2Gi', '2Gi'],
    })
    // the tenth of a CPU that the system keeps is taken from both
    expect(amounts(topology, 'node-0')['cpu']).toEqual(['4', '3950m'])
  })

  it('gives away no more than the device does', async () => {
    const inventory = await inventoryOf('gpu-server-2-nodes')
    const topology = nodeTopology(node(), inventory)
    const sum = ['node-0', 'node-1'].reduce(
      (total, name) => total + Number(String(amounts(topology, name)['memory']?.[1]).replace('Ki', '')) * 1024,
      0,
    )
    expect(sum).toBeLessThanOrEqual(inventory.allocatable['memory'] ?? 0)
    expect(sum).toBeGreaterThan((inventory.allocatable['memory'] ?? 0) * 0.99)
  })

  it('has all memory in the only zone, also when the kernel counts less there: a pod that aligned 64 GiB was refused', async () => {
    const inventory = await inventoryOf('vm-nvidia-h100')
    const topology = nodeTopology(node(), inventory)
    expect(amounts(topology, 'node-0')).toMatchObject({ memory: ['131981020Ki', expect.any(String)], 'nvidia.com/gpu': ['1', '1'] })
    const { annotations } = nodeWithNews(node(), news(inventory), NOW).metadata
    expect(parseTopologyAnnotation(annotations?.[TOPOLOGY_ANNOTATION])?.memory).toEqual(new Map([[0, 131_981_020 * 1024]]))
  })

  it('has no zone for the memory of GPUs, and names one that has no CPUs', async () => {
    const inventory = await inventoryOf('gpu-server-2-nodes')
    const numaNodes = [
      ...inventory.topology.numaNodes,
      { id: 8, cpus: '', memoryBytes: 2 ** 30, memoryOnly: true },
      { id: 255, cpus: '', memoryBytes: 2 ** 34, memoryOnly: true, gpuMemory: true },
    ]
    const distances = [10, 21, 17, 80].map((_, row) => [10, 21, 17, 80].map((value) => value + row))
    const topology = nodeTopology(node(), { ...inventory, topology: { ...inventory.topology, numaNodes, distances } })
    expect(topology.zones.map((one) => one.name)).toEqual(['node-0', 'node-1', 'node-8'])
    expect(zone(topology, 'node-8')?.attributes).toContainEqual({ name: 'skerry.dev/memory-only', value: 'true' })
    expect(Object.keys(amounts(topology, 'node-8'))).toEqual(['memory'])
    expect(zone(topology, 'node-0')?.costs).toHaveLength(3)
  })

  it('counts only CPUs that containers may use', async () => {
    const inventory = await inventoryOf('gpu-server-2-nodes')
    const topology = nodeTopology(node(), { ...inventory, topology: { ...inventory.topology, allowedCpus: '0-1' } })
    expect(amounts(topology, 'node-0')['cpu']).toEqual(['4', '1975m'])
    expect(amounts(topology, 'node-1')['cpu']).toEqual(['4', '0'])
  })
})

describe('labels of the hardware', () => {
  it('have the names of node-feature-discovery', async () => {
    const labels = hardwareLabels(await inventoryOf('gpu-server-2-nodes'))
    expect(labels).toMatchObject({
      'feature.node.kubernetes.io/memory-numa': 'true',
      'feature.node.kubernetes.io/cpu-hardware_multithreading': 'false',
      'feature.node.kubernetes.io/cpu-model.vendor_id': 'Intel',
      'feature.node.kubernetes.io/cpu-cpuid.AVX512VNNI': 'true',
      'feature.node.kubernetes.io/pci-0302_10de.present': 'true',
      'feature.node.kubernetes.io/pci-0300_1a03.present': 'true',
      'feature.node.kubernetes.io/kernel-version.full': '6.1.0-18-amd64',
      'nvidia.com/gpu.count': '2',
      'nvidia.com/gpu.product': 'NVIDIA-A100-PCIE-40GB',
    })
    // network cards are not among the classes that are labelled
    expect(Object.keys(labels).some((key) => key.includes('15b3'))).toBe(false)
  })

  it('go when the hardware goes; those that people set stay', async () => {
    const inventory = await inventoryOf('gpu-server-2-nodes')
    const before = nodeWithNews(node(), news(inventory), NOW)
    expect(before.metadata.labels).toMatchObject({ site: 'north', 'nvidia.com/gpu.count': '2' })
    const after = nodeWithNews(before, news({ ...inventory, topology: { ...inventory.topology, accelerators: [] }, pciClasses: [] }), NOW)
    expect(after.metadata.labels?.['site']).toBe('north')
    expect(Object.keys(after.metadata.labels ?? {}).filter((key) => /gpu|pci-/.test(key))).toEqual([])
    expect(nodeWithNews(before, { ...news(inventory), inventory: null }, NOW).metadata.labels).toEqual(before.metadata.labels)
  })

  it('are sound and few, whatever a device says of itself', async () => {
    const inventory = await inventoryOf('gpu-server-2-nodes')
    const flags = Array.from({ length: 64 }, (_, index) => `F${index}`)
    const odd: Inventory = {
      ...inventory,
      cpu: { vendor: '-- ü --', name: 'x', flags: [...flags.slice(0, 60), 'bad flag', '', '../..', '__proto__'] },
      pciClasses: ['0300_10de', '03/x'],
    }
    const labels = hardwareLabels(odd)
    expect(Object.keys(labels).length).toBeLessThanOrEqual(LIMITS.featureLabels.value)
    expect(check(NODES.shape, { ...node(), metadata: { name: 'gw-1', labels } })).toEqual([])
  })
})

describe('a Node', () => {
  it('has the amounts of what can be counted, in quantities', async () => {
    const { status } = nodeWithNews(node(), news(await inventoryOf('gpu-server-2-nodes')), NOW)
    expect(status?.capacity).toMatchObject({
      cpu: '8',
      memory: '32000000Ki',
      pids: '256000',
      'hugepages-2Mi': '1Gi',
      'hugepages-1Gi': '2Gi',
      'nvidia.com/gpu': '2',
    })
    expect(status?.allocatable).toMatchObject({ cpu: '7900m', pids: '255000', 'nvidia.com/gpu': '2' })
  })

  it('says with a cause that a disk is worn', async () => {
    const inventory = await inventoryOf('orange-pi-5-plus-gateway')
    const worn = (given: Inventory) => nodeWithNews(node(), news(given), NOW).status?.conditions?.find((one) => one.type === 'StorageWorn')
    expect(worn(inventory)).toMatchObject({
      status: 'True',
      reason: 'DiskWorn',
      message: expect.stringContaining('up to 100 % of its rated life is used'),
    })
    expect(worn({ ...inventory, disks: [] })).toMatchObject({ status: 'False', reason: 'DisksSound' })
  })
})

describe('in the API', () => {
  let fleet = new FakeFleet()
  afterEach(async () => fleet.controllers?.stop())

  it('a topology is written once, changes with the device and goes with its Node', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1')
    const inventory = await inventoryOf('gpu-server-2-nodes')
    const tell = async (given: Inventory): Promise<NodeResourceTopology | undefined> => {
      fleet.device('gw-1').send('inventory', given)
      await fleet.clock.advance(200)
      return (await fleet.list<NodeResourceTopology>('noderesourcetopologies.topology.node.k8s.io'))[0]
    }
    const first = await tell(inventory)
    expect(first?.zones.map((one) => one.name)).toEqual(['node-0', 'node-1'])
    const again = await tell({ ...inventory, at: 'later' })
    expect(again?.metadata.resourceVersion).toBe(first?.metadata.resourceVersion)
    const less = await tell({
      ...inventory,
      topology: { ...inventory.topology, numaNodes: inventory.topology.numaNodes.slice(0, 1), distances: [[10]] },
    })
    expect(less?.zones.map((one) => one.name)).toEqual(['node-0'])
    await fleet.store.delete('nodes', '', 'gw-1', null)
    await fleet.clock.advance(200)
    expect(await fleet.list('noderesourcetopologies.topology.node.k8s.io')).toEqual([])
  })
})
