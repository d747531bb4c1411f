/** StatefulSet: pods with names that stay, one after another, each with volumes of its own. */
import { anything, int, intOrString, list, obj, oneOf, refused, required, str } from '../../protocol/shape.ts'
import type { Infer, Issue } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { CONDITION, LABEL_SELECTOR, OBJECT_META } from './object.ts'
import { CLAIM_SPEC, claimSpecIssues } from './persistent-volume-claim.ts'
import { POD_TEMPLATE, defaultPodTemplate, ownerIssues } from './pod-template.ts'
import type { PodTemplate } from './pod-template.ts'

const INT32_MAX = 2_147_483_647
/** the name of a pod is a host name: the set's, a dash and a number */
const NAME_MAX = 52

export const STATEFUL_SET_SHAPE = obj({
  apiVersion: required(oneOf('apps/v1')),
  kind: required(oneOf('StatefulSet')),
  metadata: required(OBJECT_META),
  spec: required(
    obj({
      replicas: int(0, INT32_MAX),
      serviceName: str({ max: 63 }),
      selector: required(LABEL_SELECTOR),
      template: required(POD_TEMPLATE),
      volumeClaimTemplates: list(
        obj({ apiVersion: str(), kind: str(), metadata: required(OBJECT_META), spec: required(CLAIM_SPEC), status: anything() }),
        {
          max: 16,
        },
      ),
      podManagementPolicy: oneOf('OrderedReady', 'Parallel'),
      updateStrategy: obj({
        type: oneOf('RollingUpdate', 'OnDelete'),
        rollingUpdate: obj({ partition: int(0, INT32_MAX), maxUnavailable: intOrString() }),
      }),
      revisionHistoryLimit: int(0, INT32_MAX),
      minReadySeconds: int(0, INT32_MAX),
      persistentVolumeClaimRetentionPolicy: obj({ whenDeleted: oneOf('Retain', 'Delete'), whenScaled: oneOf('Retain', 'Delete') }),
      ordinals: refused('is not supported: numbers begin at 0'),
    }),
  ),
  status: obj({
    observedGeneration: int(),
    replicas: int(),
    readyReplicas: int(),
    currentReplicas: int(),
    updatedReplicas: int(),
    availableReplicas: int(),
    currentRevision: str({ max: 128 }),
    updateRevision: str({ max: 128 }),
    collisionCount: int(),
    conditions: list(CONDITION, { mergeKey: 'type', max: 16 }),
  }),
})
export type StatefulSet = Infer<typeof STATEFUL_SET_SHAPE>

export const STATEFUL_SETS = defineResource<StatefulSet>({
  group: 'apps',
  version: 'v1',
  kind: 'StatefulSet',
  plural: 'statefulsets',
  shortNames: ['sts'],
  categories: ['all'],
  namespaced: true,
  nameRule: 'label',
  shape: STATEFUL_SET_SHAPE,
  hasStatus: true,
  hasScale: true,
  generationFields: ['spec'],
  defaults: (set) => ({ ...set, spec: defaultSpec(set.spec), status: { replicas: 0, availableReplicas: 0, ...set.status } }),
  rules: setIssues,
  columns: [
    NAME_COLUMN,
    column('Ready', 'string', 'Pods that are ready, of those wanted.'),
    AGE_COLUMN,
    column('Containers', 'string', 'Names of the containers in the template.', { wide: true }),
    column('Images', 'string', 'Images of the containers in the template.', { wide: true }),
  ],
  cells: (set, nowMs) => [
    nameCell(set),
    `${set.status?.readyReplicas ?? 0}/${set.spec.replicas ?? 1}`,
    ageCell(set, nowMs),
    set.spec.template.spec.containers.map(({ name }) => name).join(','),
    set.spec.template.spec.containers.map(({ image }) => image).join(','),
  ],
})

/** The template of a pod: a volume with the name of a claim template is that claim, by the name that the pod's own has. */
export function withClaims({ template, volumeClaimTemplates = [] }: StatefulSet['spec'], nameOfClaim: (name: string) => string): PodTemplate {
  if (volumeClaimTemplates.length === 0) return template
  const names = new Set(volumeClaimTemplates.map((one) => one.metadata.name ?? ''))
  const own = [...names].map((name) => ({ name, persistentVolumeClaim: { claimName: nameOfClaim(name) } }))
  const others = (template.spec.volumes ?? []).filter(({ name }) => !names.has(name))
  return { ...template, spec: { ...template.spec, volumes: [...others, ...own] } }
}

function defaultSpec(spec: StatefulSet['spec']): StatefulSet['spec'] {
  const type = spec.updateStrategy?.type ?? 'RollingUpdate'
  return {
    ...spec,
    replicas: spec.replicas ?? 1,
    template: defaultPodTemplate(spec.template),
    podManagementPolicy: spec.podManagementPolicy ?? 'OrderedReady',
    updateStrategy: {
      ...spec.updateStrategy,
      type,
      ...(type === 'RollingUpdate' ? { rollingUpdate: { partition: 0, ...spec.updateStrategy?.rollingUpdate } } : {}),
    },
    revisionHistoryLimit: spec.revisionHistoryLimit ?? 10,
  }
}

function setIssues(set: StatefulSet, old: StatefulSet | null): readonly Issue[] {
  const { spec } = set
  const issues = [...ownerIssues({ ...spec, template: withClaims(spec, (name) => name) }, old?.spec ?? null, 'StatefulSet')]
  if ((set.metadata.name ?? '').length > NAME_MAX)
    issues.push({ path: 'metadata.name', kind: 'invalid', message: `must be at most ${NAME_MAX} characters: the names of its pods are host names` })
  const kept = spec.persistentVolumeClaimRetentionPolicy
  if (kept?.whenDeleted === 'Delete' || kept?.whenScaled === 'Delete')
    issues.push({
      path: 'spec.persistentVolumeClaimRetentionPolicy',
      kind: 'unsupported',
      message: '"Delete" is not supported: data of devices is removed on the device; use "Retain"',
    })
  if (spec.updateStrategy?.rollingUpdate?.maxUnavailable !== undefined)
    issues.push({
      path: 'spec.updateStrategy.rollingUpdate.maxUnavailable',
      kind: 'unsupported',
      message: 'is not supported: pods are replaced one after another; leave it out',
    })
  for (const [index, template] of (spec.volumeClaimTemplates ?? []).entries()) {
    const at = `spec.volumeClaimTemplates[${index}]`
    if ((template.metadata.name ?? '') === '') issues.push({ path: `${at}.metadata.name`, kind: 'required', message: 'is required' })
    issues.push(...claimSpecIssues(template.spec, `${at}.spec`))
  }
  return issues
}
