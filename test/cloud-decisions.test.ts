import { describe, expect, test } from 'vitest'
import { planDaemonSet } from '../cloud/core/daemon-set.ts'
import { buildDesired, documentOf, heldFault, nextRecord } from '../cloud/core/desired.ts'
import type { DeviceRecord } from '../cloud/core/desired.ts'
import { nextEvent } from '../cloud/core/events.ts'
import { garbageVerdict, namespaceEnd, ownerEnd } from '../cloud/core/garbage.ts'
import { newNode, nodeWithNews } from '../cloud/core/node-status.ts'
import { podFinish } from '../cloud/core/pod-finish.ts'
import { podStatus } from '../cloud/core/pod-status.ts'
import { deletionOrder } from '../cloud/core/replica-set.ts'
import { templateHash } from '../cloud/core/pod-template.ts'
import type { DaemonSet } from '../cloud/resources/daemon-set.ts'
import type { Node } from '../cloud/resources/node.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import { cause } from '../protocol/causes.ts'
import { DESIRED_STATE } from '../protocol/desired-state.ts'
import { seal } from '../protocol/envelope.ts'
import { TOPICS } from '../protocol/topics.ts'
import { check } from '../protocol/shape.ts'
import type { PodReport, StatusReport } from '../protocol/status-report.ts'
import { KEY } from './fakes/fleet.ts'

const NOW = '2026-01-01T00:10:00Z'
const UID = (index: number): string => `00000000-0000-4000-8000-${String(index).padStart(12, '0')}`

function pod(
  name: string,
  over: { node?: string; phase?: 'Pending' | 'Running'; ready?: boolean; since?: string; meta?: object; spec?: object } = {},
): Pod {
  const { node, phase = 'Running', ready = phase === 'Running', since = '2026-01-01T00:00:00Z' } = over
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name, creationTimestamp: '2026-01-01T00:00:00Z', ...over.meta },
    spec: { containers: [{ name: 'main', image: 'x' }], ...(node === undefined ? {} : { nodeName: node }), ...over.spec },
    status: { phase, conditions: [{ type: 'Ready', status: ready ? 'True' : 'False', lastTransitionTime: since }] },
  }
}

test('a ReplicaSet gives up the pods that are worth least first', () => {
  const order = deletionOrder([
    pod('old-ready', { node: 'a' }),
    pod('young-ready', { node: 'b', since: '2026-01-01T00:05:00Z' }),
    pod('costly', { node: 'c', since: '2026-01-01T00:09:00Z', meta: { annotations: { 'controller.kubernetes.io/pod-deletion-cost': '10' } } }),
    pod('crowded-1', { node: 'd' }),
    pod('crowded-2', { node: 'd' }),
    pod('not-ready', { node: 'e', ready: false }),
    pod('pending', { node: 'f', phase: 'Pending' }),
    pod('unassigned', { phase: 'Pending' }),
  ])
  expect(order.map((one) => one.metadata.name)).toEqual([
    'unassigned',
    'pending',
    'not-ready',
    'crowded-1',
    'crowded-2',
    'young-ready',
    'old-ready',
    'costly',
  ])
})

