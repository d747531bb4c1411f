import { afterEach, expect, test } from 'vitest'
import type { Event } from '../cloud/resources/event.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import type { PriorityClass } from '../cloud/resources/priority-class.ts'
import { call, startApiServer } from './fakes/api-server.ts'
import { FakeFleet } from './fakes/fleet.ts'

let fleet = new FakeFleet()
afterEach(() => fleet.controllers?.stop())

/** One device of 4 cpu, filled by four pods of 1 cpu that are slow to go. */
async function fullDevice(): Promise<void> {
  fleet = new FakeFleet()
  await fleet.start()
  await fleet.join('gw-1')
  for (const [name, priority] of [
    ['least', 1],
    ['little', 2],
    ['same', 3],
    ['more', 4],
  ] as const)
    await wish(name, '1', priority)
  fleet.device('gw-1').slowToRemove = true
}

async function wish(name: string, cpu: string, priority: number): Promise<void> {
  const spec = { priority, containers: [{ name: 'main', image: 'x', resources: { requests: { cpu } } }] }
  const pod: Pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec }
  await fleet.create(pod)
  await fleet.clock.advance(200)
}

/** The device says that the containers of the pods it was told to drop are gone. */
async function gone(): Promise<void> {
  const device = fleet.device('gw-1')
  device.slowToRemove = false
  device.removing = []
  device.report()
  await fleet.clock.advance(500)
}

const pods = async (): Promise<Readonly<Record<string, Pod>>> =>
  Object.fromEntries((await fleet.list<Pod>('pods')).map((pod) => [pod.metadata.name ?? '', pod]))
const leaving = (all: Readonly<Record<string, Pod>>): readonly string[] =>
  Object.values(all)
    .filter((pod) => pod.metadata.deletionTimestamp !== undefined)
    .map((pod) => pod.metadata.name ?? '')
    .sort()

test('a pod of high priority has the fewest and least important pods go, and its room is kept meanwhile', async () => {
  await fullDevice()
  await wish('urgent', '1500m', 100)
  // comes while the victims are on their way out; it may take neither their room nor send away more
  await wish('later', '1', 3)
  const during = await pods()
  expect(leaving(during)).toEqual(['least', 'little'])
  expect(during['urgent']?.spec.nodeName).toBeUndefined()
  expect(during['urgent']?.status?.nominatedNodeName).toBe('gw-1')
  expect(during['later']?.status?.nominatedNodeName).toBeUndefined()

  await gone()
  const after = await pods()
  expect(Object.keys(after).sort()).toEqual(['later', 'more', 'same', 'urgent'])
  expect([after['urgent']?.spec.nodeName, after['urgent']?.status?.nominatedNodeName]).toEqual(['gw-1', undefined])
  expect(after['later']?.spec.nodeName).toBeUndefined()
  expect(after['urgent']?.status?.phase).toBe('Running')
  const preempted = (await fleet.list<Event>('events')).filter(({ reason }) => reason === 'Preempted').map(({ message }) => message)
  expect(preempted.sort()).toEqual([
    'Preempted by default/urgent (priority 100 over 1) on gw-1',
    'Preempted by default/urgent (priority 100 over 2) on gw-1',
  ])
})

test('the room goes to another pod when the one it was kept for is deleted', async () => {
  await fullDevice()
  await wish('urgent', '1500m', 100)
  await wish('later', '1', 3)
  expect((await pods())['urgent']?.status?.nominatedNodeName).toBe('gw-1')
  await fleet.store.delete('pods', 'default', 'urgent', null)
  await fleet.clock.advance(200)
  await gone()
  expect((await pods())['later']?.spec.nodeName).toBe('gw-1')
})

test('a pod of equal priority pushes nobody out', async () => {
  await fullDevice()
  await wish('equal', '1', 1)
  expect(leaving(await pods())).toEqual([])
})

test("Kubernetes' two system classes are there from the start and cannot be deleted", async () => {
  const server = await startApiServer()
  try {
    const CLASSES = '/apis/scheduling.k8s.io/v1/priorityclasses'
    const { items } = (await call(server, 'GET', CLASSES)).json() as { readonly items: readonly PriorityClass[] }
    expect(items.map(({ metadata, value, preemptionPolicy }) => [metadata.name, value, preemptionPolicy])).toEqual([
      ['system-cluster-critical', 2_000_000_000, 'PreemptLowerPriority'],
      ['system-node-critical', 2_000_001_000, 'PreemptLowerPriority'],
    ])
    expect((await call(server, 'DELETE', `${CLASSES}/system-node-critical`)).code).toBe(403)
    expect((await call(server, 'GET', `${CLASSES}/system-node-critical`)).code).toBe(200)
  } finally {
    await server.close()
  }
})
