/** Tables about devices: shared GPUs, GPU servers, the NUMA attribute of claims, PID limits. */
import { advertisedReplicas, pickReplicas, replicaRequestAllowed } from '../../cloud/core/scheduler/gpu/gpu-replicas.ts'
import type { ReplicaPolicy } from '../../cloud/core/scheduler/gpu/gpu-replicas.ts'
import { deviceHints } from '../../cloud/core/scheduler/numa/device-hints.ts'
import { numaAttribute, numaMatches } from '../../cloud/core/scheduler/numa/numa-attribute.ts'
import { selectDevices } from '../../cloud/core/scheduler/numa/select-devices.ts'
import { align } from '../../cloud/core/scheduler/numa/topology-policy.ts'
import { allocatablePids, kubeletPidRule, lowestLimit, podPidLimit } from '../../protocol/pids.ts'
import type { PidBudget } from '../../protocol/pids.ts'
import type { Tally } from './suite.ts'

interface SharingTable {
  readonly cases?: readonly {
    readonly name: string
    readonly policy: ReplicaPolicy
    readonly gpus: readonly string[]
    readonly replicas: number
    readonly available?: readonly string[]
    readonly size: number
    readonly expectedPerGpu?: Readonly<Record<string, number>>
    readonly expectedSortedCounts?: readonly number[]
    readonly expectedTotal?: number
    readonly expectedError?: boolean
  }[]
  readonly advertised?: readonly {
    readonly gpus: number
    readonly replicas: number
    readonly renameByDefault: boolean
    readonly resource: string
    readonly expected: number
  }[]
  readonly failRequestsGreaterThanOne?: readonly { readonly enabled: boolean; readonly request: number; readonly expected: 'ok' | 'error' }[]
}

export function checkGpuSharing(tally: Tally, json: unknown): void {
  const { cases = [], advertised = [], failRequestsGreaterThanOne = [] } = json as SharingTable
  for (const row of cases) {
    const available = new Map(row.gpus.map((gpu) => [gpu, row.available?.filter((id) => id.startsWith(`${gpu}::`)).length ?? row.replicas]))
    const picked = pickReplicas(row.policy, { replicas: row.replicas, available }, row.size)
    const counts = [...(picked?.values() ?? [])].sort((a, b) => a - b)
    const name = `gpu-sharing ${row.policy}: ${row.name}`
    if (row.expectedError === true) tally.equal(name, picked, null)
    if (row.expectedPerGpu !== undefined) tally.equal(name, [...(picked ?? [])].sort(), Object.entries(row.expectedPerGpu).sort())
    if (row.expectedSortedCounts !== undefined) tally.equal(name, counts, row.expectedSortedCounts)
    if (row.expectedTotal !== undefined)
      tally.equal(
        name,
        counts.reduce((sum, count) => sum + count, 0),
        row.expectedTotal,
      )
  }
  for (const row of advertised)
    tally.equal(`gpu-sharing advertised ${row.resource}`, advertisedReplicas(row.gpus, row.replicas, row.renameByDefault), {
      resource: row.resource,
      count: row.expected,
    })
  for (const row of failRequestsGreaterThanOne)
    tally.equal(
      `gpu-sharing fail above one ${row.enabled} ${row.request}`,
      replicaRequestAllowed(row.enabled, row.request) ? 'ok' : 'error',
      row.expected,
    )
}

interface ServerTable {
  readonly servers?: readonly {
    readonly profile: string
    readonly gpus: readonly { readonly uuid: string; readonly busId: string; readonly numaNode: number }[]
  }[]
}

/** As many GPUs as one node has come from one node, for every server and every node that has the most. */
export function checkGpuServers(tally: Tally, json: unknown): void {
  for (const { profile, gpus } of (json as ServerTable).servers ?? []) {
    const devices = gpus.map((gpu) => ({ id: gpu.uuid, nodes: gpu.numaNode < 0 ? null : [gpu.numaNode] }))
    const nodes = [...new Set(gpus.map((gpu) => gpu.numaNode).filter((node) => node >= 0))].sort((a, b) => a - b)
    for (const gpu of gpus) {
      // all GPUs of other nodes in use: what one pod can get must be this GPU's node, and all of it
      const mine = devices.filter((device) => device.nodes?.includes(gpu.numaNode) === true).map((device) => device.id)
      const taken = new Set(devices.map((device) => device.id).filter((id) => !mine.includes(id)))
      const ask = { count: mine.length, devices, taken, held: [] }
      const { hint, admit } = align('single-numa-node', { nodes, closest: null }, [deviceHints(nodes, ask)])
      const chosen = selectDevices({ ...ask, reusable: [], nodes: hint.nodes, prefer: null })
      const expectedNode = nodes.length === 1 ? null : [gpu.numaNode]
      tally.equal(`gpu-servers ${profile} ${gpu.busId}`, [admit, hint.nodes, chosen], [true, expectedNode, mine])
    }
  }
}

interface AttributeTable {
  readonly machine: { readonly distances: readonly (readonly number[])[]; readonly nodeSocket: readonly number[] }
  readonly lists?: readonly { readonly physical: number; readonly expected: readonly number[] | null }[]
  readonly match?: readonly { readonly a: number | readonly number[]; readonly b: number | readonly number[]; readonly expected: boolean }[]
}

export function checkNumaAttribute(tally: Tally, json: unknown): void {
  const { machine, lists = [], match = [] } = json as AttributeTable
  const nodes = machine.nodeSocket.map((_, node) => node)
  for (const row of lists) {
    const got = numaAttribute(
      row.physical,
      nodes,
      (node) => machine.nodeSocket[node] ?? -1,
      (from, to) => machine.distances[from]?.[to] ?? 255,
    )
    const sorted = (list: readonly number[] | null): unknown => (list === null ? null : [list[0], list.slice(1).sort((a, b) => a - b)])
    tally.equal(`numa attribute of node ${row.physical}`, sorted(got), sorted(row.expected))
  }
  for (const row of match) tally.equal(`numa match ${JSON.stringify(row.a)} ${JSON.stringify(row.b)}`, numaMatches(row.a, row.b), row.expected)
}

interface PidTable {
  readonly effectiveLimit?: readonly { readonly chain: readonly (string | null)[]; readonly expected: number | null }[]
  readonly podLimit?: readonly {
    readonly nodeDefault: number
    readonly podLimit: number | null
    readonly expected: number | string
    readonly capped?: boolean
  }[]
  readonly allocatable?: readonly (PidBudget & { readonly expected: number })[]
}

export function checkPidLimits(tally: Tally, json: unknown): void {
  const { effectiveLimit = [], podLimit = [], allocatable = [] } = json as PidTable
  for (const row of effectiveLimit) tally.equal(`pids chain ${row.chain.join(' ')}`, lowestLimit(row.chain), row.expected)
  for (const row of podLimit) {
    const got = podPidLimit(kubeletPidRule(row.nodeDefault), row.podLimit)
    const said = got.kind === 'limit' ? got.pids : got.kind === 'allocatable' ? 'node allocatable' : 'rejected'
    const capped = got.kind === 'limit' && got.capped
    tally.equal(`pids pod ${row.nodeDefault} ${row.podLimit ?? 'none'}`, [said, capped], [row.expected, row.capped ?? false])
  }
  for (const row of allocatable) tally.equal(`pids allocatable of ${row.capacity}`, allocatablePids(row), row.expected)
}