describe('a DaemonSet', () => {
  const set: DaemonSet = {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'agent', namespace: 'default', uid: 'ds', generation: 2 },
    spec: { selector: {}, template: { spec: { containers: [{ name: 'main', image: 'a:2' }] } } },
  }
  const node = (name: string, ready = 'True', over: object = {}): Node => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name },
    status: { conditions: [{ type: 'Ready', status: ready }] },
    ...over,
  })
  const mine = (name: string, on: string, hash: string, ready = true): Pod =>
    pod(name, {
      node: on,
      ready,
      meta: {
        labels: { 'controller-revision-hash': hash },
        ownerReferences: [{ apiVersion: 'apps/v1', kind: 'DaemonSet', name: 'agent', uid: 'ds', controller: true }],
      },
    })
  const hash = templateHash(set.spec.template)

  test('goes to devices that are not ready or cordoned, not to tainted ones', () => {
    const nodes = [
      node('a'),
      node('b', 'Unknown'),
      node('c', 'True', { spec: { unschedulable: true } }),
      node('d', 'True', { spec: { taints: [{ key: 'x', effect: 'NoSchedule' }] } }),
    ]
    expect(planDaemonSet(set, nodes, [], 0).create.map((one) => one.node)).toEqual(['a', 'b', 'c'])
  })

  test('updates one reachable device at a time; silent ones neither count nor change', () => {
    const nodes = [node('a'), node('b'), node('c', 'Unknown'), node('d', 'Unknown')]
    const pods = [mine('pa', 'a', 'old'), mine('pb', 'b', 'old'), mine('pc', 'c', 'old', false), mine('pd', 'd', 'old', false)]
    expect(planDaemonSet(set, nodes, pods, 0).remove.map((one) => one.metadata.name)).toEqual(['pa'])
    const next = [mine('pa2', 'a', hash, false), ...pods.slice(1)]
    expect(planDaemonSet(set, nodes, next, 0).remove).toEqual([])
    const later = [mine('pa2', 'a', hash), ...pods.slice(1)]
    expect(planDaemonSet(set, nodes, later, 0).remove.map((one) => one.metadata.name)).toEqual(['pb'])
    expect(planDaemonSet(set, nodes, later, 0).status).toMatchObject({ desiredNumberScheduled: 4, updatedNumberScheduled: 1, numberAvailable: 2 })
  })

  test('leaves devices that no longer fit and makes nothing while an old pod is still ending', () => {
    const nodes = [node('a')]
    const ending = { ...mine('pa', 'a', 'old'), metadata: { ...mine('pa', 'a', 'old').metadata, deletionTimestamp: NOW } }
    const plan = planDaemonSet(set, nodes, [ending, mine('pz', 'z', hash)], 0)
    expect([plan.create, plan.remove.map((one) => one.metadata.name)]).toEqual([[], ['pz']])
  })
})

describe('a desired state', () => {
  const big = (index: number, kib: number, on = 'gw'): Pod =>
    pod(`p${String(index).padStart(3, '0')}`, {
      node: on,
      meta: { uid: UID(index) },
      spec: { containers: [{ name: 'main', image: 'x', env: [{ name: 'A', value: 'ä'.repeat(kib * 512) }] }] },
    })
  const record = (over: Partial<DeviceRecord> = {}): DeviceRecord => ({ epoch: 1, generation: 7, digest: 'd', uids: [], leftOut: {}, ...over })

  test('has the same digest for the same pods in any order, and is a valid document', () => {
    const pods = [big(2, 1), big(1, 1), big(3, 1)]
    const build = buildDesired(pods, [])
    expect(buildDesired(pods.toReversed(), []).digest).toBe(build.digest)
    const next = nextRecord(null, build, pods, 1)
    if (next === null) throw new Error('nothing to publish')
    expect(check(DESIRED_STATE, documentOf('gw', next, build, NOW), '', 'ignore')).toEqual([])
    expect(nextRecord(next, build, pods, 1)).toBeNull()
  })

  test('never grows over what a broker takes; what runs already is not pushed out, and who does not fit is told', () => {
    const pods = Array.from({ length: 40 }, (_, index) => big(index, 8))
    const running = [UID(39), UID(38)]
    const build = buildDesired(pods, running)
    const next = nextRecord(record(), build, pods, 1)
    if (next === null) throw new Error('nothing to publish')
    expect(seal('desired', 'gw', documentOf('gw', next, build, NOW), KEY).byteLength).toBeLessThanOrEqual(TOPICS.desired.maxBytes)
    expect(build.pods.length + build.refused.size).toBe(40)
    expect(running.every((uid) => next.uids.includes(uid))).toBe(true)
    expect([...build.refused.values()].every((why) => why.code === 'desired.too-many')).toBe(true)
    expect(buildDesired(pods.toReversed(), running).digest).toBe(build.digest)
  })

  test('counts up only when the digest moved, and starts anew with a higher epoch', () => {
    const build = buildDesired([], [])
    expect(nextRecord(record({ digest: build.digest }), build, [], 1)).toBeNull()
    expect(nextRecord(record({ digest: 'other' }), build, [], 1)).toMatchObject({ epoch: 1, generation: 8 })
    expect(nextRecord(record({ digest: build.digest }), build, [], 2)).toMatchObject({ epoch: 2, generation: 1 })
    // the fact of a raised epoch was lost: the record still knows
    expect(nextRecord(record({ epoch: 3, digest: 'other' }), build, [], 2)).toMatchObject({ epoch: 3, generation: 8 })
  })

  test('is not sent below or beside what the device holds', () => {
    expect(heldFault(record(), { epoch: 1, generation: 6, digest: 'x', firm: true })).toBeNull()
    expect(heldFault(record(), { epoch: 1, generation: 7, digest: 'd', firm: true })).toBeNull()
    // a hello after a damaged file: the highest pair ever held, with an older digest
    expect(heldFault(record(), { epoch: 1, generation: 7, digest: 'x', firm: false })).toBeNull()
    expect(heldFault(record(), { epoch: 1, generation: 7, digest: 'x', firm: true })?.code).toBe('desired.behind')
    expect(heldFault(record(), { epoch: 2, generation: 1, digest: 'd', firm: false })?.code).toBe('desired.behind')
  })
})

