import fc from 'fast-check'
import { expect, test } from 'vitest'
import { causeSentence } from '../../protocol/causes.ts'
import { explain } from '../../cloud/core/scheduler/explain.ts'
import type { NodeInfo } from '../../cloud/core/scheduler/framework.ts'
import { podInfo } from '../../cloud/core/scheduler/pod-info.ts'
import { DEFAULT_PROFILE } from '../../cloud/core/scheduler/profile.ts'
import { schedule } from '../../cloud/core/scheduler/schedule.ts'
import { buildSnapshot, withoutPod, withPod } from '../../cloud/core/scheduler/snapshot.ts'
import type { Node } from '../../cloud/resources/node.ts'
import type { Pod } from '../../cloud/resources/pod.ts'

const nodeOf = (spec: { cpu: number; memory: number; pids: number; pods: number; ready: boolean }, index: number): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: `gw-${index}` },
  status: {
    allocatable: { cpu: `${spec.cpu}m`, memory: `${spec.memory}Mi`, pids: spec.pids, pods: spec.pods, 'ephemeral-storage': '1Gi' },
    conditions: [{ type: 'Ready', status: spec.ready ? 'True' : 'False' }],
  },
})
const podOf = (spec: { cpu: number; memory: number; pids: number; port: number | null }, index: number): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `pod-${index}`, namespace: 'default', uid: `uid-${index}` },
  spec: {
    containers: [
      {
        name: 'main',
        image: 'x',
        resources: { requests: { cpu: `${spec.cpu}m`, memory: `${spec.memory}Mi` }, limits: { pids: spec.pids } },
        ...(spec.port === null ? {} : { ports: [{ containerPort: 80, hostPort: spec.port }] }),
      },
    ],
  },
})
const nodes = fc.array(
  fc.record({
    cpu: fc.integer({ min: 0, max: 4000 }),
    memory: fc.integer({ min: 0, max: 4096 }),
    pids: fc.integer({ min: 0, max: 4096 }),
    pods: fc.nat(6),
    ready: fc.boolean(),
  }),
  { maxLength: 6 },
)
const pods = fc.array(
  fc.record({
    cpu: fc.nat(2000),
    memory: fc.nat(2048),
    pids: fc.integer({ min: 1, max: 2048 }),
    port: fc.option(fc.integer({ min: 8080, max: 8082 })),
  }),
  { maxLength: 20 },
)

test('no device is ever given more than it has, and every refusal is explained by every device', () => {
  fc.assert(
    fc.property(nodes, pods, (nodeSpecs, podSpecs) => {
      const snapshot = new Map<string, NodeInfo>(buildSnapshot(nodeSpecs.map(nodeOf), []))
      for (const info of podSpecs.map(podOf).map(podInfo)) {
        const decision = schedule(DEFAULT_PROFILE, info, snapshot)
        expect(schedule(DEFAULT_PROFILE, info, new Map([...snapshot].toReversed()))).toEqual(decision)
        if (decision.kind === 'none') {
          expect(decision.refusal.nodes.every(({ reasons }) => reasons.length > 0)).toBe(true)
          expect(decision.refusal.nodes.map(({ node }) => node).toSorted()).toEqual([...snapshot.keys()].toSorted())
          for (const { reasons } of decision.refusal.nodes) for (const { cause } of reasons) expect(causeSentence(cause)).not.toContain('?')
          continue
        }
        const node = snapshot.get(decision.node)
        if (node === undefined) throw new Error('placed on a node that does not exist')
        expect(node.ready).toBe(true)
        expect(decision.placement.pids).toBe(info.requests['pids'])
        snapshot.set(node.name, withPod(node, info))
      }
      for (const node of snapshot.values()) {
        for (const [name, amount] of Object.entries(node.requested)) expect(amount).toBeLessThanOrEqual(node.allocatable[name] ?? 0)
        const ports = [...node.pods.values()].flatMap((pod) => pod.hostPorts.map(({ port }) => port))
        expect(new Set(ports).size).toBe(ports.length)
      }
    }),
    { numRuns: 300 },
  )
})

test('the kept snapshot equals one that is built from scratch', () => {
  fc.assert(
    fc.property(pods, fc.array(fc.nat(19)), (podSpecs, gone) => {
      const node = nodeOf({ cpu: 4000, memory: 4096, pids: 4096, pods: 10, ready: true }, 1)
      const all = podSpecs.map(podOf).map((pod) => ({ ...pod, spec: { ...pod.spec, nodeName: 'gw-1' } }))
      let kept = buildSnapshot([node], []).get('gw-1')
      if (kept === undefined) throw new Error('no node')
      for (const pod of all) kept = withPod(kept, podInfo(pod))
      const left = all.filter((_, index) => !gone.includes(index))
      for (const pod of all) if (!left.includes(pod)) kept = withoutPod(kept, pod.metadata.uid ?? '')
      const fresh = buildSnapshot([node], left).get('gw-1')
      const amounts = (info: NodeInfo | undefined) =>
        Object.entries(info?.requested ?? {})
          .filter(([, amount]) => amount !== 0)
          .toSorted()
      expect(amounts(kept)).toEqual(amounts(fresh))
      expect([...kept.pods.keys()].toSorted()).toEqual([...(fresh?.pods.keys() ?? [])].toSorted())
    }),
    { numRuns: 200 },
  )
})

test('explaining says nothing against a device that could take the pod', () => {
  const snapshot = buildSnapshot([nodeOf({ cpu: 1000, memory: 1024, pids: 4096, pods: 5, ready: true }, 1)], [])
  expect(explain(DEFAULT_PROFILE, podInfo(podOf({ cpu: 100, memory: 64, pids: 64, port: null }, 1)), snapshot).nodes).toEqual([
    { node: 'gw-1', reasons: [] },
  ])
})
