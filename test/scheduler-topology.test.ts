import { describe, expect, test } from 'vitest'
import { causeSentence } from '../protocol/causes.ts'
import type { Placement } from '../protocol/desired-state.ts'
import type { Topology } from '../protocol/inventory.ts'
import { gpuFilter, gpuReserve, gpuScore } from '../cloud/core/scheduler/gpu.ts'
import type { NodeInfo, PodInfo } from '../cloud/core/scheduler/framework.ts'
import { PLACEMENT_ANNOTATION } from '../cloud/core/desired-pod.ts'
import { numaFilter, numaReserve, numaScore } from '../cloud/core/scheduler/numa.ts'
import { TOPOLOGY_ANNOTATION, topologyAnnotation } from '../cloud/core/scheduler/numa/node-topology.ts'
import { podInfo } from '../cloud/core/scheduler/pod-info.ts'
import { nodeInfo, withPod } from '../cloud/core/scheduler/snapshot.ts'
import type { Pod } from '../cloud/resources/pod.ts'

const GIB = 1024 ** 3

/** two NUMA nodes with ids 0 and 4, four CPUs and 8 GiB each; a node of memory alone */
const BOARD: Topology = {
  threads: 8,
  onlineCpus: '0-7',
  numaNodes: [
    { id: 0, cpus: '0-3', memoryBytes: 8 * GIB },
    { id: 2, cpus: '', memoryBytes: 64 * GIB, memoryOnly: true },
    { id: 4, cpus: '4-7', memoryBytes: 8 * GIB },
  ],
  distances: [
    [10, 17, 21],
    [17, 10, 17],
    [21, 17, 10],
  ],
  coreCpus: ['0,1', '2,3', '4,5', '6,7'],
  accelerators: [
    { id: 'GPU-a', kind: 'gpu', model: 'NVIDIA A100-SXM4-40GB', numaNode: 0, memoryBytes: 40 * GIB, resource: 'nvidia.com/gpu' },
    { id: 'GPU-b', kind: 'gpu', model: 'NVIDIA A100-SXM4-40GB', numaNode: 4, memoryBytes: 40 * GIB, resource: 'nvidia.com/gpu' },
  ],
}

const GPU_RESOURCES = { 'nvidia.com/gpu': 2, 'skerry.dev/gpu-milli': 2000, 'skerry.dev/gpu-memory': `${80 * GIB}` }

function device(topology: Topology | null = BOARD, cpu = '8'): NodeInfo {
  return nodeInfo(
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'gw-1', ...(topology === null ? {} : { annotations: { [TOPOLOGY_ANNOTATION]: topologyAnnotation(topology) } }) },
      status: { allocatable: { cpu, memory: '16Gi', pids: 1000, pods: 110, ...GPU_RESOURCES } },
    },
    [],
  )
}

let serial = 0
function pod(resources: Readonly<Record<string, string>>, annotations: Readonly<Record<string, string>> = {}): PodInfo {
  serial += 1
  const made: Pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: `pod-${serial}`, namespace: 'default', uid: `uid-${serial}`, annotations },
    spec: { containers: [{ name: 'main', image: 'x', resources: { limits: resources } }] },
  }
  return podInfo(made)
}

const single = { 'skerry.dev/numa-policy': 'single-numa-node' }

/** The pod as it is once it is bound. */
function withPlacement(info: PodInfo, placement: Placement): PodInfo {
  const { metadata } = info.pod
  return {
    ...info,
    pod: { ...info.pod, metadata: { ...metadata, annotations: { ...metadata.annotations, [PLACEMENT_ANNOTATION]: JSON.stringify(placement) } } },
  }
}

function place(
  node: NodeInfo,
  info: PodInfo,
): { readonly node: NodeInfo; readonly placement: Readonly<Record<string, unknown>>; readonly why: readonly string[] } {
  const why = [...numaFilter.filter(info, node), ...gpuFilter.filter(info, node)].map(causeSentence)
  if (why.length > 0) return { node, placement: {}, why }
  const placement = { ...numaReserve.reserve(info, node), ...gpuReserve().reserve(info, node) }
  return { node: withPod(node, withPlacement(info, placement)), placement, why }
}

