import { describe, expect, it } from 'vitest'
import { ageOf, humanDuration } from '../cloud/resources/human-duration.ts'
import { parseStamp } from '../protocol/stamp.ts'
import { RESOURCE_DEFINITIONS, apiVersionOf, resourceByKey, resourceByKind, resourceByPlural } from '../cloud/resources/registry.ts'
import type { KubeObject } from '../cloud/resources/object.ts'
import { admit, manifest, ownerSpec, pod } from './fixtures/manifests.ts'

const NOW = Date.parse('2026-11-21T08:00:00Z')
const CREATED = '2026-11-21T07:55:00Z'
const SECOND = 1000
const HOUR = 3_600_000
const DAY = 24 * HOUR

/** Column name -> cell, as kubectl would line them up. */
function row(object: KubeObject): Readonly<Record<string, unknown>> {
  const aged = admit({ ...object, metadata: { ...object.metadata, creationTimestamp: CREATED } })
  expect(aged.issues).toEqual([])
  const definition = resourceByKind(object.apiVersion, object.kind)
  const cells = definition?.cells(aged.object, NOW) ?? []
  expect(cells).toHaveLength(definition?.columns.length ?? -1)
  return Object.fromEntries(definition?.columns.map((column, index) => [column.name, cells[index]]) ?? [])
}

const running = (fields: object = {}) => ({ name: 'web', ready: true, restartCount: 0, state: { running: { startedAt: CREATED } }, ...fields })
const ended = (fields: object) => ({ name: 'web', ready: false, restartCount: 0, state: { terminated: { exitCode: 0, ...fields } } })
const waiting = (reason: string) => ({ name: 'web', ready: false, restartCount: 0, state: { waiting: { reason } } })

const lastState = (finishedAt: string) => ({ lastState: { terminated: { exitCode: 1, finishedAt } } })

function podRow(status: object, metadata: object = {}): Readonly<Record<string, unknown>> {
  return row({ ...pod({}), status, metadata: { name: 'x', namespace: 'default', ...metadata } })
}

describe('pods', () => {
  const DELETED = { deletionTimestamp: CREATED }
  it.each<readonly [string, object, object, string, string]>([
    ['just created', {}, {}, 'Pending', '0/1'],
    ['being created', { phase: 'Pending', containerStatuses: [waiting('ContainerCreating')] }, {}, 'ContainerCreating', '0/1'],
    ['running', { phase: 'Running', containerStatuses: [running()] }, {}, 'Running', '1/1'],
    ['running, not ready', { phase: 'Running', containerStatuses: [running({ ready: false })] }, {}, 'Running', '0/1'],
    ['crashing', { phase: 'Running', containerStatuses: [waiting('CrashLoopBackOff')] }, {}, 'CrashLoopBackOff', '0/1'],
    ['without image', { phase: 'Pending', containerStatuses: [waiting('ErrImagePull')] }, {}, 'ErrImagePull', '0/1'],
    ['completed', { phase: 'Succeeded', containerStatuses: [ended({ reason: 'Completed' })] }, {}, 'Completed', '0/1'],
    ['ended with a code', { phase: 'Failed', containerStatuses: [ended({ exitCode: 3 })] }, {}, 'ExitCode:3', '0/1'],
    ['ended by a signal', { phase: 'Failed', containerStatuses: [ended({ exitCode: 137, signal: 9 })] }, {}, 'Signal:9', '0/1'],
    ['evicted', { phase: 'Failed', reason: 'Evicted' }, {}, 'Evicted', '0/1'],
    ['going', { phase: 'Running', containerStatuses: [running()] }, DELETED, 'Terminating', '1/1'],
    ['gone already', { phase: 'Succeeded', containerStatuses: [ended({ reason: 'Completed' })] }, DELETED, 'Completed', '0/1'],
    ['lost', { phase: 'Running', reason: 'NodeLost', containerStatuses: [running()] }, DELETED, 'Unknown', '1/1'],
    [
      'one of two completed, ready',
      {
        phase: 'Running',
        conditions: [{ type: 'Ready', status: 'True' }],
        containerStatuses: [ended({ reason: 'Completed' }), running({ name: 'b' })],
      },
      {},
      'Running',
      '1/1',
    ],
    [
      'one of two completed, not ready',
      { phase: 'Running', containerStatuses: [ended({ reason: 'Completed' }), running({ name: 'b' })] },
      {},
      'NotReady',
      '1/1',
    ],
    ['the first container speaks', { phase: 'Running', containerStatuses: [waiting('First'), waiting('Second')] }, {}, 'First', '0/1'],
  ])('%s', (_name, status, metadata, word, ready) => {
    expect(podRow(status, metadata)).toMatchObject({ Name: 'x', Status: word, Ready: ready, Age: '5m' })
  })

  it('restarts, with the time of the last', () => {
    const containerStatuses = [
      running({ restartCount: 2, ...lastState('2026-11-21T07:00:00Z') }),
      running({ restartCount: 1, ...lastState('2026-11-21T07:59:30Z') }),
    ]
    expect(podRow({ phase: 'Running', containerStatuses })).toMatchObject({ Restarts: '3 (30s ago)' })
    expect(podRow({ phase: 'Running', containerStatuses: [running({ restartCount: 4 })] })).toMatchObject({ Restarts: '4' })
    expect(podRow({})).toMatchObject({ Restarts: '0' })
  })

  it('wide', () => {
    const wide = row({ ...pod({ nodeName: 'gw-1' }), status: { podIP: '10.0.0.9', podIPs: [{ ip: '10.0.0.9' }] } })
    expect(wide).toMatchObject({ IP: '10.0.0.9', Node: 'gw-1', 'Nominated Node': '<none>', 'Readiness Gates': '<none>' })
    expect(podRow({})).toMatchObject({ IP: '<none>', Node: '<none>' })
    const wideOnly = resourceByKey('pods')?.columns.filter((column) => column.priority === 1)
    expect(wideOnly?.map((column) => column.name)).toEqual(['IP', 'Node', 'Nominated Node', 'Readiness Gates', 'Not Placed'])
    const message = '0 of 1 devices can take this pod: 1 too few PIDs (needs 4000, most free 3559).'
    const conditions = [{ type: 'PodScheduled', status: 'False', reason: 'Unschedulable', message }]
    expect(podRow({ phase: 'Pending', conditions })).toMatchObject({ 'Not Placed': message })
    expect(podRow({ phase: 'Running', conditions: [{ type: 'PodScheduled', status: 'True' }] })).toMatchObject({ 'Not Placed': '<none>' })
  })
})

