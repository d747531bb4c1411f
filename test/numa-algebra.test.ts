import { describe, expect, test } from 'vitest'
import { assignCpus, exclusiveCandidates, sharedPool } from '../cloud/core/scheduler/numa/assign-cpus.ts'
import { cpuHints } from '../cloud/core/scheduler/numa/cpu-hints.ts'
import { cpuTopology } from '../cloud/core/scheduler/numa/cpu-topology.ts'
import type { CpuTopology } from '../cloud/core/scheduler/numa/cpu-topology.ts'
import { deviceHints, podAmounts } from '../cloud/core/scheduler/numa/device-hints.ts'
import { formatIdList, parseIdList } from '../protocol/id-list.ts'
import { leastNodes } from '../cloud/core/scheduler/numa/least-nodes.ts'
import { mergeHints } from '../cloud/core/scheduler/numa/merge-hints.ts'
import { numaAttribute } from '../cloud/core/scheduler/numa/numa-attribute.ts'
import { nodeTopology, parseTopologyAnnotation, topologyAnnotation } from '../cloud/core/scheduler/numa/node-topology.ts'
import { averageDistance, compareNumbers, subsets } from '../cloud/core/scheduler/numa/node-set.ts'
import { selectDevices } from '../cloud/core/scheduler/numa/select-devices.ts'
import { align } from '../cloud/core/scheduler/numa/topology-policy.ts'
import { zoneMisfit } from '../cloud/core/scheduler/numa/zone-filter.ts'
import { zoneScore } from '../cloud/core/scheduler/numa/zone-score.ts'

/** two sockets of two nodes each (ids 0, 3, 8, 250), two cores of two threads a node */
function machine(): CpuTopology {
  return cpuTopology(
    [0, 3, 8, 250].flatMap((numa, at) => [0, 1, 2, 3].map((n) => ({ cpu: at * 4 + n, core: at * 2 + (n >> 1), socket: at >> 1, numa, cache: at }))),
  )
}
const ALL = parseIdList('0-15') ?? []

describe('sets of nodes', () => {
  test('are compared by their highest id that differs', () => {
    expect(compareNumbers([0, 250], [3, 8])).toBeGreaterThan(0)
    expect(compareNumbers([0, 8], [3, 8])).toBeLessThan(0)
    expect(subsets([250, 0, 3]).map((set) => set.join())).toEqual(['0', '3', '250', '0,3', '0,250', '3,250', '0,3,250'])
  })

  test('are as far apart as all their pairs, themselves included', () => {
    expect(averageDistance([0, 1], (a, b) => (a === b ? 10 : 20))).toBe(15)
    expect(averageDistance([], () => 1)).toBe(0)
  })

  test('lists of ids are read and written as Linux does', () => {
    expect(parseIdList('0-3,8, 5')).toBeNull()
    expect(formatIdList(parseIdList('8,0-3,5') ?? [])).toBe('0-3,5,8')
    expect(parseIdList('3-1')).toBeNull()
    expect(parseIdList('0-999999')).toBeNull()
    expect(formatIdList([])).toBe('')
  })
})

describe('hints and their merge', () => {
  test('node ids stay ids', () => {
    const hints = cpuHints(machine(), { count: 4, free: ALL.filter((cpu) => cpu !== 0), held: [] })
    expect(hints?.filter((hint) => hint.preferred).map((hint) => hint.nodes)).toEqual([[3], [8], [250]])
  })

  test('align-by-socket prefers both nodes of a socket to nodes of two', () => {
    const hints = cpuHints(machine(), { count: 3, free: ALL, held: [] }, { alignBySocket: true })
    const pairs = hints?.filter((hint) => hint.nodes?.length === 2 && hint.preferred).map((hint) => hint.nodes)
    expect(pairs).toEqual([
      [0, 3],
      [8, 250],
    ])
  })

  test('reusable CPUs of init containers must be part of the place', () => {
    const hints = cpuHints(machine(), { count: 2, free: ALL, held: [], reusable: [4, 5] })
    expect(hints?.every((hint) => hint.nodes?.includes(3) === true)).toBe(true)
  })

  test('closest nodes win over lower-numbered ones when asked', () => {
    const resources = [
      [
        { nodes: [0, 3], preferred: true },
        { nodes: [8, 250], preferred: true },
      ],
    ]
    const distance = (a: number, b: number): number => (a === b ? 10 : a + b === 258 ? 11 : 30)
    expect(mergeHints({ nodes: [0, 3, 8, 250], closest: null }, resources).nodes).toEqual([0, 3])
    expect(mergeHints({ nodes: [0, 3, 8, 250], closest: distance }, resources).nodes).toEqual([8, 250])
  })

  test('the policies differ in what they refuse', () => {
    const split = [
      [{ nodes: [0], preferred: true }],
      [
        { nodes: [3], preferred: true },
        { nodes: [0, 3], preferred: false },
      ],
    ]
    const verdict = (policy: 'none' | 'best-effort' | 'restricted' | 'single-numa-node'): boolean =>
      align(policy, { nodes: [0, 3], closest: null }, split).admit
    expect([verdict('none'), verdict('best-effort'), verdict('restricted'), verdict('single-numa-node')]).toEqual([true, true, false, false])
  })

  test('a device without a place has no preference; too few devices cannot be had', () => {
    const devices = [
      { id: 'a', nodes: null },
      { id: 'b', nodes: null },
    ]
    expect(deviceHints([0, 1], { count: 2, devices, taken: new Set(), held: [] })).toBeNull()
    const near = [{ id: 'a', nodes: [0] }]
    expect(deviceHints([0, 1], { count: 2, devices: near, taken: new Set(), held: [] })).toEqual([])
  })
})

