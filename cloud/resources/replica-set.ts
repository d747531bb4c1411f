/** ReplicaSet: one revision of a Deployment, or replicas of a template on its own. */
import { int, list, obj, oneOf, required } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { CONDITION, LABEL_SELECTOR, OBJECT_META } from './object.ts'
import { POD_TEMPLATE, defaultPodTemplate, ownerIssues } from './pod-template.ts'
import { TEMPLATE_COLUMNS, templateCells } from './workload-printer.ts'

const INT32_MAX = 2_147_483_647

export const REPLICA_SET_SHAPE = obj({
  apiVersion: required(oneOf('apps/v1')),
  kind: required(oneOf('ReplicaSet')),
  metadata: required(OBJECT_META),
  spec: required(
    obj({
      replicas: int(0, INT32_MAX),
      minReadySeconds: int(0, INT32_MAX),
      selector: required(LABEL_SELECTOR),
      template: required(POD_TEMPLATE),
    }),
  ),
  status: obj({
    replicas: int(),
    fullyLabeledReplicas: int(),
    readyReplicas: int(),
    availableReplicas: int(),
    terminatingReplicas: int(),
    observedGeneration: int(),
    conditions: list(CONDITION, { mergeKey: 'type', max: 64 }),
  }),
})
export type ReplicaSet = Infer<typeof REPLICA_SET_SHAPE>

export const REPLICA_SETS = defineResource<ReplicaSet>({
  group: 'apps',
  version: 'v1',
  kind: 'ReplicaSet',
  plural: 'replicasets',
  shortNames: ['rs'],
  categories: ['all'],
  namespaced: true,
  nameRule: 'subdomain',
  shape: REPLICA_SET_SHAPE,
  hasStatus: true,
  hasScale: true,
  generationFields: ['spec'],
  defaults: (set) => ({
    ...set,
    spec: { ...set.spec, replicas: set.spec.replicas ?? 1, template: defaultPodTemplate(set.spec.template) },
    status: { ...set.status, replicas: set.status?.replicas ?? 0 },
  }),
  rules: (set, old) => ownerIssues(set.spec, old?.spec ?? null, 'ReplicaSet'),
  columns: [
    NAME_COLUMN,
    column('Desired', 'integer', 'Pods wanted.'),
    column('Current', 'integer', 'Pods that exist.'),
    column('Ready', 'integer', 'Pods that are ready.'),
    AGE_COLUMN,
    ...TEMPLATE_COLUMNS,
  ],
  cells: (set, nowMs) => [
    nameCell(set),
    set.spec.replicas ?? 0,
    set.status?.replicas ?? 0,
    set.status?.readyReplicas ?? 0,
    ageCell(set, nowMs),
    ...templateCells(set.spec),
  ],
  selectableFields: { 'status.replicas': (set) => String(set.status?.replicas ?? 0) },
})
