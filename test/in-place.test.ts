import { afterEach, describe, expect, test } from 'vitest'
import { planDaemonSet } from '../cloud/core/daemon-set.ts'
import type { DaemonSet } from '../cloud/resources/daemon-set.ts'
import { DAEMON_SETS } from '../cloud/resources/daemon-set.ts'
import type { Node } from '../cloud/resources/node.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import { daemonSet, FakeFleet } from './fakes/fleet.ts'
import type { Editable } from './fakes/fleet.ts'

let fleet = new FakeFleet()
afterEach(async () => {
  await fleet.controllers?.stop()
  expect(fleet.logs.filter((line) => line.level === 'warn' && line.msg.startsWith('work failed'))).toEqual([])
})

const IN_PLACE = { 'skerry.dev/update-strategy': 'InPlace' }

async function fresh(...devices: readonly string[]): Promise<readonly Pod[]> {
  fleet = new FakeFleet()
  await fleet.start()
  await fleet.join(...devices)
  const set = daemonSet('agent', 'a:1')
  await fleet.create({ ...set, metadata: { ...set.metadata, annotations: IN_PLACE } })
  await fleet.clock.advance(500)
  return pods()
}

const pods = async (): Promise<readonly Pod[]> =>
  [...(await fleet.list<Pod>('pods'))].sort((a, b) => ((a.spec.nodeName ?? '') < (b.spec.nodeName ?? '') ? -1 : 1))
const template = (edit: (template: DaemonSet['spec']['template']) => DaemonSet['spec']['template']) => (object: Editable) =>
  Object.assign(object.spec, { template: edit((object.spec as unknown as DaemonSet['spec']).template) })
const image = (to: string) =>
  template((one) => ({ ...one, spec: { ...one.spec, containers: [{ ...one.spec.containers[0], name: 'main', image: to }] } }))
const images = (list: readonly Pod[]): readonly (string | undefined)[] => list.map((pod) => pod.spec.containers[0]?.image)
const applied = (pod: Pod | undefined): string => {
  const found = pod?.status?.conditions?.find((one) => one.type === 'skerry.dev/RevisionApplied')
  return `${found?.status} ${found?.reason ?? ''}`.trim()
}