describe('the end of a pod', () => {
  const ending = pod('p', { node: 'gw', meta: { deletionTimestamp: NOW, deletionGracePeriodSeconds: 30 } })
  const record: DeviceRecord = { epoch: 1, generation: 5, digest: 'd', uids: [], leftOut: { p: { epoch: 1, generation: 5 } } }
  const report = (generation: number, uids: readonly string[], reachable = true): StatusReport => ({
    device: 'gw',
    sid: 's',
    seq: 1,
    at: NOW,
    agentVersion: '1',
    converged: true,
    engine: { reachable },
    causes: [],
    desired: { epoch: 1, generation, digest: 'd' },
    pods: uids.map((uid) => ({
      uid,
      namespace: 'default',
      name: uid,
      specHash: 'h',
      phase: 'Running',
      ready: false,
      removing: true,
      containers: [],
    })),
  })

  test.each([
    ['alive without a deletion', pod('p', { node: 'gw' }), record, null, true, 'alive'],
    ['never bound', pod('p', { meta: { deletionTimestamp: NOW } }), null, null, true, 'finished'],
    ['by force', { ...ending, metadata: { ...ending.metadata, deletionGracePeriodSeconds: 0 } }, record, null, true, 'finished'],
    ['device removed', ending, record, null, false, 'finished'],
    ['nothing was ever published', ending, null, null, true, 'finished'],
    ['still in the newest document', ending, { ...record, uids: ['p'], leftOut: {} }, report(5, []), true, 'waits'],
    ['bound but never published', ending, { ...record, leftOut: {} }, null, true, 'finished'],
    ['no report yet', ending, record, null, true, 'waits'],
    ['an older document on the device', ending, record, report(4, []), true, 'waits'],
    ['containers still being removed', ending, record, report(5, ['p']), true, 'waits'],
    ['the engine cannot be seen', ending, record, report(5, [], false), true, 'waits'],
    ['removed', ending, record, report(5, []), true, 'finished'],
    ['removed, newer document', ending, record, report(9, ['q']), true, 'finished'],
  ] as const)('%s', (_, one, held, said, exists, kind) => {
    expect(podFinish(one, held, said, exists).kind).toBe(kind)
  })
})

