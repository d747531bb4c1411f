/** What the engine remembers never changes what it decides. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { podInfo } from '../../cloud/core/scheduler/pod-info.ts'
import { preempt } from '../../cloud/core/scheduler/preempt.ts'
import type { Profile } from '../../cloud/core/scheduler/framework.ts'
import { DEFAULT_PROFILE } from '../../cloud/core/scheduler/profile.ts'
import { Engine, schedule } from '../../cloud/core/scheduler/schedule.ts'
import { nodeInfo, withoutPod, withPod } from '../../cloud/core/scheduler/snapshot.ts'
import { World } from '../../cloud/core/scheduler/world.ts'
import type { Node } from '../../cloud/resources/node.ts'
import type { Pod } from '../../cloud/resources/pod.ts'
import type { PodSpec } from '../../protocol/pod.ts'

const ZONE = 'topology.kubernetes.io/zone'
const term = (app: string, topologyKey: string) => ({ labelSelector: { matchLabels: { app } }, topologyKey })

/** Wishes of a pod, by number. */
const WISHES: readonly Partial<PodSpec>[] = [
  {},
  {
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: ZONE, whenUnsatisfiable: 'DoNotSchedule', labelSelector: { matchLabels: { app: 'a' } } }],
  },
  {
    topologySpreadConstraints: [{ maxSkew: 1, topologyKey: ZONE, whenUnsatisfiable: 'ScheduleAnyway', labelSelector: { matchLabels: { app: 'b' } } }],
  },
  { affinity: { podAntiAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('a', 'kubernetes.io/hostname')] } } },
  { affinity: { podAffinity: { requiredDuringSchedulingIgnoredDuringExecution: [term('b', ZONE)] } } },
  { affinity: { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: [{ weight: 7, podAffinityTerm: term('b', ZONE) }] } } },
  { nodeSelector: { [ZONE]: 'z1' } },
  { tolerations: [{ operator: 'Exists' }] },
]

const nodeOf = (index: number, taint: number): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: `gw-${index}`, labels: { 'kubernetes.io/hostname': `gw-${index}`, ...(index === 5 ? {} : { [ZONE]: `z${index % 3}` }) } },
  spec: taint === 0 ? {} : { taints: [{ key: 'site', effect: taint === 1 ? 'PreferNoSchedule' : 'NoSchedule' }] },
  status: { allocatable: { cpu: '2', memory: '2Gi', pids: 4096, pods: 6 }, conditions: [{ type: 'Ready', status: 'True' }] },
})

const podOf = (index: number, { app, wish, cpu, priority }: { app: string; wish: number; cpu: number; priority: number }): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: `pod-${index}`, namespace: 'default', uid: `uid-${index}`, labels: { app } },
  spec: { containers: [{ name: 'main', image: 'x', resources: { requests: { cpu: `${cpu}m` } } }], priority, ...WISHES[wish] },
})

const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('pod' as const),
      app: fc.constantFrom('a', 'b'),
      wish: fc.nat(WISHES.length - 1),
      cpu: fc.constantFrom(100, 100, 400),
      priority: fc.nat(2),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(40) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('node' as const), index: fc.nat(5), taint: fc.nat(2) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('gone' as const), index: fc.nat(5) }) },
)

/** A score that says nothing of any device, which still keeps the engine from its short way. */
const THE_LONG_WAY: Profile = {
  ...DEFAULT_PROFILE,
  worldScores: [...(DEFAULT_PROFILE.worldScores ?? []), { plugin: { name: 'Nothing', preScore: () => null }, weight: 1 }],
}

test('a world that is kept decides as one that is made anew, whatever happened before', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 50 }), (steps) => {
      const world = new World([0, 1, 2, 3].map((index) => nodeInfo(nodeOf(index, 0), [])))
      const engine = new Engine(DEFAULT_PROFILE, world)
      const placed: { readonly uid: string; readonly node: string }[] = []
      for (const [index, one] of steps.entries()) {
        if (one.kind === 'node') world.set(nodeInfo(nodeOf(one.index, one.taint), world.get(`gw-${one.index}`)?.pods.values() ?? []))
        if (one.kind === 'gone') world.remove(`gw-${one.index}`)
        if (one.kind === 'end') {
          const [gone] = placed.splice(one.which % Math.max(1, placed.length), 1)
          const node = gone === undefined ? undefined : world.get(gone.node)
          if (gone !== undefined && node !== undefined) world.set(withoutPod(node, gone.uid))
        }
        if (one.kind !== 'pod') continue
        const info = podInfo(podOf(index, one))
        const decision = engine.decide(info)
        expect(decision).toEqual(schedule(THE_LONG_WAY, info, new Map([...world.byName].toReversed())))
        if (decision.kind === 'none') {
          const before = [...world.nodes]
          const room = preempt(DEFAULT_PROFILE, info, world)
          expect([...world.nodes]).toEqual(before)
          if (room !== null) expect(room.victims.every((victim) => victim.priority < info.priority)).toBe(true)
          continue
        }
        const node = world.get(decision.node)
        if (node === undefined) throw new Error('placed on a node that does not exist')
        world.set(withPod(node, info))
        placed.push({ uid: info.uid, node: node.name })
      }
      for (const { allocatable, requested } of world.nodes)
        for (const [name, amount] of Object.entries(requested)) expect(amount).toBeLessThanOrEqual(allocatable[name] ?? 0)
    }),
    { numRuns: 200 },
  )
})