describe('a DaemonSet that updates in place', () => {
  test('keeps the pods, and what others wrote on them', async () => {
    const before = await fresh('gw-1', 'gw-2')
    await fleet.edit('pods', before[0]?.metadata.name ?? '', (pod) =>
      Object.assign(pod.metadata, { annotations: { ...(pod.metadata['annotations'] as object), 'example.com/note': 'mine' } }),
    )
    await fleet.edit('daemonsets.apps', 'agent', image('a:2'))
    await fleet.clock.advance(5000)
    const after = await pods()
    expect(after.map((pod) => [pod.metadata.uid, pod.metadata.name, pod.spec.nodeName])).toEqual(
      before.map((pod) => [pod.metadata.uid, pod.metadata.name, pod.spec.nodeName]),
    )
    expect([images(after), after.map(applied)]).toEqual([
      ['a:2', 'a:2'],
      ['True', 'True'],
    ])
    expect(after[0]?.metadata.annotations?.['example.com/note']).toBe('mine')
    expect(after[0]?.metadata.labels?.['controller-revision-hash']).not.toBe(before[0]?.metadata.labels?.['controller-revision-hash'])
    expect(fleet.device('gw-1').held?.pods.map((pod) => [pod.uid, pod.spec.containers[0]?.image])).toEqual([[before[0]?.metadata.uid, 'a:2']])
  })

  test('takes away what the template no longer gives', async () => {
    await fresh('gw-1')
    const dress = (annotations: object, labels: object) =>
      template((one) => ({ ...one, metadata: { ...one.metadata, annotations: { ...annotations }, labels: { app: 'agent', ...labels } } }))
    await fleet.edit('daemonsets.apps', 'agent', dress({ 'example.com/a': '1' }, { tier: 'edge' }))
    await fleet.clock.advance(2000)
    expect((await pods())[0]?.metadata).toMatchObject({ annotations: { 'example.com/a': '1' }, labels: { tier: 'edge' } })
    await fleet.edit('daemonsets.apps', 'agent', dress({ 'example.com/b': '2' }, {}))
    await fleet.clock.advance(2000)
    const [pod] = await pods()
    expect(pod?.metadata.annotations).toMatchObject({ 'example.com/b': '2' })
    expect(pod?.metadata.annotations).not.toHaveProperty(['example.com/a'])
    expect(pod?.metadata.labels).not.toHaveProperty('tier')
  })

  test('goes on only when the device has switched; told is not done', async () => {
    await fresh('gw-1', 'gw-2')
    for (const device of fleet.devices.values()) device.holdsBack.set('a:2', 'WindowClosed')
    await fleet.edit('daemonsets.apps', 'agent', image('a:2'))
    await fleet.clock.advance(20_000)
    expect([images(await pods()), (await pods()).map(applied)]).toEqual([
      ['a:2', 'a:1'],
      ['False WindowClosed', 'True'],
    ])
    const [set] = await fleet.list<DaemonSet>('daemonsets.apps')
    expect(set?.status).toMatchObject({ updatedNumberScheduled: 0, numberAvailable: 2 })
    for (const device of fleet.devices.values()) device.holdsBack.clear()
    fleet.device('gw-1').report()
    await fleet.clock.advance(5000)
    const [done] = await fleet.list<DaemonSet>('daemonsets.apps')
    expect([images(await pods()), done?.status?.updatedNumberScheduled]).toEqual([['a:2', 'a:2'], 2])
  })

  test('a device that rolled back stops the others, and takes the next revision first', async () => {
    await fresh('gw-1', 'gw-2')
    for (const device of fleet.devices.values()) device.holdsBack.set('a:bad', 'RolledBack')
    await fleet.edit('daemonsets.apps', 'agent', image('a:bad'))
    await fleet.clock.advance(20_000)
    expect((await pods()).map(applied)).toEqual(['False RolledBack', 'True'])
    await fleet.edit('daemonsets.apps', 'agent', image('a:3'))
    await fleet.clock.advance(20_000)
    expect([images(await pods()), (await pods()).map(applied)]).toEqual([
      ['a:3', 'a:3'],
      ['True', 'True'],
    ])
  })

  test('tells devices that are cut off, too, without counting them', async () => {
    await fresh('gw-1', 'gw-2', 'gw-3')
    fleet.device('gw-3').cut()
    await fleet.clock.advance(400_000)
    await fleet.edit('daemonsets.apps', 'agent', image('a:2'))
    await fleet.clock.advance(5000)
    expect(images(await pods())).toEqual(['a:2', 'a:2', 'a:2'])
    expect(fleet.device('gw-3').held?.pods[0]?.spec.containers[0]?.image).toBe('a:1')
  })

  test('makes a new pod where the hardware that is asked for changes', async () => {
    const before = await fresh('gw-1')
    const grow = template((one) => ({
      ...one,
      spec: { ...one.spec, containers: [{ ...one.spec.containers[0], name: 'main', image: 'a:2', resources: { limits: { memory: '64Mi' } } }] },
    }))
    await fleet.edit('daemonsets.apps', 'agent', grow)
    await fleet.clock.advance(5000)
    const after = await pods()
    expect(after.map((pod) => pod.metadata.uid === before[0]?.metadata.uid)).toEqual([false])
    expect(images(after)).toEqual(['a:2'])
  })
})

test('a node may have another template for a while', () => {
  const own: DaemonSet = DAEMON_SETS.defaults({
    ...daemonSet('agent', 'a:1'),
    metadata: { name: 'agent', uid: 'ds', annotations: IN_PLACE },
  } as unknown as DaemonSet)
  const node = (name: string): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { conditions: [{ type: 'Ready', status: 'True' }] },
  })
  const overlay: DaemonSet['spec']['template'] = { ...own.spec.template, spec: { containers: [{ name: 'main', image: 'a:2' }] } }
  const plan = planDaemonSet(own, [node('a'), node('b')], [], 0, (name) => (name === 'b' ? overlay : own.spec.template))
  expect(plan.create.map((one) => [one.node, one.template.spec.containers[0]?.image])).toEqual([
    ['a', 'a:1'],
    ['b', 'a:2'],
  ])
  expect(plan.create[0]?.hash).not.toBe(plan.create[1]?.hash)
})

test.each([
  [{ 'skerry.dev/update-strategy': 'inplace' }, undefined, /"inplace" is not supported; use one of "InPlace", "Recreate"/],
  [IN_PLACE, 'OnDelete', /needs spec.updateStrategy.type "RollingUpdate"/],
] as const)('a wrong strategy is refused: %j', (annotations, type, message) => {
  const set = { ...daemonSet('agent', 'a:1'), metadata: { name: 'agent', namespace: 'default', annotations } } as unknown as DaemonSet
  const issues = DAEMON_SETS.validate(
    DAEMON_SETS.defaults({ ...set, spec: { ...set.spec, ...(type === undefined ? {} : { updateStrategy: { type } }) } }),
    null,
  )
  expect(issues.map((issue) => issue.path)).toEqual(['metadata.annotations["skerry.dev/update-strategy"]'])
  expect(issues[0]?.message).toMatch(message)
})
