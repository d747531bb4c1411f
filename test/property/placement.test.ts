import fc from 'fast-check'
import { expect, test } from 'vitest'
import { PLACEMENT_ANNOTATION } from '../../cloud/core/desired-pod.ts'
import { newNode, nodeWithNews } from '../../cloud/core/node-status.ts'
import type { NodeInfo } from '../../cloud/core/scheduler/framework.ts'
import { parseIdList } from '../../protocol/id-list.ts'
import { podInfo } from '../../cloud/core/scheduler/pod-info.ts'
import { DEFAULT_PROFILE } from '../../cloud/core/scheduler/profile.ts'
import { schedule } from '../../cloud/core/scheduler/schedule.ts'
import { nodeInfo, withPod } from '../../cloud/core/scheduler/snapshot.ts'
import type { Pod } from '../../cloud/resources/pod.ts'
import { PLACEMENT } from '../../protocol/desired-state.ts'
import type { Inventory } from '../../protocol/inventory.ts'
import { parse } from '../../protocol/shape.ts'

const GIB = 1024 ** 3

function device(name: string, cpusPerNode: number, gpus: number): NodeInfo {
  const cpus = [0, 5].map((id, at) => ({ id, cpus: `${at * cpusPerNode}-${(at + 1) * cpusPerNode - 1}`, memoryBytes: 8 * GIB }))
  const accelerators = Array.from({ length: gpus }, (_, n) => ({
    id: `${name}-gpu-${n}`,
    kind: 'gpu' as const,
    model: 'T4',
    numaNode: n % 2 === 0 ? 0 : 5,
    memoryBytes: 16 * GIB,
    resource: 'nvidia.com/gpu',
  }))
  const amounts = { cpu: cpusPerNode * 2000, memory: 16 * GIB, pods: 110, pids: 30_000, ...(gpus === 0 ? {} : { 'nvidia.com/gpu': gpus }) }
  const inventory: Inventory = {
    device: name,
    at: '2026-01-01T00:00:00Z',
    agentVersion: '0',
    topology: { threads: cpusPerNode * 2, onlineCpus: `0-${cpusPerNode * 2 - 1}`, numaNodes: cpus, accelerators },
    allocatable: amounts,
    capacity: amounts,
  }
  const node = nodeWithNews(newNode(name), { device: name, inventory, report: null, silent: null, alarms: [] }, '2026-01-01T00:00:00Z')
  return nodeInfo({ ...node, status: { ...node.status, conditions: [{ type: 'Ready', status: 'True' }] } }, [])
}

const asks = fc.record({
  cpu: fc.integer({ min: 1, max: 5 }),
  memoryGib: fc.integer({ min: 1, max: 9 }),
  policy: fc.constantFrom('none', 'best-effort', 'restricted', 'single-numa-node'),
  gpu: fc.constantFrom(
    {},
    { 'nvidia.com/gpu': '1' },
    { 'nvidia.com/gpu': '2' },
    { 'skerry.dev/gpu-milli': '400' },
    { 'skerry.dev/gpu-memory': '6Gi' },
  ),
})

test('no CPU has two owners, no GPU is given beyond what it has, and single-numa-node keeps its word', () => {
  fc.assert(
    fc.property(fc.array(asks, { maxLength: 14 }), fc.integer({ min: 2, max: 4 }), fc.nat(3), (wanted, cpus, gpus) => {
      const world = new Map([device('a', cpus, gpus), device('b', cpus, 0)].map((node) => [node.name, node]))
      const owners = new Set<string>()
      const used = new Map<string, number>()
      wanted.forEach(({ cpu, memoryGib, policy, gpu }, index) => {
        const limits = { cpu: String(cpu), memory: `${memoryGib}Gi`, ...gpu }
        const pod: Pod = {
          apiVersion: 'v1',
          kind: 'Pod',
          metadata: { name: `p-${index}`, namespace: 'default', uid: `uid-${index}`, annotations: { 'skerry.dev/numa-policy': policy } },
          spec: { containers: [{ name: 'main', image: 'x', resources: { limits } }] },
        }
        const info = podInfo(pod)
        const decision = schedule(DEFAULT_PROFILE, info, world)
        if (decision.kind === 'none') return
        const { placement } = decision
        expect(parse(PLACEMENT, placement, 'refuse').ok).toBe(true)
        const own = parseIdList(placement.cpus ?? '') ?? []
        expect(own.length).toBe(policy === 'none' ? 0 : cpu)
        for (const one of own) {
          expect(owners.has(`${decision.node}/${one}`)).toBe(false)
          owners.add(`${decision.node}/${one}`)
        }
        if (policy === 'single-numa-node') expect(new Set(own.map((one) => Math.floor(one / cpus))).size).toBe(1)
        const share = 'skerry.dev/gpu-milli' in gpu ? 400 : 'skerry.dev/gpu-memory' in gpu ? 375 : 1000
        const count = 'nvidia.com/gpu' in gpu ? Number(gpu['nvidia.com/gpu']) : Object.keys(gpu).length
        expect(placement.gpus?.length ?? 0).toBe(count)
        for (const id of placement.gpus ?? []) {
          used.set(id, (used.get(id) ?? 0) + share)
          expect(used.get(id)).toBeLessThanOrEqual(1000)
        }
        const annotations = { ...pod.metadata.annotations, [PLACEMENT_ANNOTATION]: JSON.stringify(placement) }
        const bound = { ...info, pod: { ...pod, metadata: { ...pod.metadata, annotations } } }
        const node = world.get(decision.node)
        if (node !== undefined) world.set(decision.node, withPod(node, bound))
      })
    }),
  )
})
