/** Node: a device, as the API shows it. */
import { anything, bool, check, int, list, map, obj, oneOf, quantity, required, str } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { duplicates } from './container-rules.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { CONDITION, LABELS, OBJECT_META } from './object.ts'
import { linkIssues } from './link-rules.ts'
import { labelKeyIssues } from './pod-rules.ts'
import { telemetryIssues } from './telemetry-rules.ts'

const TEXT = str({ max: 1024 })
const AMOUNTS = map(quantity(), { max: 128 })

export const TAINT = obj({
  key: required(str({ min: 1, max: 316 })),
  value: str({ max: 63 }),
  effect: required(oneOf('NoSchedule', 'PreferNoSchedule', 'NoExecute')),
  timeAdded: str({ max: 40 }),
})

export const NODE_SHAPE = obj({
  apiVersion: required(oneOf('v1')),
  kind: required(oneOf('Node')),
  metadata: required(OBJECT_META),
  spec: obj({
    podCIDR: str({ max: 64 }),
    podCIDRs: list(str({ max: 64 }), { mergeSet: true, max: 2 }),
    providerID: TEXT,
    unschedulable: bool(),
    taints: list(TAINT, { max: 64 }),
  }),
  status: obj({
    capacity: AMOUNTS,
    allocatable: AMOUNTS,
    phase: TEXT,
    conditions: list(CONDITION, { mergeKey: 'type', max: 64 }),
    addresses: list(obj({ type: required(str({ max: 64 })), address: required(str({ max: 253 })) }), { mergeKey: 'type', max: 64 }),
    daemonEndpoints: obj({ kubeletEndpoint: obj({ Port: required(int(0, 65_535)) }) }),
    nodeInfo: obj({
      machineID: TEXT,
      systemUUID: TEXT,
      bootID: TEXT,
      kernelVersion: TEXT,
      osImage: TEXT,
      containerRuntimeVersion: TEXT,
      kubeletVersion: TEXT,
      kubeProxyVersion: TEXT,
      operatingSystem: TEXT,
      architecture: TEXT,
      swap: obj({ capacity: int() }),
    }),
    images: list(obj({ names: list(TEXT, { max: 16 }), sizeBytes: int() }), { max: 256 }),
    volumesInUse: list(TEXT, { max: 256 }),
    volumesAttached: anything(),
  }),
})
export type Node = Infer<typeof NODE_SHAPE>
export type Taint = Infer<typeof TAINT>

export const NODES = defineResource<Node>({
  group: '',
  version: 'v1',
  kind: 'Node',
  plural: 'nodes',
  shortNames: ['no'],
  namespaced: false,
  // a device id is also a topic level and a certificate name, so no dots
  nameRule: 'label',
  shape: NODE_SHAPE,
  hasStatus: true,
  defaults: (node) => {
    const capacity = node.status?.capacity
    const allocatable = node.status?.allocatable ?? capacity
    return { ...node, spec: node.spec ?? {}, status: { ...node.status, ...(allocatable === undefined ? {} : { allocatable }) } }
  },
  rules: (node, old) => [
    ...telemetryIssues(node),
    ...linkIssues(node),
    ...taintIssues(node.spec?.taints ?? []),
    ...(old === null ? [] : fixedIssues(node, old)),
  ],
  columns: [
    NAME_COLUMN,
    column('Status', 'string', 'Whether the device is ready, and whether it takes new pods.'),
    column('Roles', 'string', 'Roles of the device, from its labels.'),
    AGE_COLUMN,
    column('Version', 'string', 'Version of the agent.'),
    column('Internal-IP', 'string', 'Address inside its site.', { wide: true }),
    column('External-IP', 'string', 'Address outside its site.', { wide: true }),
    column('OS-Image', 'string', 'Operating system of the device.', { wide: true }),
    column('Kernel-Version', 'string', 'Kernel of the device.', { wide: true }),
    column('Container-Runtime', 'string', 'Container engine of the device.', { wide: true }),
  ],
  cells: nodeCells,
  selectableFields: { 'spec.unschedulable': (node) => String(node.spec?.unschedulable ?? false) },
})

function taintIssues(taints: readonly Taint[]): readonly Issue[] {
  return [
    ...taints.flatMap((taint, index) => [
      ...labelKeyIssues(taint.key, `spec.taints[${index}].key`),
      ...check(LABELS, { value: taint.value ?? '' }).map((issue) => ({ ...issue, path: `spec.taints[${index}].value` })),
    ]),
    ...duplicates(
      taints.map((taint) => `${taint.key}:${taint.effect}`),
      (index) => `spec.taints[${index}]`,
    ),
  ]
}

function fixedIssues(node: Node, old: Node): readonly Issue[] {
  return (['podCIDR', 'providerID'] as const).flatMap((field): readonly Issue[] => {
    const before = old.spec?.[field] ?? ''
    return before === '' || before === (node.spec?.[field] ?? '')
      ? []
      : [{ path: `spec.${field}`, kind: 'forbidden', message: `is immutable once set: it is ${JSON.stringify(before)}` }]
  })
}

function nodeCells(node: Node, nowMs: number): readonly (string | number | null)[] {
  const info = node.status?.nodeInfo
  return [
    nameCell(node),
    statusCell(node),
    rolesCell(node),
    ageCell(node, nowMs),
    info?.kubeletVersion ?? '',
    addressOf(node, 'InternalIP'),
    addressOf(node, 'ExternalIP'),
    known(info?.osImage),
    known(info?.kernelVersion),
    known(info?.containerRuntimeVersion),
  ]
}

function statusCell(node: Node): string {
  const ready = node.status?.conditions?.find((condition) => condition.type === 'Ready')
  const word = ready === undefined ? 'Unknown' : ready.status === 'True' ? 'Ready' : 'NotReady'
  return node.spec?.unschedulable === true ? `${word},SchedulingDisabled` : word
}

const ROLE_PREFIX = 'node-role.kubernetes.io/'

function rolesCell(node: Node): string {
  const roles = Object.entries(node.metadata.labels ?? {}).flatMap(([key, value]) => {
    if (key.startsWith(ROLE_PREFIX)) return key.length > ROLE_PREFIX.length ? [key.slice(ROLE_PREFIX.length)] : []
    return key === 'kubernetes.io/role' && value !== '' ? [value] : []
  })
  return roles.length === 0 ? '<none>' : [...new Set(roles)].toSorted().join(',')
}

function addressOf(node: Node, type: string): string {
  return node.status?.addresses?.find((address) => address.type === type)?.address ?? '<none>'
}

function known(text: string | undefined): string {
  return text === undefined || text === '' ? '<unknown>' : text
}
