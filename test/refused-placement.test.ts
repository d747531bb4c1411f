/** A device refuses a placement that its own inventory contradicts: the cloud lets the pod be made anew, elsewhere. */
import { afterEach, describe, expect, it } from 'vitest'
import { cause } from '../protocol/causes.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { Deployment } from '../cloud/resources/deployment.ts'
import type { Event } from '../cloud/resources/event.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import { daemonSet, deployment, FakeFleet } from './fakes/fleet.ts'
import { World } from './sim/world.ts'

const GONE = cause('placement.gpu.absent', { missing: 'GPU-3' })

describe('a refused placement', () => {
  let fleet = new FakeFleet()
  afterEach(() => fleet.controllers?.stop())
  const fresh = async (...devices: readonly string[]): Promise<void> => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join(...devices)
  }
  const pods = async (): Promise<readonly (readonly [string | undefined, string | undefined])[]> =>
    (await fleet.list<Pod>('pods')).map(({ spec, status }) => [spec.nodeName, status?.phase])
  const refusals = async (): Promise<readonly (string | undefined)[]> =>
    (await fleet.list<Event>('events')).filter(({ reason }) => reason === 'PlacementRefused').map(({ message }) => message)

  it('goes to another device, and people read why', async () => {
    await fresh('gw-1', 'gw-2')
    fleet.device('gw-1').refuses.set('web:1', GONE)
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(2_000)
    expect(await pods()).toEqual([['gw-2', 'Running']])
    expect(await refusals()).toEqual([
      'gw-1 refused the placement: the pod is placed on GPUs GPU-3 that are not there. Another pod is made in its place.',
    ])
    const [web] = await fleet.list<Deployment>('deployments.apps')
    expect(web?.status).toMatchObject({ readyReplicas: 1, replicas: 1 })
  })

  it('is not tried again and again on the only device there is: the pod says so, and goes there when the device has changed', async () => {
    await fresh('gw-1')
    fleet.device('gw-1').refuses.set('web:1', GONE)
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(LIMITS.placementAvoidMs.value / 2)
    fleet.device('gw-1').report()
    await fleet.clock.advance(1_000)
    expect(await refusals()).toHaveLength(1)
    const [waiting] = await fleet.list<Pod>('pods')
    expect(waiting?.spec.nodeName).toBeUndefined()
    expect(waiting?.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message).toBe(
      '0 of 1 devices can take this pod: 1 that refused such a pod a moment ago.',
    )
    const why = fleet.controllers?.whyPod('default', waiting?.metadata.name ?? '', 'gw-1')
    expect(why?.sentence).toMatch(
      /^gw-1 cannot take this pod: refused a pod of the same owner \(is placed on GPUs GPU-3 that are not there\) and is left alone until \S+Z/,
    )

    fleet.device('gw-1').refuses.clear()
    fleet.device('gw-1').cpuMilli += 1_000
    fleet.device('gw-1').inventory()
    await fleet.clock.advance(1_000)
    expect(await pods()).toEqual([['gw-1', 'Running']])
  })

  it('is tried there once more when the avoidance ends, without other news', async () => {
    await fresh('gw-1')
    fleet.device('gw-1').refuses.set('web:1', GONE)
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(10_000)
    fleet.device('gw-1').refuses.clear()
    await fleet.clock.advance(LIMITS.placementAvoidMs.value)
    expect((await pods()).map(([node]) => node)).toEqual(['gw-1'])
  })

  it('leaves a bare pod where it is, with the sentence of the device; a pod of a DaemonSet is made anew', async () => {
    await fresh('gw-1')
    fleet.device('gw-1').refuses.set('web:1', GONE)
    await fleet.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name: 'bare' }, spec: { containers: [{ name: 'main', image: 'web:1' }] } })
    await fleet.create(daemonSet('each', 'web:1'))
    await fleet.clock.advance(2_000)
    const all = await fleet.list<Pod>('pods')
    expect(all.find(({ metadata }) => metadata.name === 'bare')).toMatchObject({
      spec: { nodeName: 'gw-1' },
      status: { phase: 'Pending', message: 'is placed on GPUs GPU-3 that are not there' },
    })
    expect(all.filter(({ metadata }) => metadata.name !== 'bare').map(({ spec }) => spec.nodeName)).toEqual([undefined])
  })

  it('is of no concern to pods that run, nor to reasons that pass by themselves', async () => {
    await fresh('gw-1', 'gw-2')
    fleet.device('gw-1').refuses.set('web:1', cause('placement.cpu.not-yet-free', { needs: '1', other: 'default/a' }))
    await fleet.create(deployment('web', 1, 'web:1'))
    await fleet.clock.advance(2_000)
    expect(await pods()).toEqual([['gw-1', 'Pending']])
    expect(await refusals()).toEqual([])
  })

  it('is refused by a real agent whose hardware changed behind the back of the scheduler', async () => {
    const world = new World({ seed: 1, devices: 2 })
    await world.start()
    const [first] = world.devices
    // the cloud has not heard of it when it decides, and the device not of the decision
    world.broker.cut('gw-1')
    first?.changeCpus('1-3')
    await world.cloud.deployAlone('d', 'app:1', 1)
    await world.run(1_000)
    const bound = await world.cloud.list('pods')
    expect(bound.map((pod) => (pod['spec'] as Pod['spec']).nodeName)).toEqual(['gw-1'])
    world.broker.heal('gw-1')
    await world.run(60_000)
    const after = await world.cloud.list('pods')
    expect(after.map((pod) => (pod['status'] as Pod['status'])?.phase)).toEqual(['Running'])
    expect(after[0]?.metadata.uid).not.toBe(bound[0]?.metadata.uid)
    const events = await world.cloud.list('events')
    expect(events.map(({ message }) => message)).toContainEqual(
      'gw-1 refused the placement: the pod is placed on the CPUs 0, of which the device cannot use 0 (it can use 1-3). Another pod is made in its place.',
    )
  })
})
