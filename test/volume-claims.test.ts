/** Claims: what is taken, where their volume is made, where later pods go, and what protects them. */
import { afterEach, describe, expect, it } from 'vitest'
import type { PersistentVolumeClaim } from '../cloud/resources/persistent-volume-claim.ts'
import type { PersistentVolume } from '../cloud/resources/persistent-volume.ts'
import { resourceByKind } from '../cloud/resources/registry.ts'
import type { KubeObject } from '../cloud/resources/object.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import { deployment, FakeFleet } from './fakes/fleet.ts'
import { admit, manifest } from './fixtures/manifests.ts'

const SPEC = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
const claim = (spec: object = {}, name = 'data'): KubeObject =>
  manifest('v1', 'PersistentVolumeClaim', { metadata: { name }, spec: { ...SPEC, ...spec } })

function cells(object: KubeObject): readonly unknown[] {
  return resourceByKind(object.apiVersion, object.kind)?.cells(object, Date.parse('2026-01-01T00:00:00Z')) ?? []
}

describe('a claim', () => {
  it.each<readonly [string, object, string, RegExp]>([
    ['another class', { storageClassName: 'fast' }, 'spec.storageClassName', /skerry-local.*leave the field out/],
    ['many writers', { accessModes: ['ReadWriteMany'] }, 'spec.accessModes', /on one device/],
    ['blocks', { volumeMode: 'Block' }, 'spec.volumeMode', /Filesystem/],
    ['no size', { resources: { requests: {} } }, 'spec.resources.requests', /storage/],
    ['a copy of something', { dataSource: {} }, 'spec.dataSource', /begin empty/],
  ])('is refused with %s', (_, spec, path, says) => {
    expect(admit(claim(spec)).issues.find((issue) => issue.path === path)?.message).toMatch(says)
  })

  it('gets the class of devices and waits', () => {
    const { object, issues } = admit(claim())
    expect([issues, cells(object).slice(0, 6)]).toEqual([[], ['data', 'Pending', '', '', '', 'skerry-local']])
  })
})

describe('a claim and its pods', () => {
  let fleet = new FakeFleet()
  afterEach(() => fleet.controllers?.stop())
  const user = (name: string, node?: string): KubeObject => {
    const made = deployment(name, 1, 'db:1')
    const volumes = [{ name: 'data', persistentVolumeClaim: { claimName: 'data' } }]
    const selector = node === undefined ? {} : { nodeSelector: { 'kubernetes.io/hostname': node } }
    const template = { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'main', image: 'db:1' }], volumes, ...selector } }
    return { ...made, spec: { ...(made['spec'] as object), template } }
  }
  const nodes = async (): Promise<unknown> => (await fleet.list<Pod>('pods')).map((pod) => [pod.metadata.labels?.['app'], pod.spec.nodeName])
  const only = async <O extends KubeObject>(resource: string): Promise<O | undefined> => (await fleet.list<O>(resource))[0]

  it('is bound where its first pod was placed, and takes every later pod there', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1', 'gw-2', 'gw-3')
    await fleet.create(claim())
    await fleet.clock.advance(1_000)
    expect((await only<PersistentVolumeClaim>('persistentvolumeclaims'))?.status?.phase).toBe('Pending')
    await fleet.create(user('first', 'gw-2'))
    await fleet.clock.advance(1_000)
    const bound = await only<PersistentVolumeClaim>('persistentvolumeclaims')
    const volume = await only<PersistentVolume>('persistentvolumes')
    expect(bound && cells(bound).slice(0, 6)).toEqual(['data', 'Bound', volume?.metadata.name, '1Gi', 'RWO', 'skerry-local'])
    expect(volume && cells(volume).slice(1, 7)).toEqual(['1Gi', 'RWO', 'Retain', 'Bound', 'default/data', 'skerry-local'])
    await fleet.edit('deployments.apps', 'first', (object) => Object.assign(object.spec, { replicas: 0 }))
    await fleet.create(user('second'))
    await fleet.clock.advance(3_000)
    expect(await nodes()).toEqual([['second', 'gw-2']])
  })

  it('keeps pods that come together on one device', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1', 'gw-2', 'gw-3')
    await fleet.create(claim())
    for (const name of ['a', 'b', 'c', 'd']) await fleet.create(user(name))
    await fleet.clock.advance(3_000)
    const placed = (await fleet.list<Pod>('pods')).map((pod) => pod.spec.nodeName)
    expect([placed.length, new Set(placed).size]).toEqual([4, 1])
  })

  it('says why a pod cannot go elsewhere', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1', 'gw-2')
    await fleet.create(claim())
    await fleet.create(user('first', 'gw-1'))
    await fleet.clock.advance(1_000)
    await fleet.create(user('second', 'gw-2'))
    await fleet.clock.advance(1_000)
    const [waiting] = (await fleet.list<Pod>('pods')).filter((pod) => pod.metadata.labels?.['app'] === 'second')
    expect(waiting?.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message).toContain(
      '1 not gw-1, which has the volume of claim default/data',
    )
  })

  it('outlives its own deletion while a pod uses it, and leaves its volume released', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1')
    await fleet.create(claim())
    await fleet.create(user('first'))
    await fleet.clock.advance(1_000)
    await fleet.edit('persistentvolumeclaims', 'data', (object) =>
      Object.assign(object.metadata, { deletionTimestamp: '2026-01-01T00:00:00Z', deletionGracePeriodSeconds: 0 }),
    )
    await fleet.clock.advance(1_000)
    const going = await only<PersistentVolumeClaim>('persistentvolumeclaims')
    expect(going && cells(going)[1]).toBe('Terminating')
    await fleet.edit('deployments.apps', 'first', (object) => Object.assign(object.spec, { replicas: 0 }))
    await fleet.clock.advance(3_000)
    expect(await only('persistentvolumeclaims')).toBeUndefined()
    expect((await only<PersistentVolume>('persistentvolumes'))?.status?.phase).toBe('Released')
  })

  it('without an object is a volume of each device by itself', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.join('gw-1', 'gw-2')
    await fleet.create(user('a', 'gw-1'))
    await fleet.create(user('b', 'gw-2'))
    await fleet.clock.advance(1_000)
    expect(await nodes()).toEqual(
      expect.arrayContaining([
        ['a', 'gw-1'],
        ['b', 'gw-2'],
      ]),
    )
  })
})
