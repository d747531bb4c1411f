/** DaemonSet: one pod of a template on every device that fits. */
import { int, intOrString, list, obj, oneOf, required } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { formatLabels } from './label-selector.ts'
import { CONDITION, LABEL_SELECTOR, OBJECT_META } from './object.ts'
import { POD_TEMPLATE, defaultPodTemplate, ownerIssues } from './pod-template.ts'
import { amountIssues, isZeroAmount } from './rollout-amount.ts'
import { strategyAnnotationIssues } from './update-annotations.ts'
import { TEMPLATE_COLUMNS, templateCells } from './workload-printer.ts'

const INT32_MAX = 2_147_483_647

export const DAEMON_SET_SHAPE = obj({
  apiVersion: required(oneOf('apps/v1')),
  kind: required(oneOf('DaemonSet')),
  metadata: required(OBJECT_META),
  spec: required(
    obj({
      selector: required(LABEL_SELECTOR),
      template: required(POD_TEMPLATE),
      updateStrategy: obj({
        type: oneOf('RollingUpdate', 'OnDelete'),
        rollingUpdate: obj({ maxUnavailable: intOrString(), maxSurge: intOrString() }),
      }),
      minReadySeconds: int(0, INT32_MAX),
      revisionHistoryLimit: int(0, INT32_MAX),
    }),
  ),
  status: obj({
    currentNumberScheduled: int(),
    numberMisscheduled: int(),
    desiredNumberScheduled: int(),
    numberReady: int(),
    observedGeneration: int(),
    updatedNumberScheduled: int(),
    numberAvailable: int(),
    numberUnavailable: int(),
    collisionCount: int(),
    conditions: list(CONDITION, { mergeKey: 'type', max: 64 }),
  }),
})
export type DaemonSet = Infer<typeof DAEMON_SET_SHAPE>

export const DAEMON_SETS = defineResource<DaemonSet>({
  group: 'apps',
  version: 'v1',
  kind: 'DaemonSet',
  plural: 'daemonsets',
  shortNames: ['ds'],
  categories: ['all'],
  namespaced: true,
  nameRule: 'subdomain',
  shape: DAEMON_SET_SHAPE,
  hasStatus: true,
  generationFields: ['spec'],
  defaults: (set) => ({
    ...set,
    spec: {
      ...set.spec,
      template: defaultPodTemplate(set.spec.template),
      updateStrategy: defaultStrategy(set.spec.updateStrategy ?? {}),
      revisionHistoryLimit: set.spec.revisionHistoryLimit ?? 10,
    },
    status: { currentNumberScheduled: 0, numberMisscheduled: 0, desiredNumberScheduled: 0, numberReady: 0, ...set.status },
  }),
  rules: (set, old) => [
    ...ownerIssues(set.spec, old?.spec ?? null, 'DaemonSet'),
    ...strategyIssues(set),
    ...strategyAnnotationIssues(set.metadata.annotations, set.spec.updateStrategy?.type),
  ],
  columns: [
    NAME_COLUMN,
    column('Desired', 'integer', 'Devices that should run the pod.'),
    column('Current', 'integer', 'Devices that have the pod and should.'),
    column('Ready', 'integer', 'Devices where the pod is ready.'),
    column('Up-to-date', 'integer', 'Devices with a pod of the current template.'),
    column('Available', 'integer', 'Devices where the pod was ready for at least minReadySeconds.'),
    column('Node Selector', 'string', 'Labels that a device must have.'),
    AGE_COLUMN,
    ...TEMPLATE_COLUMNS,
  ],
  cells: (set, nowMs) => [
    nameCell(set),
    set.status?.desiredNumberScheduled ?? 0,
    set.status?.currentNumberScheduled ?? 0,
    set.status?.numberReady ?? 0,
    set.status?.updatedNumberScheduled ?? 0,
    set.status?.numberAvailable ?? 0,
    formatLabels(set.spec.template.spec.nodeSelector),
    ageCell(set, nowMs),
    ...templateCells(set.spec),
  ],
})

type Strategy = NonNullable<DaemonSet['spec']['updateStrategy']>

function defaultStrategy(strategy: Strategy): Strategy {
  const type = strategy.type ?? 'RollingUpdate'
  if (type !== 'RollingUpdate') return { ...strategy, type }
  const { maxUnavailable = 1, maxSurge = 0 } = strategy.rollingUpdate ?? {}
  return { ...strategy, type, rollingUpdate: { maxUnavailable, maxSurge } }
}

function strategyIssues(set: DaemonSet): readonly Issue[] {
  const path = 'spec.updateStrategy.rollingUpdate'
  const strategy = set.spec.updateStrategy
  const rolling = strategy?.rollingUpdate
  if (strategy?.type === 'OnDelete' || rolling === undefined) return []
  const issues = [
    ...amountIssues(rolling.maxUnavailable, `${path}.maxUnavailable`, true),
    ...amountIssues(rolling.maxSurge, `${path}.maxSurge`, true),
  ]
  if (issues.length > 0) return issues
  const surges = !isZeroAmount(rolling.maxSurge)
  const drops = !isZeroAmount(rolling.maxUnavailable)
  if (!surges && !drops)
    return [{ path: `${path}.maxUnavailable`, kind: 'invalid', message: 'must not be 0 when maxSurge is 0: nothing could ever be replaced' }]
  if (surges && drops) return [{ path: `${path}.maxSurge`, kind: 'invalid', message: 'must be 0 unless maxUnavailable is 0' }]
  return []
}
