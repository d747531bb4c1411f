/**
 * Rollout (skerry.dev/v1): a change to DaemonSets that goes over the fleet in waves. Operators steer it by fields of its spec
 * (`paused`, `approvedWave`, ...): with kubectl, or with `skerry rollout`, which sends the same fields.
 */
import { obj, oneOf, required } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { AGE_COLUMN, NAME_COLUMN, ageCell, column, defineResource, nameCell } from './define.ts'
import { OBJECT_META } from './object.ts'
import { ROLLOUT_HISTORY, withHistory } from './rollout-history.ts'
import { rolloutIssues } from './rollout-rules.ts'
import { defaultRolloutSpec, ROLLOUT_SPEC } from './rollout-spec.ts'
import { ROLLOUT_STATUS } from './rollout-status.ts'

export const ROLLOUT_SHAPE = obj({
  apiVersion: required(oneOf('skerry.dev/v1')),
  kind: required(oneOf('Rollout')),
  metadata: required(OBJECT_META),
  spec: required(ROLLOUT_SPEC),
  /** who changed the spec and why, newest last; written by the server */
  history: ROLLOUT_HISTORY,
  status: ROLLOUT_STATUS,
})
export type Rollout = Infer<typeof ROLLOUT_SHAPE>

export const ROLLOUTS = defineResource<Rollout>({
  group: 'skerry.dev',
  version: 'v1',
  kind: 'Rollout',
  plural: 'rollouts',
  shortNames: ['ro'],
  categories: ['all'],
  namespaced: true,
  nameRule: 'label',
  shape: ROLLOUT_SHAPE,
  hasStatus: true,
  generationFields: ['spec'],
  defaults: (rollout) => ({ ...rollout, spec: defaultRolloutSpec(rollout.spec) }),
  rules: (rollout, old) => rolloutIssues(rollout.spec, old?.spec ?? null, old?.status?.adopted === true),
  stamp: withHistory,
  columns: [
    NAME_COLUMN,
    column('Phase', 'string', 'Where it stands.'),
    column('Wave', 'string', 'Waves that were started, of all.'),
    column('Done', 'string', 'Devices that are healthy on the new revision for the soak time, of all members.'),
    column('Failed', 'integer', 'Devices that failed or went back by themselves.'),
    column('Offline', 'integer', 'Devices that are silent; they go on when they are heard.'),
    AGE_COLUMN,
    column('Skipped', 'integer', 'Devices that are left out, each with its cause.', { wide: true }),
    column('Message', 'string', 'What it does or waits for.', { wide: true }),
  ],
  cells: (rollout, nowMs) => {
    const { status } = rollout
    const counts = status?.counts
    return [
      nameCell(rollout),
      status?.phase ?? 'Preparing',
      `${status?.releasedWave ?? 0}/${status?.waves?.length ?? rollout.spec.waves?.length ?? 0}`,
      `${counts?.done ?? 0}/${counts?.members ?? 0}`,
      (counts?.failed ?? 0) + (counts?.rolledBackByDevice ?? 0),
      counts?.offline ?? 0,
      ageCell(rollout, nowMs),
      counts?.skipped ?? 0,
      status?.message ?? '',
    ]
  },
})