describe('other kinds', () => {
  const template = { Containers: 'web', Images: 'nginx:1.27', Selector: 'app=x', Name: 'x', Age: '5m' }
  const node = { type: 'Ready', status: 'True' }
  it.each<readonly [string, KubeObject, object]>([
    [
      'deployment',
      manifest('apps/v1', 'Deployment', { spec: ownerSpec({ replicas: 3 }), status: { readyReplicas: 2, updatedReplicas: 1, availableReplicas: 2 } }),
      { ...template, Ready: '2/3', 'Up-to-date': 1, Available: 2 },
    ],
    [
      'replica set',
      manifest('apps/v1', 'ReplicaSet', { spec: ownerSpec({ replicas: 3 }), status: { replicas: 2, readyReplicas: 1 } }),
      { ...template, Desired: 3, Current: 2, Ready: 1 },
    ],
    [
      'daemon set',
      manifest('apps/v1', 'DaemonSet', {
        spec: ownerSpec({}, { nodeSelector: { b: '1', a: '2' } }),
        status: { desiredNumberScheduled: 5, currentNumberScheduled: 4, numberReady: 3, updatedNumberScheduled: 2, numberAvailable: 1 },
      }),
      { ...template, Desired: 5, Current: 4, Ready: 3, 'Up-to-date': 2, Available: 1, 'Node Selector': 'a=2,b=1' },
    ],
    [
      'node',
      manifest('v1', 'Node', {
        metadata: { labels: { 'node-role.kubernetes.io/edge': '', 'kubernetes.io/role': 'b' } },
        status: {
          conditions: [node],
          addresses: [{ type: 'InternalIP', address: '10.1.1.1' }],
          nodeInfo: { kubeletVersion: 'v1', osImage: 'Debian 12', kernelVersion: '6.1', containerRuntimeVersion: 'docker://27' },
        },
      }),
      {
        Status: 'Ready',
        Roles: 'b,edge',
        Version: 'v1',
        'Internal-IP': '10.1.1.1',
        'External-IP': '<none>',
        'OS-Image': 'Debian 12',
        'Kernel-Version': '6.1',
        'Container-Runtime': 'docker://27',
      },
    ],
    [
      'cordoned node',
      manifest('v1', 'Node', { spec: { unschedulable: true }, status: { conditions: [{ ...node, status: 'Unknown' }] } }),
      { Status: 'NotReady,SchedulingDisabled', Roles: '<none>', 'OS-Image': '<unknown>' },
    ],
    ['node that never reported', manifest('v1', 'Node', {}), { Status: 'Unknown' }],
    ['namespace', manifest('v1', 'Namespace', {}), { Name: 'x', Status: 'Active', Age: '5m' }],
    ['config map', manifest('v1', 'ConfigMap', { data: { a: '1', b: '2' }, binaryData: { c: '' } }), { Name: 'x', Data: 3, Age: '5m' }],
    ['secret', manifest('v1', 'Secret', { stringData: { a: '1' } }), { Name: 'x', Type: 'Opaque', Data: 1, Age: '5m' }],
    ['lease', manifest('coordination.k8s.io/v1', 'Lease', { spec: { holderIdentity: 'me' } }), { Name: 'x', Holder: 'me', Age: '5m' }],
    [
      'event',
      manifest('v1', 'Event', {
        involvedObject: { kind: 'Pod', name: 'a', namespace: 'default', fieldPath: 'spec.containers{a}' },
        reason: 'Killing',
        type: 'Normal',
        message: ' Stopping \n',
        count: 2,
        firstTimestamp: '2026-11-21T07:00:00Z',
        lastTimestamp: '2026-11-21T07:59:00Z',
        source: { component: 'agent', host: 'gw' },
      }),
      {
        'Last Seen': '60s',
        Type: 'Normal',
        Reason: 'Killing',
        Object: 'pod/a',
        Subobject: 'spec.containers{a}',
        Source: 'agent, gw',
        Message: 'Stopping',
        'First Seen': '60m',
        Count: 2,
        Name: 'x',
      },
    ],
    [
      'event of the newer kind',
      manifest('v1', 'Event', {
        involvedObject: { kind: 'Node', name: 'gw' },
        eventTime: '2026-11-21T07:59:50.000001Z',
        reportingComponent: 'cloud',
      }),
      { 'Last Seen': '10s', 'First Seen': '10s', Count: 1, Source: 'cloud', Object: 'node/gw' },
    ],
  ])('%s', (_name, object, cells) => {
    expect(row(object)).toMatchObject(cells)
  })
})

