import { describe, expect, test } from 'vitest'
import { podInfo } from '../cloud/core/scheduler/pod-info.ts'
import { preempt } from '../cloud/core/scheduler/preempt.ts'
import { profilesOf } from '../cloud/core/scheduler/profile-config.ts'
import { DEFAULT_PROFILE } from '../cloud/core/scheduler/profile.ts'
import type { PluginEntry } from '../cloud/core/scheduler/plugin-table.ts'
import { schedule } from '../cloud/core/scheduler/schedule.ts'
import { buildSnapshot } from '../cloud/core/scheduler/snapshot.ts'
import { answerWhy } from '../cloud/core/scheduler/why.ts'
import { World } from '../cloud/core/scheduler/world.ts'
import type { Node } from '../cloud/resources/node.ts'
import type { Pod } from '../cloud/resources/pod.ts'

const node = (name: string, cpu: string): Node => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name },
  status: { allocatable: { cpu, memory: '4Gi', pods: 10, pids: 4096 }, conditions: [{ type: 'Ready', status: 'True' }] },
})

const pod = (name: string, cpu: string, priority: number, on?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: `uid-${name}` },
  spec: {
    priority,
    containers: [{ name: 'main', image: 'x', resources: { requests: { cpu } } }],
    ...(on === undefined ? {} : { nodeName: on }),
  },
})

describe('profiles', () => {
  test('another strategy places otherwise', () => {
    const made = profilesOf({
      profiles: [{ schedulerName: 'packer', pluginConfig: [{ name: 'NodeResourcesFit', args: { scoringStrategy: { type: 'MostAllocated' } } }] }],
    })
    if (!made.ok) throw new Error(made.faults.join())
    expect(made.profiles.map(({ name }) => name)).toEqual(['default-scheduler', 'packer'])
    const snapshot = buildSnapshot([node('gw-1', '4'), node('gw-2', '4')], [pod('old', '2', 0, 'gw-2')])
    const placed = made.profiles.map((profile) => schedule({ ...profile, scores: profile.scores.slice(0, 3) }, podInfo(pod('new', '1', 0)), snapshot))
    expect(placed.map((decision) => (decision.kind === 'node' ? decision.node : null))).toEqual(['gw-1', 'gw-2'])
  })

  test('a plugin from outside is asked', () => {
    const own: PluginEntry = {
      name: 'NeverTheFirst',
      weight: 1,
      create: () => ({
        ok: true,
        parts: {
          filter: {
            name: 'NeverTheFirst',
            filter: (_, one) => (one.name === 'gw-1' ? [{ code: 'placement.node.other', facts: { needs: 'any other' } }] : []),
          },
        },
      }),
    }
    const made = profilesOf({ profiles: [{ schedulerName: 'mine', plugins: { enabled: [{ name: 'NeverTheFirst' }] } }] }, [own])
    if (!made.ok) throw new Error(made.faults.join())
    const snapshot = buildSnapshot([node('gw-1', '4'), node('gw-2', '4')], [])
    const placed = made.profiles.map((profile) => schedule(profile, podInfo(pod('new', '1', 0)), snapshot))
    expect(placed.map((decision) => (decision.kind === 'node' ? decision.node : null))).toEqual(['gw-1', 'gw-2'])
  })

  test('every fault of a configuration is told', () => {
    const made = profilesOf({
      profiles: [
        {
          schedulerName: 'x',
          plugins: { enabled: [{ name: 'Nothing' }] },
          pluginConfig: [{ name: 'InterPodAffinity', args: { hardPodAffinityWeight: 101 } }],
        },
      ],
    })
    expect(made.ok ? [] : made.faults).toHaveLength(2)
  })
})

describe('preemption', () => {
  test('takes the fewest and least important pods, and none of equal priority', () => {
    const nodes = [node('gw-1', '2'), node('gw-2', '2')]
    const running = [pod('a', '1', 5, 'gw-1'), pod('b', '1', 1, 'gw-1'), pod('c', '1', 7, 'gw-2'), pod('d', '1', 7, 'gw-2')]
    const world = new World(buildSnapshot(nodes, running).values())
    const room = preempt(DEFAULT_PROFILE, podInfo(pod('new', '1', 6)), world)
    expect([room?.node, room?.victims.map(({ key }) => key)]).toEqual(['gw-1', ['default/b']])
    expect(preempt(DEFAULT_PROFILE, podInfo(pod('new', '1', 1)), world)).toBeNull()
    const never = pod('new', '1', 9)
    expect(preempt(DEFAULT_PROFILE, podInfo({ ...never, spec: { ...never.spec, preemptionPolicy: 'Never' } }), world)).toBeNull()
  })
})

describe('why', () => {
  const ask = (nodes: readonly Node[], running: readonly Pod[], asked: Pod) =>
    answerWhy({
      profile: DEFAULT_PROFILE,
      world: new World(buildSnapshot(nodes, running).values()),
      pod: asked,
      held: null,
      nowMs: 0,
      node: null,
    })

  test('tells changes that are enough, and leaves the world as it was', () => {
    const tainted: Node = { ...node('gw-2', '4'), spec: { taints: [{ key: 'site', value: 'lab', effect: 'NoSchedule' }] } }
    const answer = ask([node('gw-1', '1'), tainted], [], pod('new', '2', 0))
    expect(answer.sentence).toContain('0 of 2 devices can take this pod')
    expect(answer.suggestions).toEqual([
      { node: 'gw-1', changes: ['ask for at most 1 cpu (now 2)'] },
      { node: 'gw-2', changes: ['let the pod tolerate site=lab:NoSchedule'] },
    ])
    expect(answer.funnel).toEqual([
      { plugin: 'TaintToleration', left: 1 },
      { plugin: 'NodeResourcesFit', left: 0 },
    ])
  })

  test('names the pod to move where nothing is free', () => {
    const answer = ask([node('gw-1', '1')], [pod('old', '1', 0, 'gw-1')], pod('new', '500m', 0))
    expect(answer.suggestions).toEqual([{ node: 'gw-1', changes: ['move default/old away from gw-1'] }])
  })
})