describe('alignment', () => {
  test('two aligned pods get CPUs and memory of different nodes', () => {
    const first = place(device(), pod({ cpu: '4', memory: '4Gi' }, single))
    const second = place(first.node, pod({ cpu: '4', memory: '4Gi' }, single))
    expect(first.placement).toEqual({ cpus: '0-3', memoryNodes: '0' })
    expect(second.placement).toEqual({ cpus: '4-7', memoryNodes: '4' })
  })

  test('a pod that fits only across nodes is refused with what each node has', () => {
    const { node } = place(device(), pod({ cpu: '2', memory: '1Gi' }, single))
    const after = place(node, pod({ cpu: '2', memory: '7Gi' }, single))
    expect(after.placement).toEqual({ cpus: '2-3', memoryNodes: '0' })
    const third = place(after.node, pod({ cpu: '4', memory: '9Gi' }, single))
    expect(third.why).toEqual([
      'cannot give 4 CPUs, 9Gi memory aligned (single-numa-node): free node 0: 0 CPUs, 0, 1 GPUs; node 4: 4 CPUs, 8Gi, 1 GPUs',
    ])
  })

  test('best-effort takes what there is', () => {
    const { node } = place(device(), pod({ cpu: '3', memory: '1Gi' }, single))
    const { placement, why } = place(node, pod({ cpu: '5', memory: '1Gi' }, { 'skerry.dev/numa-policy': 'best-effort' }))
    expect(why).toEqual([])
    expect(placement).toEqual({ cpus: '3-7' })
  })

  test('memory and CPU come from the node of the GPU', () => {
    const first = place(device(), pod({ cpu: '2', memory: '1Gi', 'nvidia.com/gpu': '1' }, single))
    const second = place(first.node, pod({ cpu: '2', memory: '1Gi', 'nvidia.com/gpu': '1' }, single))
    expect(first.placement).toEqual({ cpus: '0-1', memoryNodes: '0', gpus: ['GPU-a'] })
    expect(second.placement).toEqual({ cpus: '4-5', memoryNodes: '4', gpus: ['GPU-b'] })
  })

  test('whole cores only, when asked', () => {
    const options = { ...single, 'skerry.dev/cpu-manager-policy-options': 'full-pcpus-only' }
    expect(place(device(), pod({ cpu: '3', memory: '1Gi' }, options)).why).toEqual(['needs 3 CPUs in whole cores of 2, 8 free in whole cores'])
    expect(place(device(), pod({ cpu: '2', memory: '1Gi' }, options)).placement).toMatchObject({ cpus: '0-1' })
  })

  test('CPUs that the device keeps are not given away', () => {
    const { placement } = place(device(BOARD, '6'), pod({ cpu: '2', memory: '1Gi' }, { 'skerry.dev/cpu-manager-policy': 'static' }))
    expect(placement).toEqual({ cpus: '2-3' })
  })

  test('a pod that asks for nothing is left alone, Guaranteed or not', () => {
    expect(place(device(), pod({ cpu: '2', memory: '1Gi' })).placement).toEqual({})
    expect(place(device(null), pod({ cpu: '2', memory: '1Gi' })).why).toEqual([])
  })

  test('a fraction of a CPU is shared: only memory has a place', () => {
    expect(place(device(), pod({ cpu: '1500m', memory: '1Gi' }, single)).placement).toEqual({ memoryNodes: '0' })
  })

  test('a device that says nothing, or too little, takes no aligned pod', () => {
    expect(place(device(null), pod({ cpu: '2', memory: '1Gi' }, single)).why).toEqual(['has not said how its CPUs and memory are laid out'])
    expect(place(device(), pod({ cpu: '1', memory: '1Gi' }, { 'skerry.dev/numa-nodes-min': '3' })).why).toEqual([
      'has 2 NUMA nodes with CPUs, the pod wants at least 3',
    ])
  })

  test('a policy that does not exist is refused by name', () => {
    expect(place(device(), pod({ cpu: '1', memory: '1Gi' }, { 'skerry.dev/numa-policy': 'strict' })).why).toEqual([
      'the pod asks skerry.dev/numa-policy = "strict": it must be one of none, best-effort, restricted, single-numa-node',
    ])
  })

  test('one node scores above two', () => {
    const score = (cpu: string): number => numaScore.score(pod({ cpu, memory: '1Gi' }, { 'skerry.dev/numa-policy': 'best-effort' }), device())
    expect([score('4'), score('6')]).toEqual([94, 76])
  })
})

describe('GPUs', () => {
  test('shares fill one GPU before the next is opened', () => {
    const asks = ['600', '300', '300'].map((milli) => pod({ cpu: '1', memory: '1Gi', 'skerry.dev/gpu-milli': milli }))
    let node = device()
    const given: unknown[] = []
    for (const ask of asks) {
      const placed = place(node, ask)
      given.push(placed.placement['gpus'])
      node = placed.node
    }
    expect(given).toEqual([['GPU-a'], ['GPU-a'], ['GPU-b']])
    expect(place(node, pod({ 'nvidia.com/gpu': '1' })).why).toEqual(['needs 1 idle GPUs, 0 of 2 are idle'])
    expect(place(node, pod({ 'skerry.dev/gpu-milli': '800' })).why).toEqual(['needs 800m of one GPU, the most left on one is 700m'])
  })

  test('a share by memory counts on a GPU of known size only', () => {
    const { placement, node } = place(device(), pod({ 'skerry.dev/gpu-memory': '30Gi' }))
    expect(placement).toEqual({ gpus: ['GPU-a'] })
    expect(place(node, pod({ 'skerry.dev/gpu-memory': '11Gi' })).placement).toEqual({ gpus: ['GPU-b'] })
    const unknown = { ...BOARD, accelerators: BOARD.accelerators?.map(({ memoryBytes: _bytes, ...gpu }) => gpu) ?? [] }
    expect(place(device(unknown), pod({ 'skerry.dev/gpu-memory': '1Gi' })).why).toHaveLength(1)
  })

  test('models are matched by words', () => {
    const wants = (models: string): readonly string[] => place(device(), pod({ 'nvidia.com/gpu': '1' }, { 'skerry.dev/gpu-models': models })).why
    expect(wants('T4|A100')).toEqual([])
    expect(wants('nvidia a100-sxm4')).toEqual([])
    expect(wants('A10')).toEqual(['has NVIDIA A100-SXM4-40GB, the pod wants A10'])
  })

  test('a pod without a GPU prefers a device without one', () => {
    const plain = pod({ cpu: '4', memory: '1Gi' })
    expect(gpuScore().score(plain, device({ ...BOARD, accelerators: [] }))).toBeGreaterThan(gpuScore().score(plain, device()))
  })

  test('parts of a GPU are not shared again', () => {
    const mig = { id: 'MIG-1', kind: 'mig' as const, parent: 'GPU-a', numaNode: 0, memoryBytes: 5 * GIB, resource: 'nvidia.com/mig-1g.5gb' }
    const node = device({ ...BOARD, accelerators: [mig] })
    expect(place(node, pod({ 'skerry.dev/gpu-milli': '100' })).why).toEqual(['has no GPU that can be shared'])
    expect(place(node, pod({ 'nvidia.com/mig-1g.5gb': '1' })).placement).toEqual({ gpus: ['MIG-1'] })
  })
})
