/** How a device is laid out, as the cloud tells it: from inventory or Node, pods, reports, readings and the scheduler's plan. */
import { afterEach, describe, expect, it } from 'vitest'
import { topologyText } from '../cloud/cli/topology.ts'
import { topologyAnswer } from '../cloud/core/topology-answer.ts'
import { CPU_POLICY_ANNOTATION } from '../cloud/core/scheduler/pod-asks.ts'
import type { Node } from '../cloud/resources/node.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { Telemetry } from '../protocol/telemetry.ts'
import { FakeFleet } from './fakes/fleet.ts'

const OWN = { cpu: '1', memory: '64Mi' }
const podOf = (name: string, more: object = {}, own = true): Parameters<FakeFleet['create']>[0] => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, ...(own ? { annotations: { [CPU_POLICY_ANNOTATION]: 'static' } } : {}) },
  spec: { containers: [{ name: 'main', image: 'app:1', ...(own ? { resources: { requests: OWN, limits: OWN } } : {}) }], ...more },
})

describe('the topology of a device', () => {
  let fleet = new FakeFleet()
  afterEach(() => fleet.controllers?.stop())

  it('tells who has which CPUs and PIDs, and where waiting pods would go', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    fleet.device('gw-1').numaNodes = [{ id: 0, cpus: '0-3' }]
    await fleet.join('gw-1')
    await fleet.create(podOf('vision'))
    await fleet.create(podOf('web', {}, false))
    await fleet.clock.advance(1_000)
    await fleet.create(podOf('gated', { schedulingGates: [{ name: 'example.com/hold' }] }))
    await fleet.clock.advance(1_000)
    const uid = fleet.device('gw-1').held?.pods.find(({ name }) => name === 'vision')?.uid ?? ''
    const sample = { at: new Date(fleet.clock.nowMs()).toISOString(), spanSeconds: 10, pods: { [uid]: { pids: 4 } } }
    fleet.device('gw-1').send('telemetry', { device: 'gw-1', dropped: 0, samples: [sample] } satisfies Telemetry)
    await fleet.clock.advance(100)
    const answer = fleet.controllers?.topologyOf('gw-1')
    const rows = answer?.facts.places.map(({ name, cpus, pids, when }) => [name, cpus, pids, when])
    const limit = LIMITS.defaultPidsPerPod.value
    expect(rows).toEqual([
      ['default/vision', '0', `4 in all; at most ${limit}`, 'both'],
      ['default/web', '', `at most ${limit}`, 'both'],
      ['default/gated', '1', `at most ${limit}`, 'plan'],
    ])
    expect(topologyText('gw-1', answer?.facts)).toBe(
      [
        '  NODE  CPUS    WORKLOAD                         PIDS',
        'node 0: memory not known',
        `  0     0       A default/vision                 4 in all; at most ${limit}`,
        `  0     1       C default/gated (would go here)  at most ${limit}`,
        '  0     2-3     shared by workloads without CPUs of their own',
        `  any   shared  B default/web                    at most ${limit}`,
        '',
      ].join('\n'),
    )
    expect(fleet.controllers?.topologyOf('gw-2')).toBeNull()
  })

  it('is drawn from the Node while the device was not heard, and from nothing where nothing is known', () => {
    const node = (annotations: Node['metadata']['annotations']): Node => ({
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'gw-1', ...(annotations === undefined ? {} : { annotations }) },
    })
    const asked = { inventory: null, pods: [], report: null, pidsUsed: new Map<string, number>(), planned: [] }
    const kept = JSON.stringify({ threads: 2, onlineCpus: '0-1', numaNodes: [{ id: 3, cpus: '0-1' }] })
    expect(topologyAnswer({ ...asked, node: node({ 'skerry.dev/topology': kept }) }).facts.nodes.map(({ id, cpus }) => [id, cpus])).toEqual([
      [3, '0-1'],
    ])
    for (const broken of [undefined, {}, { 'skerry.dev/topology': '{' }, { 'skerry.dev/topology': '[1]' }])
      expect(topologyText('gw-1', topologyAnswer({ ...asked, node: node(broken) }).facts)).toBe('gw-1 has not told how it is laid out\n')
  })
})