describe('the registry', () => {
  it('finds each kind in three ways', () => {
    for (const definition of RESOURCE_DEFINITIONS) {
      const key = definition.group === '' ? definition.plural : `${definition.plural}.${definition.group}`
      expect(resourceByKey(key)).toBe(definition)
      expect(resourceByPlural(definition.group, definition.version, definition.plural)).toBe(definition)
      expect(resourceByKind(apiVersionOf(definition), definition.kind)).toBe(definition)
    }
    expect(resourceByPlural('apps', 'v1beta1', 'deployments')).toBeUndefined()
    expect(resourceByKind('v1', 'Deployment')).toBeUndefined()
  })

  it('no two kinds share a name that users type', () => {
    const names = RESOURCE_DEFINITIONS.flatMap(({ plural, singular, shortNames }) => [...new Set([plural, singular, ...shortNames])])
    expect(names).toHaveLength(new Set(names).size)
  })
})

describe('ages', () => {
  it.each([
    [-5 * SECOND, '<invalid>'],
    [-1 * SECOND, '0s'],
    [0, '0s'],
    [119 * SECOND, '119s'],
    [120 * SECOND, '2m'],
    [181 * SECOND, '3m1s'],
    [10 * 60 * SECOND + 30 * SECOND, '10m'],
    [179 * 60 * SECOND, '179m'],
    [3 * HOUR, '3h'],
    [3 * HOUR + 60 * SECOND, '3h1m'],
    [8 * HOUR + 59 * 60 * SECOND, '8h'],
    [47 * HOUR, '47h'],
    [48 * HOUR, '2d'],
    [50 * HOUR, '2d2h'],
    [8 * DAY, '8d'],
    [8 * DAY + HOUR, '8d'],
    [729 * DAY, '729d'],
    [730 * DAY, '2y'],
    [731 * DAY, '2y1d'],
    [8 * 365 * DAY, '8y'],
    [20 * 365 * DAY + 5 * DAY, '20y'],
  ])('%d ms is %s', (ms, expected) => {
    expect(humanDuration(ms)).toBe(expected)
  })

  it.each(['2026-11-21T08:00:00Z', '2024-02-29T23:59:59.123Z', '1970-01-01T00:00:00Z', '2000-03-01T00:00:00+02:00', '1999-12-31T23:30:00-05:30'])(
    'reads %s',
    (stamp) => {
      expect(parseStamp(stamp)).toBe(Date.parse(stamp))
    },
  )

  it('says so when there is no time', () => {
    expect(ageOf(undefined, NOW)).toBe('<unknown>')
    expect(ageOf('yesterday', NOW)).toBe('<unknown>')
  })
})
