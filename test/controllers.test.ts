import { afterEach, describe, expect, test } from 'vitest'
import { cause } from '../protocol/causes.ts'
import type { DaemonSet } from '../cloud/resources/daemon-set.ts'
import type { Deployment } from '../cloud/resources/deployment.ts'
import type { Event } from '../cloud/resources/event.ts'
import type { Mute } from '../cloud/resources/mute.ts'
import type { Node } from '../cloud/resources/node.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import type { ReplicaSet } from '../cloud/resources/replica-set.ts'
import { LIMITS } from '../protocol/limits.ts'
import { openMemoryStore } from '../cloud/store/memory-store.ts'
import type { Store } from '../cloud/ports.ts'
import { virtualClock } from './fakes/virtual-clock.ts'
import { daemonSet, deployment, FakeFleet } from './fakes/fleet.ts'

let fleet = new FakeFleet()
afterEach(async () => {
  await fleet.controllers?.stop()
  expect(fleet.logs.filter((line) => line.level === 'warn' && line.msg.startsWith('work failed'))).toEqual([])
})

async function fresh(...devices: readonly string[]): Promise<void> {
  fleet = new FakeFleet()
  await fleet.start()
  await fleet.join(...devices)
}

const setImage =
  (image: string) =>
  (object: { spec: Record<string, never> }): void => {
    const spec = object.spec as unknown as Deployment['spec']
    Object.assign(spec.template.spec.containers[0] ?? {}, { image })
  }
const condition = (object: { status?: Pod['status'] | Node['status'] | Deployment['status'] }, type: string) =>
  object.status?.conditions?.find((one) => one.type === type)
const podsOf = (image: string, pods: readonly Pod[]): number => pods.filter((pod) => pod.spec.containers[0]?.image === image).length