describe('assignment', () => {
  test('CPUs near the hint come first, then others', () => {
    expect(formatIdList(assignCpus(machine(), ALL, 6, [8]) ?? [])).toBe('8-13')
    expect(formatIdList(assignCpus(machine(), ALL, 2, [250]) ?? [])).toBe('12-13')
  })

  test('across nodes means equal shares', () => {
    const cpus = assignCpus(machine(), ALL, 6, null, { acrossNodes: true, fullCores: true })
    expect(formatIdList(cpus ?? [])).toBe('0-5')
    expect(formatIdList(assignCpus(machine(), ALL, 8, null, { acrossNodes: true }) ?? [])).toBe('0-7')
  })

  test('whole cores or nothing', () => {
    expect(assignCpus(machine(), [0, 2, 4, 6], 2, null, { fullCores: true })).toBeNull()
    expect(assignCpus(machine(), ALL, 3, null, { fullCores: true })).toBeNull()
  })

  test('reserved CPUs are shared, unless strictly reserved', () => {
    expect(exclusiveCandidates([0, 1, 2, 3], [0])).toEqual([1, 2, 3])
    expect(sharedPool([0, 1, 2, 3], [3], [0], false)).toEqual([0, 1, 2])
    expect(sharedPool([0, 1, 2, 3], [3], [0], true)).toEqual([1, 2])
  })

  test('devices of finished init containers are used again first', () => {
    const devices = ['a', 'b', 'c'].map((id) => ({ id, nodes: [0] }))
    expect(selectDevices({ count: 2, devices, taken: new Set(['c']), reusable: ['c'], nodes: [0], prefer: null })).toEqual(['c', 'a'])
    expect(selectDevices({ count: 4, devices, taken: new Set(), reusable: [], nodes: null, prefer: null })).toBeNull()
  })

  test('a pod needs its app containers together, or its largest init container', () => {
    expect(podAmounts([{ gpu: 3 }, { gpu: 2 }], [{ gpu: 1, nic: 1 }, { gpu: 1 }])).toEqual({ gpu: 3, nic: 1 })
  })
})

describe('zones', () => {
  const zone = (id: number, cpu: number): { id: number; available: { cpu: number; memory: number }; distances: Record<string, number> } => ({
    id,
    available: { cpu, memory: 1000 },
    distances: {},
  })
  const node = {
    policy: 'single-numa-node',
    scope: 'container',
    zones: [zone(0, 2000), zone(6, 4000)],
    allocatable: { cpu: 6000, memory: 2000 },
  } as const

  test('containers use up the lowest zone that has room', () => {
    const pod = (...cpus: readonly number[]): Parameters<typeof zoneMisfit>[1] => ({ qos: 'Guaranteed', init: [], app: cpus.map((cpu) => ({ cpu })) })
    expect(zoneMisfit(node, pod(2000, 4000))).toBeNull()
    expect(zoneMisfit(node, pod(3000, 3000))).toBe('cannot align container')
    expect(zoneMisfit({ ...node, policy: 'best-effort' }, pod(9000))).toBeNull()
  })

  test('a single resource is balanced by itself, and a node that says nothing scores 0', () => {
    const pod = { qos: 'Guaranteed', init: [], app: [{ cpu: 1000 }] } as const
    expect(zoneScore('BalancedAllocation', node, pod)).toBe(100)
    expect(zoneScore('LeastAllocated', { ...node, zones: [] }, pod)).toBe(0)
    expect(leastNodes(node.zones, { cpu: 5000 }, 'Guaranteed')?.nodes).toEqual([0, 6])
  })

  test('the attribute of a device names its node first', () => {
    expect(
      numaAttribute(
        3,
        [0, 3, 8],
        (id) => (id === 8 ? 1 : 0),
        () => 12,
      ),
    ).toEqual([3, 0])
    expect(
      numaAttribute(
        -1,
        [0],
        () => 0,
        () => 10,
      ),
    ).toBeNull()
  })
})

describe('a device from its inventory', () => {
  const topology = {
    threads: 4,
    onlineCpus: '0-3',
    allowedCpus: '1-3',
    numaNodes: [{ id: 7, cpus: '0-3', memoryBytes: 5 }],
    coreCpus: ['0-1', '2-3'],
  }

  test('survives the way through the annotation', () => {
    const read = parseTopologyAnnotation(topologyAnnotation(topology))
    expect(read?.usableCpus).toEqual([1, 2, 3])
    expect(read?.cpus).toEqual(nodeTopology(topology).cpus)
    expect(read?.cpus.threadsPerCore).toBe(2)
    expect([...(read?.memory ?? [])]).toEqual([[7, 5]])
  })

  test('without sibling lists each CPU is its own core', () => {
    const { coreCpus: _lists, ...without } = topology
    expect(nodeTopology(without).cpus.threadsPerCore).toBe(1)
  })

  test('what is not a topology is none', () => {
    expect(parseTopologyAnnotation('{')).toBeNull()
    expect(parseTopologyAnnotation('{"threads":"many"}')).toBeNull()
    expect(parseTopologyAnnotation(undefined)).toBeNull()
  })
})
