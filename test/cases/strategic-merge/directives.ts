import { containerCase, deploymentCase, metadataCase, podCase } from './case.ts'
import type { MergeCase } from './case.ts'

const A = { name: 'a', image: 'a:1' }
const B = { name: 'b', image: 'b:1' }
const C = { name: 'c', image: 'c:1' }
const D = { name: 'd', image: 'd:1' }
const order = (...names: readonly string[]) => ({ '$setElementOrder/containers': names.map((name) => ({ name })) })
const ROLLING = { type: 'RollingUpdate', rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } }

/** Order, kept keys, whole maps, and objects. */
export const DIRECTIVE_CASES: readonly MergeCase[] = [
  podCase('orders what is there', { containers: [A, B, C] }, order('c', 'b', 'a'), { containers: [C, B, A] }),
  podCase('puts a new item at its place', { containers: [A, B] }, { ...order('a', 'c', 'b'), containers: [C] }, { containers: [A, C, B] }),
  podCase('puts a new item last', { containers: [A, B] }, { ...order('a', 'b', 'c'), containers: [C] }, { containers: [A, B, C] }),
  podCase('keeps what only the server has near its place', { containers: [A, B, C] }, order('a', 'c'), { containers: [A, B, C] }),
  podCase('what only the server has stays before what stood after it', { containers: [A, B, C] }, order('c', 'a'), { containers: [B, C, A] }),
  podCase(
    'what only the server has stays before new items',
    { containers: [B, A] },
    { ...order('a', 'c'), containers: [C] },
    { containers: [B, A, C] },
  ),
  podCase(
    'what only the server has at the end, and a new item',
    { containers: [A, B] },
    { ...order('a', 'c'), containers: [C] },
    { containers: [A, C, B] },
  ),
  podCase('several that only the server has', { containers: [D, A, C, B] }, order('b', 'a'), { containers: [D, C, B, A] }),
  podCase(
    'changes and orders',
    { containers: [A, B] },
    { ...order('b', 'a'), containers: [{ name: 'a', image: 'a:2' }] },
    { containers: [B, { name: 'a', image: 'a:2' }] },
  ),
  podCase(
    'removes and orders',
    { containers: [A, B, C] },
    { ...order('c', 'b'), containers: [{ name: 'a', $patch: 'delete' }] },
    { containers: [C, B] },
  ),
  podCase(
    'adds, removes and orders',
    { containers: [A, B] },
    { ...order('c', 'b'), containers: [C, { name: 'a', $patch: 'delete' }] },
    { containers: [C, B] },
  ),
  podCase('an order for a list that is not there', { hostNetwork: true }, order('a'), { hostNetwork: true }),
  podCase('an order with the first items', {}, { ...order('b', 'a'), containers: [B, A] }, { containers: [B, A] }),
  podCase('an order that names what nobody has', { containers: [A] }, order('z', 'a'), { containers: [A] }),
  podCase('refuses an item that the order does not name', { containers: [A] }, { ...order('a'), containers: [C] }, null),
  podCase('refuses items in another order than named', { containers: [A] }, { ...order('b', 'c'), containers: [C, B] }, null),
  podCase('refuses an order that is no list', { containers: [A] }, { '$setElementOrder/containers': 'a' }, null),
  containerCase(
    'orders variables',
    { env: [{ name: 'X' }, { name: 'Y' }] },
    { '$setElementOrder/env': [{ name: 'Y' }, { name: 'X' }] },
    { env: [{ name: 'Y' }, { name: 'X' }] },
  ),
  containerCase(
    'an apply that adds one variable and changes another',
    {
      env: [
        { name: 'X', value: '1' },
        { name: 'Y', value: '2' },
      ],
    },
    {
      '$setElementOrder/env': [{ name: 'N' }, { name: 'X' }, { name: 'Y' }],
      env: [
        { name: 'N', value: 'n' },
        { name: 'Y', value: '3' },
      ],
    },
    {
      env: [
        { name: 'N', value: 'n' },
        { name: 'X', value: '1' },
        { name: 'Y', value: '3' },
      ],
    },
  ),
  containerCase(
    'an order with two protocols of one port',
    {
      ports: [
        { containerPort: 53, protocol: 'TCP' },
        { containerPort: 53, protocol: 'UDP' },
      ],
    },
    { '$setElementOrder/ports': [{ containerPort: 53 }, { containerPort: 53 }] },
    {
      ports: [
        { containerPort: 53, protocol: 'TCP' },
        { containerPort: 53, protocol: 'UDP' },
      ],
    },
  ),
  containerCase(
    'a port number given as text is another key',
    { ports: [{ containerPort: 80 }] },
    { ports: [{ containerPort: '80', name: 'web' }] },
    { ports: [{ containerPort: '80', name: 'web' }, { containerPort: 80 }] },
  ),
  metadataCase(
    'orders finalizers',
    { finalizers: ['x/a', 'x/b'] },
    { '$setElementOrder/finalizers': ['x/b', 'x/a'] },
    { finalizers: ['x/b', 'x/a'] },
  ),

  deploymentCase(
    'keeps only the named keys',
    { replicas: 1, strategy: ROLLING },
    { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
    { replicas: 1, strategy: { type: 'Recreate' } },
  ),
  deploymentCase(
    'keeps named keys that the patch does not set',
    { strategy: ROLLING },
    { strategy: { $retainKeys: ['rollingUpdate', 'type'], rollingUpdate: { maxSurge: 2 } } },
    { strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 2, maxUnavailable: 0 } } },
  ),
  deploymentCase('without it both merge', { strategy: ROLLING }, { strategy: { type: 'Recreate' } }, { strategy: { ...ROLLING, type: 'Recreate' } }),
  deploymentCase(
    'a null removes what retainKeys does not name',
    { strategy: ROLLING },
    { strategy: { $retainKeys: ['type'], rollingUpdate: null, type: 'Recreate' } },
    { strategy: { type: 'Recreate' } },
  ),
  {
    ...deploymentCase(
      'retainKeys where nothing was',
      { replicas: 1 },
      { strategy: { $retainKeys: ['type'], type: 'Recreate' } },
      { replicas: 1, strategy: { type: 'Recreate' } },
    ),
    kubectlDiffers: 'keeps the directive as a field',
  },
  deploymentCase(
    'refuses to set what retainKeys does not name',
    { strategy: ROLLING },
    { strategy: { $retainKeys: ['type'], rollingUpdate: { maxSurge: 3 } } },
    null,
  ),
  deploymentCase('refuses retainKeys that is no list', { strategy: ROLLING }, { strategy: { $retainKeys: 'type', type: 'Recreate' } }, null),
  deploymentCase('replaces a map', { strategy: ROLLING }, { strategy: { $patch: 'replace', type: 'Recreate' } }, { strategy: { type: 'Recreate' } }),
  deploymentCase('empties a map', { strategy: ROLLING }, { strategy: { $patch: 'delete' } }, { strategy: {} }),
  deploymentCase('refuses a directive nobody knows', { strategy: ROLLING }, { strategy: { $patch: 'purge' } }, null),
  deploymentCase(
    'match expressions are replaced whole',
    { selector: { matchExpressions: [{ key: 'a', operator: 'Exists' }] } },
    { selector: { matchExpressions: [{ key: 'b', operator: 'Exists' }] } },
    { selector: { matchExpressions: [{ key: 'b', operator: 'Exists' }] } },
  ),
  deploymentCase('a number is replaced', { replicas: 1 }, { replicas: 3 }, { replicas: 3 }),
  deploymentCase('pauses', { replicas: 1 }, { paused: true }, { replicas: 1, paused: true }),
  deploymentCase('resumes', { replicas: 1, paused: true }, { paused: null }, { replicas: 1 }),
  deploymentCase(
    'restarts through an annotation of the template',
    { template: { metadata: { labels: { app: 'a' } } } },
    { template: { metadata: { annotations: { at: 'now' } } } },
    { template: { metadata: { labels: { app: 'a' }, annotations: { at: 'now' } } } },
  ),
  deploymentCase(
    'sets an image deep in a template',
    { template: { spec: { containers: [A, B] } } },
    { template: { spec: { containers: [{ name: 'a', image: 'a:2' }] } } },
    { template: { spec: { containers: [{ name: 'a', image: 'a:2' }, B] } } },
  ),
  containerCase(
    'limits merge by name',
    { resources: { limits: { cpu: '1', memory: '1Gi' } } },
    { resources: { limits: { cpu: '2' } } },
    { resources: { limits: { cpu: '2', memory: '1Gi' } } },
  ),
  podCase('node selectors merge', { nodeSelector: { a: '1', b: '2' } }, { nodeSelector: { b: null, c: '3' } }, { nodeSelector: { a: '1', c: '3' } }),
  podCase(
    'a map takes the place of text',
    { nodeName: 'n', nodeSelector: { a: '1' } },
    { nodeSelector: { $patch: 'replace', z: '9' } },
    { nodeName: 'n', nodeSelector: { z: '9' } },
  ),
  metadataCase('labels merge and null removes', { labels: { a: '1', b: '2' } }, { labels: { a: null, c: '3' } }, { labels: { b: '2', c: '3' } }),
  metadataCase('annotations where none were', {}, { annotations: { a: '1' } }, { annotations: { a: '1' } }),
  metadataCase('nulls inside something new are dropped', {}, { annotations: { a: '1', b: null } }, { annotations: { a: '1' } }),
  {
    name: 'data merges',
    kind: 'ConfigMap',
    from: { data: { a: '1', b: '2' } },
    patch: { data: { b: '3', c: '4' } },
    to: { data: { a: '1', b: '3', c: '4' } },
  },
  {
    name: 'data is replaced',
    kind: 'ConfigMap',
    from: { data: { a: '1' } },
    patch: { data: { $patch: 'replace', b: '2' } },
    to: { data: { b: '2' } },
  },
  { name: 'cordons', kind: 'Node', from: { spec: {} }, patch: { spec: { unschedulable: true } }, to: { spec: { unschedulable: true } } },
  {
    name: 'uncordons',
    kind: 'Node',
    from: { spec: { unschedulable: true, podCIDR: '10.0.0.0/24' } },
    patch: { spec: { unschedulable: null } },
    to: { spec: { podCIDR: '10.0.0.0/24' } },
  },
]