describe('a Deployment', () => {
  test('becomes one document, running pods and a complete rollout', async () => {
    await fresh('gw-1')
    const before = fleet.published.length
    await fleet.create(deployment('web', 3, 'web:1'))
    await fleet.clock.advance(100)
    expect(fleet.published.length - before).toBe(1)
    expect(fleet.device('gw-1').held?.pods).toHaveLength(3)
    const pods = await fleet.list<Pod>('pods')
    expect(pods.map((pod) => [pod.spec.nodeName, pod.status?.phase, condition(pod, 'Ready')?.status])).toEqual(
      Array.from({ length: 3 }, () => ['gw-1', 'Running', 'True']),
    )
    const [done] = await fleet.list<Deployment>('deployments.apps')
    expect(done?.status).toMatchObject({ observedGeneration: 1, replicas: 3, updatedReplicas: 3, readyReplicas: 3, availableReplicas: 3 })
    expect(done && condition(done, 'Progressing')).toMatchObject({ status: 'True', reason: 'NewReplicaSetAvailable' })
    expect(done?.metadata.annotations?.['deployment.kubernetes.io/revision']).toBe('1')
  })

  test('fifty pods need at most two documents', async () => {
    await fresh('gw-1')
    const before = fleet.published.length
    await fleet.create(deployment('many', 50, 'web:1', {}, { resources: { requests: { cpu: '10m', memory: '8Mi' }, limits: { pids: 64 } } }))
    await fleet.clock.advance(200)
    expect(fleet.device('gw-1').held?.pods).toHaveLength(50)
    expect(fleet.published.length - before).toBeLessThanOrEqual(2)
  })

  test('rolls to a new image and back, reusing the old ReplicaSet', async () => {
    await fresh('gw-1', 'gw-2')
    await fleet.create(deployment('web', 4, 'web:1'))
    await fleet.clock.advance(200)
    await fleet.edit('deployments.apps', 'web', setImage('web:2'))
    await fleet.clock.advance(2000)
    expect((await fleet.list<Pod>('pods')).map((pod) => pod.spec.containers[0]?.image)).toEqual(['web:2', 'web:2', 'web:2', 'web:2'])
    await fleet.edit('deployments.apps', 'web', setImage('web:1'))
    await fleet.clock.advance(2000)
    const pods = await fleet.list<Pod>('pods')
    expect(podsOf('web:1', pods)).toBe(4)
    const sets = await fleet.list<ReplicaSet>('replicasets.apps')
    expect(sets.map((set) => [set.spec.replicas, set.metadata.annotations?.['deployment.kubernetes.io/revision']]).sort()).toEqual([
      [0, '2'],
      [4, '3'],
    ])
    const [done] = await fleet.list<Deployment>('deployments.apps')
    expect(done && condition(done, 'Progressing')?.reason).toBe('NewReplicaSetAvailable')
  })

  test('a broken image stops the rollout with the old pods serving, and the deadline says so', async () => {
    await fresh('gw-1')
    fleet.device('gw-1').neverReady.add('web:broken')
    await fleet.create(deployment('web', 4, 'web:1', { progressDeadlineSeconds: 60 }))
    await fleet.clock.advance(200)
    await fleet.edit('deployments.apps', 'web', setImage('web:broken'))
    await fleet.clock.advance(120_000)
    fleet.device('gw-1').report()
    await fleet.clock.advance(100)
    expect(podsOf('web:1', await fleet.list<Pod>('pods'))).toBe(3)
    const [stuck] = await fleet.list<Deployment>('deployments.apps')
    expect(stuck && condition(stuck, 'Progressing')).toMatchObject({ status: 'False', reason: 'ProgressDeadlineExceeded' })
    expect(stuck && condition(stuck, 'Available')?.status).toBe('True')
  })

  test('with a host port moves on the only device there is, unless nothing may be missing', async () => {
    await fresh('gw-1')
    const port = { ports: [{ containerPort: 80, hostPort: 8080 }] }
    await fleet.create(deployment('web', 1, 'web:1', {}, port))
    const strict = { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } } }
    await fleet.create(deployment('strict', 1, 'strict:1', strict, { ports: [{ containerPort: 80, hostPort: 9090 }] }))
    await fleet.clock.advance(200)
    await fleet.edit('deployments.apps', 'web', setImage('web:2'))
    await fleet.edit('deployments.apps', 'strict', setImage('strict:2'))
    await fleet.clock.advance(2000)
    const pods = await fleet.list<Pod>('pods')
    expect([podsOf('web:1', pods), podsOf('web:2', pods), podsOf('strict:1', pods), podsOf('strict:2', pods)]).toEqual([0, 1, 1, 1])
    const waiting = pods.find((pod) => pod.spec.containers[0]?.image === 'strict:2')
    expect(waiting && condition(waiting, 'PodScheduled')?.message).toBe('0 of 1 devices can take this pod: 1 with host port 9090 taken.')
  })

  test('says which devices cannot take a pod, and places it when one can', async () => {
    await fresh('gw-1', 'gw-2')
    await fleet.create(deployment('big', 1, 'big:1', {}, { resources: { requests: { memory: '6Gi' } } }))
    await fleet.clock.advance(100)
    const [waiting] = await fleet.list<Pod>('pods')
    expect(waiting && condition(waiting, 'PodScheduled')).toMatchObject({
      status: 'False',
      reason: 'Unschedulable',
      message: '0 of 2 devices can take this pod: 2 too little memory (needs 6Gi, most free 4Gi).',
    })
    const told = fleet.controllers?.whyPod('default', waiting?.metadata.name ?? '')
    expect(told?.nodes.map(({ node, causes }) => [node, causes.map(({ code }) => code)])).toEqual([
      ['gw-1', ['placement.memory.short']],
      ['gw-2', ['placement.memory.short']],
    ])
    fleet.device('gw-2').memoryBytes = 8 * 1024 ** 3
    fleet.device('gw-2').inventory()
    await fleet.clock.advance(100)
    expect((await fleet.list<Pod>('pods')).map((pod) => pod.spec.nodeName)).toEqual(['gw-2'])
  })
})

