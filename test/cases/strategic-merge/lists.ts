import { containerCase, metadataCase, podCase } from './case.ts'
import type { MergeCase } from './case.ts'

const A = { name: 'a', image: 'a:1' }
const B = { name: 'b', image: 'b:1' }
const C = { name: 'c', image: 'c:1' }
const ENV = [
  { name: 'X', value: '1' },
  { name: 'Y', value: '2' },
]
const TOLERATION = { key: 'k', operator: 'Exists' }
const READY = { type: 'Ready', status: 'True' }
const SCHEDULED = { type: 'PodScheduled', status: 'True' }

/** Lists: merged by key, merged as a set, or replaced whole. */
export const LIST_CASES: readonly MergeCase[] = [
  podCase(
    'changes one container by name',
    { containers: [A, B] },
    { containers: [{ name: 'b', image: 'b:2' }] },
    { containers: [A, { name: 'b', image: 'b:2' }] },
  ),
  podCase('a new container comes first when no order is given', { containers: [A] }, { containers: [B] }, { containers: [B, A] }),
  podCase('several new containers keep their order', { containers: [A] }, { containers: [C, B] }, { containers: [C, B, A] }),
  podCase('removes a container', { containers: [A, B] }, { containers: [{ name: 'a', $patch: 'delete' }] }, { containers: [B] }),
  podCase('removing what is not there changes nothing', { containers: [A] }, { containers: [{ name: 'z', $patch: 'delete' }] }, { containers: [A] }),
  podCase(
    'removes one and changes another',
    { containers: [A, B] },
    {
      containers: [
        { name: 'a', $patch: 'delete' },
        { name: 'b', image: 'b:2' },
      ],
    },
    { containers: [{ name: 'b', image: 'b:2' }] },
  ),
  podCase('replaces the whole list', { containers: [A, B] }, { containers: [{ $patch: 'replace' }, C] }, { containers: [C] }),
  podCase('replaces the list by nothing', { containers: [A, B] }, { containers: [{ $patch: 'replace' }] }, { containers: [] }),
  podCase('takes a list that was not there', {}, { containers: [A, B] }, { containers: [A, B] }),
  podCase('null removes a list', { containers: [A], tolerations: [TOLERATION] }, { tolerations: null }, { containers: [A] }),
  podCase('null of what is not there changes nothing', { containers: [A] }, { tolerations: null }, { containers: [A] }),
  podCase('an empty patch list changes nothing in a merged list', { containers: [A] }, { containers: [] }, { containers: [A] }),
  podCase('adds a field to a container', { containers: [A] }, { containers: [{ name: 'a', tty: true }] }, { containers: [{ ...A, tty: true }] }),
  podCase('removes a field of a container', { containers: [{ ...A, tty: true }] }, { containers: [{ name: 'a', tty: null }] }, { containers: [A] }),
  podCase('refuses an item without its key', { containers: [A] }, { containers: [{ image: 'a:2' }] }, null),
  podCase('refuses a removal without its key', { containers: [A] }, { containers: [{ $patch: 'delete' }] }, null),
  podCase('refuses an unknown directive', { containers: [A] }, { containers: [{ name: 'a', $patch: 'destroy' }] }, null),
  {
    ...podCase(
      'drops nulls inside a new item',
      { containers: [A] },
      { containers: [{ name: 'b', image: 'b:1', tty: null }] },
      { containers: [B, A] },
    ),
    kubectlDiffers: 'keeps the null, which means not set',
  },

  containerCase('adds a variable', { env: ENV }, { env: [{ name: 'Z', value: '3' }] }, { env: [{ name: 'Z', value: '3' }, ...ENV] }),
  containerCase('changes a variable', { env: ENV }, { env: [{ name: 'Y', value: '9' }] }, { env: [ENV[0], { name: 'Y', value: '9' }] }),
  containerCase('removes a variable', { env: ENV }, { env: [{ name: 'X', $patch: 'delete' }] }, { env: [ENV[1]] }),
  containerCase('removes all variables', { image: 'i', env: ENV }, { env: null }, { image: 'i' }),
  containerCase('gives the first variables', {}, { env: ENV }, { env: ENV }),
  containerCase(
    'ports merge by container port',
    { ports: [{ containerPort: 80, name: 'web' }] },
    { ports: [{ containerPort: 80, hostPort: 8080 }] },
    { ports: [{ containerPort: 80, name: 'web', hostPort: 8080 }] },
  ),
  containerCase(
    'adds a port',
    { ports: [{ containerPort: 80 }] },
    { ports: [{ containerPort: 81 }] },
    { ports: [{ containerPort: 81 }, { containerPort: 80 }] },
  ),
  containerCase(
    'removes a port',
    { ports: [{ containerPort: 80 }, { containerPort: 81 }] },
    { ports: [{ containerPort: 80, $patch: 'delete' }] },
    { ports: [{ containerPort: 81 }] },
  ),
  containerCase(
    'two protocols on one port: the first is changed',
    {
      ports: [
        { containerPort: 53, protocol: 'TCP' },
        { containerPort: 53, protocol: 'UDP' },
      ],
    },
    { ports: [{ containerPort: 53, hostPort: 53 }] },
    {
      ports: [
        { containerPort: 53, protocol: 'TCP', hostPort: 53 },
        { containerPort: 53, protocol: 'UDP' },
      ],
    },
  ),
  containerCase('command is replaced whole', { command: ['a', 'b'] }, { command: ['c'] }, { command: ['c'] }),
  containerCase('args are replaced whole', { args: ['a', 'b'] }, { args: ['b', 'a', 'a'] }, { args: ['b', 'a', 'a'] }),
  containerCase('a command becomes empty', { command: ['a'] }, { command: [] }, { command: [] }),

  podCase(
    'tolerations are replaced whole',
    { tolerations: [TOLERATION] },
    { tolerations: [{ key: 'other', operator: 'Exists' }] },
    { tolerations: [{ key: 'other', operator: 'Exists' }] },
  ),
  podCase('tolerations become empty', { tolerations: [TOLERATION] }, { tolerations: [] }, { tolerations: [] }),
  {
    name: 'taints are replaced whole',
    kind: 'Node',
    from: { spec: { taints: [{ key: 'a', effect: 'NoSchedule' }] } },
    patch: { spec: { taints: [{ key: 'b', effect: 'NoExecute' }] } },
    to: { spec: { taints: [{ key: 'b', effect: 'NoExecute' }] } },
  },
  {
    name: 'pod CIDRs are a set',
    kind: 'Node',
    from: { spec: { podCIDRs: ['10.0.0.0/24'] } },
    patch: { spec: { podCIDRs: ['fd00::/64', '10.0.0.0/24'] } },
    to: { spec: { podCIDRs: ['fd00::/64', '10.0.0.0/24'] } },
  },
  {
    name: 'addresses merge by type',
    kind: 'Node',
    from: {
      status: {
        addresses: [
          { type: 'InternalIP', address: '1.1.1.1' },
          { type: 'Hostname', address: 'n' },
        ],
      },
    },
    patch: { status: { addresses: [{ type: 'InternalIP', address: '2.2.2.2' }] } },
    to: {
      status: {
        addresses: [
          { type: 'InternalIP', address: '2.2.2.2' },
          { type: 'Hostname', address: 'n' },
        ],
      },
    },
  },
  {
    name: 'conditions merge by type',
    kind: 'Pod',
    from: { status: { conditions: [SCHEDULED, READY] } },
    patch: { status: { conditions: [{ type: 'Ready', status: 'False', reason: 'Why' }] } },
    to: { status: { conditions: [SCHEDULED, { type: 'Ready', status: 'False', reason: 'Why' }] } },
  },
  {
    name: 'a condition is added',
    kind: 'Pod',
    from: { status: { conditions: [SCHEDULED] } },
    patch: { status: { conditions: [READY] } },
    to: { status: { conditions: [READY, SCHEDULED] } },
  },
  {
    name: 'a condition is removed',
    kind: 'Pod',
    from: { status: { conditions: [SCHEDULED, READY] } },
    patch: { status: { conditions: [{ type: 'Ready', $patch: 'delete' }] } },
    to: { status: { conditions: [SCHEDULED] } },
  },
  {
    name: 'container statuses are replaced whole',
    kind: 'Pod',
    from: {
      status: {
        containerStatuses: [
          { name: 'a', ready: true },
          { name: 'b', ready: true },
        ],
      },
    },
    patch: { status: { containerStatuses: [{ name: 'a', ready: false }] } },
    to: { status: { containerStatuses: [{ name: 'a', ready: false }] } },
  },
  {
    name: 'pod IPs merge by ip',
    kind: 'Pod',
    from: { status: { podIPs: [{ ip: '10.0.0.1' }] } },
    patch: { status: { podIPs: [{ ip: 'fd00::1' }] } },
    to: { status: { podIPs: [{ ip: 'fd00::1' }, { ip: '10.0.0.1' }] } },
  },
  {
    name: 'namespace conditions merge by type',
    kind: 'Namespace',
    from: { status: { conditions: [READY] } },
    patch: { status: { conditions: [{ type: 'Ready', message: 'm' }] } },
    to: { status: { conditions: [{ ...READY, message: 'm' }] } },
  },

  metadataCase('finalizers are a set', { finalizers: ['x/a', 'x/b'] }, { finalizers: ['x/c', 'x/a'] }, { finalizers: ['x/c', 'x/a', 'x/b'] }),
  metadataCase('removes a finalizer', { finalizers: ['x/a', 'x/b'] }, { '$deleteFromPrimitiveList/finalizers': ['x/a'] }, { finalizers: ['x/b'] }),
  metadataCase(
    'removes a finalizer that is not there',
    { finalizers: ['x/a'] },
    { '$deleteFromPrimitiveList/finalizers': ['x/z'] },
    { finalizers: ['x/a'] },
  ),
  metadataCase(
    'removes from a list that is not there',
    { labels: { a: 'b' } },
    { '$deleteFromPrimitiveList/finalizers': ['x/z'] },
    { labels: { a: 'b' } },
  ),
  metadataCase(
    'removes one finalizer, adds another and orders them',
    { finalizers: ['x/a', 'x/b'] },
    { finalizers: ['x/c'], '$deleteFromPrimitiveList/finalizers': ['x/a'], '$setElementOrder/finalizers': ['x/b', 'x/c'] },
    { finalizers: ['x/b', 'x/c'] },
  ),
  {
    ...metadataCase('refuses a removal that is no list', { finalizers: ['x/a'] }, { '$deleteFromPrimitiveList/finalizers': 'x/a' }, null),
    kubectlDiffers: 'ignores it where it is text',
  },
  metadataCase(
    'owners merge by uid',
    {
      ownerReferences: [
        { uid: '1', name: 'a' },
        { uid: '2', name: 'b' },
      ],
    },
    { ownerReferences: [{ uid: '2', name: 'c' }] },
    {
      ownerReferences: [
        { uid: '1', name: 'a' },
        { uid: '2', name: 'c' },
      ],
    },
  ),
  metadataCase(
    'removes an owner',
    {
      ownerReferences: [
        { uid: '1', name: 'a' },
        { uid: '2', name: 'b' },
      ],
    },
    { ownerReferences: [{ uid: '1', $patch: 'delete' }] },
    { ownerReferences: [{ uid: '2', name: 'b' }] },
  ),
]
