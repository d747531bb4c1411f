/** StatefulSets: names that stay, one after another, volumes of their own, updates from the highest number down. */
import { afterEach, describe, expect, it } from 'vitest'
import type { PersistentVolumeClaim } from '../cloud/resources/persistent-volume-claim.ts'
import type { KubeObject } from '../cloud/resources/object.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import type { StatefulSet } from '../cloud/resources/stateful-set.ts'
import { FakeFleet } from './fakes/fleet.ts'
import { admit, manifest, ownerSpec } from './fixtures/manifests.ts'

const CLAIM = { metadata: { name: 'data' }, spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } } }

function set(replicas: number, more: object = {}, image = 'db:1'): KubeObject {
  const container = { name: 'main', image, volumeMounts: [{ name: 'data', mountPath: '/data' }] }
  return manifest('apps/v1', 'StatefulSet', {
    metadata: { name: 'db' },
    spec: ownerSpec({ replicas, serviceName: 'db', volumeClaimTemplates: [CLAIM], ...more }, { containers: [container] }),
  })
}

describe('a StatefulSet', () => {
  it.each<readonly [string, object, string]>([
    ['data that goes with it', { persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete' } }, 'spec.persistentVolumeClaimRetentionPolicy'],
    ['several at a time', { updateStrategy: { rollingUpdate: { maxUnavailable: 2 } } }, 'spec.updateStrategy.rollingUpdate.maxUnavailable'],
    ['numbers from elsewhere', { ordinals: { start: 1 } }, 'spec.ordinals'],
    [
      'a volume for many devices',
      { volumeClaimTemplates: [{ ...CLAIM, spec: { ...CLAIM.spec, accessModes: ['ReadWriteMany'] } }] },
      'spec.volumeClaimTemplates[0].spec.accessModes',
    ],
  ])('is refused with %s', (_, more, path) => {
    expect(admit(set(1, more)).issues.map((issue) => issue.path)).toEqual([path])
  })

  it('is taken as Kubernetes writes it', () => {
    expect(admit(set(1)).issues).toEqual([])
  })
})

describe('its pods', () => {
  let fleet = new FakeFleet()
  afterEach(() => fleet.controllers?.stop())
  const fresh = async (...devices: readonly string[]): Promise<void> => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join(...devices)
  }
  const pods = async (): Promise<readonly Pod[]> =>
    (await fleet.list<Pod>('pods')).toSorted((a, b) => ((a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1))
  const names = async (): Promise<readonly unknown[]> => (await pods()).map(({ metadata }) => metadata.name)
  const images = async (): Promise<readonly unknown[]> => (await pods()).map(({ spec }) => spec.containers[0]?.image)
  const status = async (): Promise<StatefulSet['status']> => (await fleet.list<StatefulSet>('statefulsets.apps'))[0]?.status
  const setImage = (image: string): Promise<void> =>
    fleet.edit('statefulsets.apps', 'db', ({ spec }) => {
      const typed = spec as unknown as StatefulSet['spec']
      Object.assign(typed.template.spec.containers[0] ?? {}, { image })
    })

  it('come in order, each with its own claim and name, and stay with their volume', async () => {
    await fresh('gw-1', 'gw-2', 'gw-3')
    await fleet.create(set(3))
    await fleet.clock.advance(5_000)
    expect(await names()).toEqual(['db-0', 'db-1', 'db-2'])
    const claims = await fleet.list<PersistentVolumeClaim>('persistentvolumeclaims')
    expect(claims.map((claim) => [claim.metadata.name, claim.status?.phase])).toEqual([0, 1, 2].map((ordinal) => [`data-db-${ordinal}`, 'Bound']))
    expect((await pods())[1]?.spec).toMatchObject({
      hostname: 'db-1',
      volumes: [{ name: 'data', persistentVolumeClaim: { claimName: 'data-db-1' } }],
    })
    expect(await status()).toMatchObject({ replicas: 3, readyReplicas: 3, updatedReplicas: 3, observedGeneration: 1 })
    const before = new Map((await pods()).map((pod) => [pod.metadata.name, pod.spec.nodeName]))
    await setImage('db:2')
    await fleet.clock.advance(20_000)
    expect(await images()).toEqual(['db:2', 'db:2', 'db:2'])
    expect(new Map((await pods()).map((pod) => [pod.metadata.name, pod.spec.nodeName]))).toEqual(before)
    const after = await status()
    expect(after?.currentRevision).toBe(after?.updateRevision)
  })

  it('wait for the one before', async () => {
    await fresh('gw-1')
    fleet.device('gw-1').neverReady.add('db:1')
    await fleet.create(set(3))
    await fleet.clock.advance(5_000)
    expect(await names()).toEqual(['db-0'])
  })

  it('come together when that is asked for', async () => {
    await fresh('gw-1')
    fleet.device('gw-1').neverReady.add('db:1')
    await fleet.create(set(3, { podManagementPolicy: 'Parallel' }))
    await fleet.clock.advance(5_000)
    expect(await names()).toEqual(['db-0', 'db-1', 'db-2'])
  })

  it('change from the highest number down, and stop at one that does not come up', async () => {
    await fresh('gw-1')
    await fleet.create(set(3))
    await fleet.clock.advance(5_000)
    fleet.device('gw-1').neverReady.add('db:broken')
    await setImage('db:broken')
    await fleet.clock.advance(20_000)
    expect(await images()).toEqual(['db:1', 'db:1', 'db:broken'])
    // as wanted again: the broken one goes, though it never was ready
    await setImage('db:1')
    await fleet.clock.advance(20_000)
    expect(await images()).toEqual(['db:1', 'db:1', 'db:1'])
  })

  it('below the partition keep their revision', async () => {
    await fresh('gw-1')
    await fleet.create(set(3, { updateStrategy: { rollingUpdate: { partition: 2 } } }))
    await fleet.clock.advance(5_000)
    await setImage('db:2')
    await fleet.clock.advance(20_000)
    expect(await images()).toEqual(['db:1', 'db:1', 'db:2'])
  })

  it('go from the highest number down, and their claims stay', async () => {
    await fresh('gw-1')
    await fleet.create(set(3))
    await fleet.clock.advance(5_000)
    await fleet.edit('statefulsets.apps', 'db', (object) => Object.assign(object.spec, { replicas: 1 }))
    await fleet.clock.advance(10_000)
    expect(await names()).toEqual(['db-0'])
    expect(await fleet.list('persistentvolumeclaims')).toHaveLength(3)
  })
})