describe('ends', () => {
  test('a pod object goes only after its device removed it', async () => {
    await fresh('gw-1')
    await fleet.create(deployment('web', 2, 'web:1'))
    await fleet.clock.advance(100)
    fleet.device('gw-1').slowToRemove = true
    await fleet.edit('deployments.apps', 'web', (object) => Object.assign(object.spec, { replicas: 1 }))
    await fleet.clock.advance(200)
    expect((await fleet.list<Pod>('pods')).filter((pod) => pod.metadata.deletionTimestamp !== undefined)).toHaveLength(1)
    fleet.device('gw-1').removing = []
    fleet.device('gw-1').report()
    await fleet.clock.advance(100)
    expect(await fleet.list<Pod>('pods')).toHaveLength(1)
  })

  test('an offline device keeps its terminating pod until it comes back', async () => {
    await fresh('gw-1')
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(100)
    fleet.device('gw-1').cut()
    await fleet.store.delete('deployments.apps', 'default', 'web', null)
    await fleet.clock.advance(5000)
    expect(await fleet.list<ReplicaSet>('replicasets.apps')).toEqual([])
    expect((await fleet.list<Pod>('pods')).map((pod) => pod.metadata.deletionTimestamp !== undefined)).toEqual([true])
    fleet.device('gw-1').boot('gw-1-s2')
    await fleet.clock.advance(500)
    expect(await fleet.list<Pod>('pods')).toEqual([])
    expect(fleet.device('gw-1').held?.pods).toEqual([])
  })

  test('a deleted namespace empties and goes', async () => {
    await fresh('gw-1')
    await fleet.create({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'site' } })
    const web = deployment('web', 1, 'web:1')
    await fleet.create({ ...web, metadata: { ...web.metadata, namespace: 'site' } })
    await fleet.create({ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'site' }, data: { a: 'b' } })
    await fleet.clock.advance(200)
    expect(fleet.device('gw-1').held?.pods).toHaveLength(1)
    await fleet.edit('namespaces', 'site', (object) => Object.assign(object.metadata, { deletionTimestamp: '2026-01-01T00:00:00Z' }), '')
    await fleet.clock.advance(2000)
    expect(await fleet.list('namespaces')).toEqual([])
    expect(await fleet.list('pods')).toEqual([])
    expect(await fleet.list('configmaps')).toEqual([])
  })

  test('a removed Node frees its pods, which are made again elsewhere', async () => {
    await fresh('gw-1')
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(100)
    fleet.device('gw-1').online = false
    await fleet.join('gw-2')
    await fleet.store.delete('nodes', '', 'gw-1', null)
    await fleet.clock.advance(500)
    expect((await fleet.list<Pod>('pods')).map((pod) => pod.spec.nodeName)).toEqual(['gw-2'])
  })
})

describe('a DaemonSet', () => {
  test('updates reachable devices, skips the one that is cut off, and finishes when it returns', async () => {
    await fresh('gw-1', 'gw-2', 'gw-3')
    await fleet.create(daemonSet('agent', 'a:1'))
    await fleet.clock.advance(500)
    expect([...fleet.devices.values()].map((device) => device.held?.pods[0]?.spec.containers[0]?.image)).toEqual(['a:1', 'a:1', 'a:1'])
    fleet.device('gw-3').cut()
    await fleet.clock.advance(4000)
    await fleet.edit('daemonsets.apps', 'agent', setImage('a:2'))
    await fleet.clock.advance(5000)
    expect([...fleet.devices.values()].map((device) => device.held?.pods.map((pod) => pod.spec.containers[0]?.image))).toEqual([
      ['a:2'],
      ['a:2'],
      ['a:1'],
    ])
    const untouched = (await fleet.list<Pod>('pods')).find((pod) => pod.spec.nodeName === 'gw-3')
    expect([untouched?.metadata.deletionTimestamp, untouched?.spec.containers[0]?.image]).toEqual([undefined, 'a:1'])
    fleet.device('gw-3').boot('gw-3-s2')
    await fleet.clock.advance(5000)
    expect(fleet.device('gw-3').held?.pods.map((pod) => pod.spec.containers[0]?.image)).toEqual(['a:2'])
    const [done] = await fleet.list<DaemonSet>('daemonsets.apps')
    expect(done?.status).toMatchObject({ desiredNumberScheduled: 3, updatedNumberScheduled: 3, numberAvailable: 3, observedGeneration: 2 })
  })
})

