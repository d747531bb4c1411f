/** The controller of DaemonSets alone: without a scheduler and devices it can be shown many of them. */
import { beforeEach, expect, test } from 'vitest'
import { Cluster } from '../cloud/controllers/cluster.ts'
import { startDaemonSetController } from '../cloud/controllers/daemon-set-controller.ts'
import { RolloutBook } from '../cloud/controllers/rollout-book.ts'
import type { Log } from '../cloud/ports.ts'
import type { DaemonSet } from '../cloud/resources/daemon-set.ts'
import { DAEMON_SETS } from '../cloud/resources/daemon-set.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import { openMemoryStore } from '../cloud/store/memory-store.ts'
import { LIMITS } from '../protocol/limits.ts'
import { daemonSet, seededRandom } from './fakes/fleet.ts'
import { virtualClock } from './fakes/virtual-clock.ts'

const QUIET: Log = { info: () => undefined, warn: () => undefined, error: () => undefined }
const MORE = 50

let behind = 0
const backlog = (): number => behind
beforeEach(() => {
  behind = 0
})

/** More devices than one part of a plan makes pods for, and the images of the pods as they are made. */
async function manyDevices() {
  const [store, clock, random] = [openMemoryStore(), virtualClock(), seededRandom()]
  const deps = { store, clock, random, log: QUIET }
  const cluster = new Cluster(deps)
  const rollouts = new RolloutBook(cluster)
  const events = { record: () => undefined, stop: () => Promise.resolve() }
  const controller = startDaemonSetController({ ...deps, cluster, events, rollouts, loaded: Promise.resolve(), backlog })
  await cluster.start()
  for (let index = 0; index < LIMITS.podsPerPass.value + MORE; index += 1)
    await store.create('nodes', { apiVersion: 'v1', kind: 'Node', metadata: { name: `gw-${index}`, uid: `n${index}` } })
  const made: string[] = []
  store.watch('pods', null, {
    onChange: ({ type, object }) => {
      if (type === 'ADDED') made.push((JSON.parse(object.json) as Pod).spec.containers[0]?.image ?? '')
    },
    onExpired: () => made.push('expired'),
  })
  const stop = async (): Promise<void> => {
    await controller.stop()
    cluster.stop()
  }
  return { store, clock, made, stop }
}

function set(image: string, generation: number): DaemonSet {
  const given = daemonSet('agent', image)
  return DAEMON_SETS.defaults({ ...given, metadata: { ...given.metadata, namespace: 'default', uid: 'set', generation } } as DaemonSet)
}

test('a DaemonSet that is changed while its pods are being made makes the rest of them of the new template at once', async () => {
  const { store, clock, made, stop } = await manyDevices()
  let changed = false
  store.watch('pods', null, {
    onChange: () => {
      if (!changed) void store.update('daemonsets.apps', set('a:2', 2), null)
      changed = true
    },
    onExpired: () => undefined,
  })
  await store.create('daemonsets.apps', set('a:1', 1))
  await clock.advance(100)
  expect([made.filter((image) => image === 'a:1').length, made.filter((image) => image === 'a:2').length]).toEqual([LIMITS.podsPerPass.value, MORE])
  await stop()
})

test('a DaemonSet goes on when devices were told of what it has changed, or when that takes too long', async () => {
  const { store, clock, made, stop } = await manyDevices()
  behind = LIMITS.podsPerPass.value + 1
  await store.create('daemonsets.apps', set('a:1', 1))
  await clock.advance(500)
  expect(made).toHaveLength(LIMITS.podsPerPass.value)
  await clock.advance(LIMITS.workPauseMaxMs.value)
  expect(made).toHaveLength(LIMITS.podsPerPass.value + MORE)
  await stop()
})