describe('status', () => {
  const reported: PodReport = {
    uid: 'p',
    namespace: 'default',
    name: 'p',
    specHash: 'h',
    phase: 'Pending',
    ready: false,
    cause: cause('image.pull.not-found', { image: 'x:9' }),
    containers: [
      { name: 'main', image: 'x:9', state: 'waiting', reason: 'ErrImagePull', message: 'no such tag', restartCount: 2, ready: false, exitCode: 3 },
    ],
  }

  test('of a pod says why in Kubernetes words, and is stable', () => {
    const status = podStatus(pod('p', { node: 'gw', phase: 'Pending' }), { report: reported, hostIP: '10.0.0.1', silentWhy: null }, NOW)
    expect(status).toMatchObject({
      phase: 'Pending',
      reason: 'ErrImagePull',
      message: 'Image x:9 does not exist in its registry.',
      hostIP: '10.0.0.1',
      containerStatuses: [
        {
          state: { waiting: { reason: 'ErrImagePull', message: 'no such tag' } },
          lastState: { terminated: { exitCode: 3, reason: 'Error' } },
          restartCount: 2,
        },
      ],
    })
    expect(status.conditions?.map(({ type, status: is }) => `${type}=${is}`)).toEqual([
      'Ready=False',
      'PodScheduled=True',
      'Initialized=True',
      'ContainersReady=False',
      'skerry.dev/RevisionApplied=False',
    ])
    expect(podStatus({ ...pod('p'), status }, { report: reported, hostIP: '10.0.0.1', silentWhy: null }, '2030-01-01T00:00:00Z')).toEqual(status)
  })

  test('of a pod that has not switched says what holds it up, also when the revision before runs', () => {
    const runs: PodReport = { ...reported, phase: 'Running', ready: true }
    const { conditions } = podStatus(pod('p', { node: 'gw' }), { report: runs, hostIP: null, silentWhy: null }, NOW)
    expect(conditions?.find(({ type }) => type === 'skerry.dev/RevisionApplied')?.message).toBe('Image x:9 does not exist in its registry.')
  })

  test('of a node keeps what people set and what is not yet told again', () => {
    const node = { ...newNode('gw'), metadata: { name: 'gw', labels: { site: 'north' } } }
    const silent = nodeWithNews(
      node,
      { device: 'gw', inventory: null, report: null, silent: cause('node.silent', { since: 'noon' }), alarms: [] },
      NOW,
    )
    expect(silent.metadata.labels).toEqual({ site: 'north', 'kubernetes.io/hostname': 'gw' })
    expect(silent.status?.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
      status: 'Unknown',
      message: 'Not heard since noon; its pods are left as they are.',
    })
  })
})

test('garbage: only what has lost all its owners goes, and ignorance keeps', () => {
  const owner = (uid: string) => ({ apiVersion: 'apps/v1', kind: 'ReplicaSet', name: uid, uid })
  const owned = pod('p', { meta: { ownerReferences: [owner('a'), owner('b')] } })
  expect(garbageVerdict(owned, () => true).kind).toBe('keep')
  expect(garbageVerdict(owned, ({ uid }) => uid === 'b')).toEqual({ kind: 'prune', ownerReferences: [owner('b')] })
  expect(garbageVerdict(owned, () => false).kind).toBe('delete')
  expect(garbageVerdict(pod('free'), () => false).kind).toBe('keep')
  const leaving = (finalizer: string) => pod('o', { meta: { deletionTimestamp: NOW, finalizers: [finalizer] } })
  expect(ownerEnd(leaving('foregroundDeletion'), [owned]).kind).toBe('delete-dependents')
  expect(ownerEnd(leaving('foregroundDeletion'), []).kind).toBe('drop-finalizer')
  expect(ownerEnd(leaving('orphan'), [owned]).kind).toBe('release-dependents')
  expect(namespaceEnd(leaving('x'), []).kind).toBe('close')
})

test('events are counted, not repeated', () => {
  const happening = { about: pod('p'), type: 'Warning', reason: 'Blocked', message: 'no', component: 'gw' } as const
  const first = nextEvent(null, happening, NOW)
  const second = nextEvent(first, happening, '2026-01-01T00:20:00Z')
  expect([first.count, second.count, second.firstTimestamp, second.lastTimestamp]).toEqual([1, 2, NOW, '2026-01-01T00:20:00Z'])
})