describe('documents', () => {
  test('a broker reconnect sends all of them again, unchanged', async () => {
    await fresh('gw-1', 'gw-2')
    await fleet.create(daemonSet('agent', 'a:1'))
    await fleet.clock.advance(500)
    const before = fleet.published.length
    const last = new Map(fleet.published.map((document) => [document.device, [document.generation, document.digest]]))
    await fleet.reconnect()
    expect(
      fleet.published
        .slice(before)
        .map((document) => [document.device, [document.generation, document.digest]])
        .sort(),
    ).toEqual([...last].sort())
  })

  test('after a restart with its own broker only those that come back with another one are sent theirs', async () => {
    fleet = new FakeFleet()
    fleet.brokerIsOurs = true
    await fleet.start()
    await fleet.join('gw-1', 'gw-2', 'gw-3')
    await fleet.create(daemonSet('agent', 'a:1'))
    await fleet.clock.advance(500)
    await fleet.controllers?.stop()
    const before = fleet.published.length
    await fleet.start()
    await fleet.reconnect()
    const [lost, newest] = [fleet.device('gw-2'), fleet.device('gw-2').held]
    lost.held = null
    fleet.device('gw-1').boot('gw-1-s2')
    lost.boot('gw-2-s2')
    await fleet.clock.advance(60_000)
    expect(fleet.published.slice(before).map(({ device, generation, digest }) => [device, generation, digest])).toEqual([
      ['gw-2', newest?.generation, newest?.digest],
    ])
    // one that stopped its work when it was alone goes on with the next word, also if it says nothing new
    const [first] = fleet.device('gw-1').held?.pods ?? []
    fleet.device('gw-1').refuses.set('a:1', cause('policy.disconnect.stopped', { after: 60 }))
    fleet.device('gw-1').report()
    await fleet.clock.advance(60_000)
    expect(fleet.published.slice(before + 1).map(({ device, pods }) => [device, pods[0]?.uid])).toContainEqual(['gw-1', first?.uid])
    await fleet.edit('daemonsets.apps', 'agent', setImage('a:2'))
    await fleet.clock.advance(5_000)
    expect(fleet.device('gw-1').held?.pods[0]?.spec.containers[0]?.image).toBe('a:2')
    expect(fleet.asked).toEqual([])
  })

  test('who was connected all along is asked for its report, once, unless the broker handed one over', async () => {
    await fresh('gw-1', 'gw-2')
    fleet.device('gw-2').online = false
    await fleet.restart()
    fleet.device('gw-1').report()
    await fleet.clock.advance(60_000)
    expect(fleet.asked.filter((device) => device === 'gw-1')).toEqual([])
    expect(fleet.asked.filter((device) => device === 'gw-2')).toHaveLength(1)
  })

  test('a restart in the middle of a rollout resumes it', async () => {
    await fresh('gw-1')
    await fleet.create(deployment('web', 4, 'web:1'))
    await fleet.clock.advance(200)
    await fleet.edit('deployments.apps', 'web', setImage('web:2'))
    await fleet.clock.advance(2)
    await fleet.restart()
    await fleet.clock.advance(2000)
    const pods = await fleet.list<Pod>('pods')
    expect([podsOf('web:1', pods), podsOf('web:2', pods)]).toEqual([0, 4])
    expect(fleet.device('gw-1').refused).toBe(0)
  })

  test('duplicate and old messages change nothing', async () => {
    await fresh('gw-1')
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(200)
    const [revision, sent] = [await fleet.store.revision(), fleet.published.length]
    const device = fleet.device('gw-1')
    for (let round = 0; round < 3; round += 1) device.report()
    device.seq = 0
    device.inventory()
    device.send('presence', { device: 'gw-1', sid: 'an-old-session', state: 'off' })
    await fleet.clock.advance(200)
    expect([await fleet.store.revision(), fleet.published.length]).toEqual([revision, sent])
  })

  test('a device that holds a newer document is not sent a lower one until the epoch is raised', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    const device = fleet.device('gw-1')
    device.held = { device: 'gw-1', epoch: 1, generation: 40, issuedAt: 'x', digest: 'f'.repeat(64), pods: [] }
    await fleet.join('gw-1')
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(500)
    expect(fleet.published).toEqual([])
    const [node] = await fleet.list<Node>('nodes')
    expect(node && condition(node, 'IdentityOrEpochConflict')).toMatchObject({ status: 'True', reason: 'DeviceAhead' })
    expect(await fleet.controllers?.raiseEpoch()).toBe(2)
    await fleet.clock.advance(500)
    expect([device.held?.epoch, device.held?.generation, device.held?.pods.length, device.refused]).toEqual([2, 1, 1, 0])
    const [after] = await fleet.list<Node>('nodes')
    expect(after && condition(after, 'IdentityOrEpochConflict')?.status).toBe('False')
  })

  test('a device whose disk fell back gets the newest document again', async () => {
    await fresh('gw-1')
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(200)
    const device = fleet.device('gw-1')
    const newest = device.held
    device.held = null
    device.boot('gw-1-s2')
    await fleet.clock.advance(200)
    expect(device.held).toMatchObject({ generation: newest?.generation, digest: newest?.digest })
  })
})

