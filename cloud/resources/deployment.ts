/** Deployment: replicas of a pod template, moved from revision to revision. */
import { int, intOrString, list, bool, obj, oneOf, required } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { CONDITION, LABEL_SELECTOR, OBJECT_META } from './object.ts'
import { POD_TEMPLATE, defaultPodTemplate, ownerIssues } from './pod-template.ts'
import { amountIssues, isZeroAmount } from './rollout-amount.ts'
import { TEMPLATE_COLUMNS, templateCells } from './workload-printer.ts'

const INT32_MAX = 2_147_483_647

export const DEPLOYMENT_SHAPE = obj({
  apiVersion: required(oneOf('apps/v1')),
  kind: required(oneOf('Deployment')),
  metadata: required(OBJECT_META),
  spec: required(
    obj({
      replicas: int(0, INT32_MAX),
      selector: required(LABEL_SELECTOR),
      template: required(POD_TEMPLATE),
      strategy: obj(
        { type: oneOf('RollingUpdate', 'Recreate'), rollingUpdate: obj({ maxUnavailable: intOrString(), maxSurge: intOrString() }) },
        { retainKeys: true },
      ),
      minReadySeconds: int(0, INT32_MAX),
      revisionHistoryLimit: int(0, INT32_MAX),
      progressDeadlineSeconds: int(0, INT32_MAX),
      paused: bool(),
    }),
  ),
  status: obj({
    observedGeneration: int(),
    replicas: int(),
    updatedReplicas: int(),
    readyReplicas: int(),
    availableReplicas: int(),
    unavailableReplicas: int(),
    terminatingReplicas: int(),
    collisionCount: int(),
    conditions: list(CONDITION, { mergeKey: 'type', max: 64 }),
  }),
})
export type Deployment = Infer<typeof DEPLOYMENT_SHAPE>

export const DEPLOYMENTS = defineResource<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  nameRule: 'subdomain',
  shape: DEPLOYMENT_SHAPE,
  hasStatus: true,
  hasScale: true,
  generationFields: ['spec'],
  defaults: (deployment) => ({
    ...deployment,
    spec: {
      ...deployment.spec,
      replicas: deployment.spec.replicas ?? 1,
      template: defaultPodTemplate(deployment.spec.template),
      strategy: defaultStrategy(deployment.spec.strategy ?? {}),
      revisionHistoryLimit: deployment.spec.revisionHistoryLimit ?? 10,
      progressDeadlineSeconds: deployment.spec.progressDeadlineSeconds ?? 600,
    },
    status: deployment.status ?? {},
  }),
  rules: (deployment, old) => [
    ...ownerIssues(deployment.spec, old?.spec ?? null, 'Deployment'),
    ...strategyIssues(deployment),
    ...deadlineIssues(deployment),
  ],
  columns: [
    NAME_COLUMN,
    column('Ready', 'string', 'Pods that are ready, of those wanted.'),
    column('Up-to-date', 'string', 'Pods made from the current template.'),
    column('Available', 'string', 'Pods that were ready for at least minReadySeconds.'),
    AGE_COLUMN,
    ...TEMPLATE_COLUMNS,
  ],
  cells: (deployment, nowMs) => [
    nameCell(deployment),
    `${deployment.status?.readyReplicas ?? 0}/${deployment.spec.replicas ?? 0}`,
    deployment.status?.updatedReplicas ?? 0,
    deployment.status?.availableReplicas ?? 0,
    ageCell(deployment, nowMs),
    ...templateCells(deployment.spec),
  ],
})

type Strategy = NonNullable<Deployment['spec']['strategy']>

function defaultStrategy(strategy: Strategy): Strategy {
  const type = strategy.type ?? 'RollingUpdate'
  if (type !== 'RollingUpdate') return { ...strategy, type }
  const { maxUnavailable = '25%', maxSurge = '25%' } = strategy.rollingUpdate ?? {}
  return { ...strategy, type, rollingUpdate: { maxUnavailable, maxSurge } }
}

function strategyIssues(deployment: Deployment): readonly Issue[] {
  const path = 'spec.strategy.rollingUpdate'
  const strategy = deployment.spec.strategy
  const rolling = strategy?.rollingUpdate
  if (strategy?.type === 'Recreate')
    return rolling === undefined ? [] : [{ path, kind: 'forbidden', message: 'must not be set when strategy.type is "Recreate"' }]
  const issues = [
    ...amountIssues(rolling?.maxUnavailable, `${path}.maxUnavailable`, true),
    ...amountIssues(rolling?.maxSurge, `${path}.maxSurge`, false),
  ]
  if (issues.length === 0 && isZeroAmount(rolling?.maxSurge) && isZeroAmount(rolling?.maxUnavailable)) {
    return [{ path: `${path}.maxUnavailable`, kind: 'invalid', message: 'must not be 0 when maxSurge is 0: nothing could ever be replaced' }]
  }
  return issues
}

function deadlineIssues({ spec }: Deployment): readonly Issue[] {
  const minReady = spec.minReadySeconds ?? 0
  const deadline = spec.progressDeadlineSeconds
  if (deadline === undefined || deadline > minReady) return []
  return [{ path: 'spec.progressDeadlineSeconds', kind: 'invalid', message: `must be greater than minReadySeconds (${minReady}), is ${deadline}` }]
}