describe('damaged devices', () => {
  test('one that fell back to an older file but remembers its highest number gets the newest document again', async () => {
    await fresh('gw-1')
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(200)
    const before = fleet.published.length
    const device = fleet.device('gw-1')
    const { epoch, generation } = device.held ?? { epoch: 0, generation: 0 }
    device.send('hello', { device: 'gw-1', sid: 'gw-1-s2', agentVersion: '0.1.0', formats: [1], epoch, generation, digest: 'a'.repeat(64) })
    await fleet.clock.advance(200)
    expect(fleet.published.slice(before).map((document) => document.generation)).toEqual([generation])
    const [node] = await fleet.list<Node>('nodes')
    expect(node && condition(node, 'IdentityOrEpochConflict')?.status).toBe('False')
  })
})

describe('devices', () => {
  test('one that is away stays unknown through a restart of the cloud: nobody has heard it yet', async () => {
    await fresh('gw-1')
    await fleet.create(daemonSet('web', 'web:1'))
    await fleet.clock.advance(200)
    fleet.device('gw-1').cut()
    await fleet.clock.advance(4000)
    const before = (await fleet.list<Node>('nodes'))[0]
    expect(before && condition(before, 'Ready')?.status).toBe('Unknown')
    await fleet.restart()
    await fleet.clock.advance(200)
    const after = (await fleet.list<Node>('nodes'))[0]
    expect(after && condition(after, 'Ready')).toEqual(before && condition(before, 'Ready'))
    fleet.device('gw-1').boot('gw-1-s2')
    await fleet.clock.advance(200)
    const back = (await fleet.list<Node>('nodes'))[0]
    expect(back && condition(back, 'Ready')?.status).toBe('True')
  })

  test('one that takes another connection, or starts its agent anew, is never called silent', async () => {
    await fresh('gw-1')
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(200)
    const state = async (): Promise<unknown> => [(await fleet.list<Node>('nodes'))[0]?.status?.conditions, await fleet.list<Pod>('pods')]
    const before = await state()
    const device = fleet.device('gw-1')
    for (const pauseMs of [0, 100, 2_500]) {
      device.send('presence', { device: 'gw-1', sid: device.sid, state: 'off' })
      await fleet.clock.advance(pauseMs)
      device.send('presence', { device: 'gw-1', sid: device.sid, state: 'on' })
      await fleet.clock.advance(60_000)
      expect(await state()).toEqual(before)
    }
    device.cut()
    await fleet.clock.advance(2_900)
    expect(await state()).toEqual(before)
    await fleet.clock.advance(200)
    expect((await fleet.list<Node>('nodes'))[0]?.status?.conditions).toContainEqual(expect.objectContaining({ type: 'Ready', status: 'Unknown' }))
  })

  test('one on a metered link may be quiet for as long as it says, and no longer', async () => {
    await fresh('gw-1', 'gw-2')
    fleet.device('gw-1').send('presence', { device: 'gw-1', sid: fleet.device('gw-1').sid, state: 'on', quietS: 10_800 })
    await fleet.clock.advance(200)
    const ready = async (): Promise<readonly (string | undefined)[]> =>
      (await fleet.list<Node>('nodes')).map((node) => condition(node, 'Ready')?.status)
    expect(await ready()).toEqual(['True', 'True'])
    await fleet.clock.advance(1_300_000)
    expect(await ready()).toEqual(['True', 'Unknown'])
    await fleet.clock.advance(10_700_000 - 1_300_000)
    expect(await ready()).toEqual(['True', 'Unknown'])
    await fleet.clock.advance(200_000)
    expect(await ready()).toEqual(['Unknown', 'Unknown'])
  })

  test('that gives all its pods for new ones is told so once', async () => {
    // as on a disk: what is written takes its time, and controllers wait for it
    const [clock, store] = [virtualClock(), openMemoryStore()]
    let tookMs = 0
    const written = (): Promise<void> => new Promise((resolve) => (tookMs === 0 ? resolve() : void clock.after(tookMs, resolve)))
    const [create, update, remove] = [store.create.bind(store), store.update.bind(store), store.delete.bind(store)]
    const late: Pick<Store, 'create' | 'update' | 'delete'> = {
      create: (...what) => written().then(() => create(...what)),
      update: (...what) => written().then(() => update(...what)),
      delete: (...what) => written().then(() => remove(...what)),
    }
    fleet = new FakeFleet(Object.assign(store, late), clock)
    await fleet.start()
    await fleet.join('gw-1')
    await fleet.clock.advance(500)
    const strategy = { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%', maxSurge: 0 } }
    const small = { resources: { requests: { cpu: '10m', memory: '8Mi' } } }
    await fleet.create(deployment('web', 10, 'web:1', { strategy }, small))
    await fleet.clock.advance(500)
    const before = fleet.published.length
    await fleet.edit('deployments.apps', 'web', setImage('web:2'))
    tookMs = 3
    await fleet.clock.advance(500)
    tookMs = 0
    const sent = fleet.published.slice(before).map(({ pods }) => pods.map(({ spec }) => spec.containers[0]?.image))
    expect(sent).toEqual([Array.from({ length: 10 }, () => 'web:2')])
  })

  test('one whose last report a broker lost is asked for it, and no other one', async () => {
    await fresh('gw-1', 'gw-2')
    const alive = (name: string, seq: number): void => {
      const { sid } = fleet.device(name)
      fleet.device(name).send('presence', { device: name, sid, state: 'on', seq })
    }
    fleet.asked.length = 0
    fleet.device('gw-1').seq += 1
    alive('gw-1', fleet.device('gw-1').seq)
    alive('gw-2', fleet.device('gw-2').seq)
    await fleet.clock.advance(LIMITS.askReportsMs.value + 100)
    expect(fleet.asked).toEqual(['gw-1'])
    // it has answered
    alive('gw-1', fleet.device('gw-1').seq)
    await fleet.clock.advance(LIMITS.askReportsMs.value + 100)
    expect(fleet.asked).toEqual(['gw-1'])
  })

  test('one that goes silent is shown unknown, its pods stay, and it recovers', async () => {
    await fresh('gw-1')
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(200)
    const [pod] = await fleet.list<Pod>('pods')
    fleet.device('gw-1').online = false
    await fleet.clock.advance(1_300_000)
    const [silent] = await fleet.list<Node>('nodes')
    expect(silent && condition(silent, 'Ready')?.status).toBe('Unknown')
    const kept = await fleet.list<Pod>('pods')
    expect(kept.map((one) => [one.metadata.uid, one.metadata.deletionTimestamp, condition(one, 'Ready')?.status])).toEqual([
      [pod?.metadata.uid, undefined, 'Unknown'],
    ])
    fleet.device('gw-1').boot('gw-1-s2')
    await fleet.clock.advance(200)
    expect((await fleet.list<Pod>('pods')).map((one) => [one.metadata.uid, condition(one, 'Ready')?.status])).toEqual([[pod?.metadata.uid, 'True']])
  })

  test('two agents with one identity are told', async () => {
    await fresh('gw-1')
    for (let round = 0; round < 4; round += 1) {
      fleet.device('gw-1').boot('clone-a')
      await fleet.clock.advance(1000)
      fleet.device('gw-1').boot('clone-b')
      await fleet.clock.advance(1000)
    }
    const [node] = await fleet.list<Node>('nodes')
    expect(node && condition(node, 'IdentityOrEpochConflict')).toMatchObject({ status: 'True', reason: 'IdentityConflict' })
    expect((await fleet.list<Event>('events')).some((event) => event.reason === 'IdentityConflict')).toBe(true)
  })

  test('one whose earlier session is announced once more, late, is believed again', async () => {
    await fresh('gw-1')
    const device = fleet.device('gw-1')
    const ready = async () => {
      const [pod] = await fleet.list<Pod>('pods')
      return pod && condition(pod, 'Ready')?.status
    }
    device.boot('gw-1-s2')
    await fleet.clock.advance(100)
    device.boot('gw-1-s3')
    await fleet.clock.advance(100)
    // the broker delivers what the session before said a second time, its first report with it
    const late = { device: 'gw-1', sid: 'gw-1-s2', at: '2026-01-01T00:00:00Z', state: 'on' }
    device.send('presence', late)
    device.sid = 'gw-1-s2'
    device.report()
    device.sid = 'gw-1-s3'
    device.neverReady.add('web:1')
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(LIMITS.identityConflictMs.value)
    device.neverReady.clear()
    device.report()
    await fleet.clock.advance(200)
    expect(await ready()).toBe('True')
    const [node] = await fleet.list<Node>('nodes')
    expect(node && condition(node, 'IdentityOrEpochConflict')?.status).toBe('False')
  })

  test('nothing is polled when nothing happens', async () => {
    await fresh('gw-1')
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(1000)
    const revision = await fleet.store.revision()
    await fleet.clock.advance(60_000)
    expect([await fleet.store.revision(), fleet.clock.pendingTimers()]).toEqual([revision, 2])
  })
})

describe('a Mute', () => {
  test('goes when it has ended, and not before', async () => {
    await fresh()
    const mute = (name: string, ms: number): Mute => ({
      apiVersion: 'skerry.dev/v1',
      kind: 'Mute',
      metadata: { name },
      spec: { problem: 'node.silent', until: new Date(fleet.clock.nowMs() + ms).toISOString(), reason: 'the site is closed' },
    })
    await fleet.create(mute('short', 60_000))
    await fleet.create(mute('long', 3_600_000))
    await fleet.clock.advance(2 * LIMITS.muteLookMs.value)
    expect((await fleet.list<Mute>('mutes.skerry.dev')).map(({ metadata }) => metadata.name)).toEqual(['long'])
  })
})
