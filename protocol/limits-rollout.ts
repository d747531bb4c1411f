/** Caps of rollouts. */
import { limit } from './limit-entry.ts'
import type { Limit } from './limit-entry.ts'

export const ROLLOUT_LIMITS = {
  rolloutMembers: limit(100_000, 'count', 'devices of one rollout: as many as one cloud is built for'),
  rolloutWaves: limit(32, 'count', 'waves a person can follow; five are usual'),
  rolloutReleaseParts: limit(16, 'count', 'DaemonSets that change together: what runs on one device as one release'),
  rolloutChunkMembers: limit(250, 'count', 'members kept in one object: about 50 KiB, so a change of a few devices writes little'),
  rolloutPatchBytes: limit(32 * 1024, 'bytes', 'a patch of a pod template; a larger change belongs into a whole template'),
  rolloutDecisions: limit(64, 'count', 'decisions and changes kept in a Rollout; the audit of years belongs elsewhere'),
  rolloutRetryGraceMs: limit(
    30_000,
    'ms',
    'a device that is asked again needs this long to say something new; until then its old verdict is not believed',
  ),
  rolloutPassMs: limit(500, 'ms', 'reports of many devices share one look at a rollout; people read no faster'),
  rolloutPlans: limit(16, 'count', 'plans kept for people to start from; each holds the names of its members'),
  rolloutPlanMs: limit(86_400_000, 'ms', 'a plan of yesterday shows a fleet that is no longer there'),
  rolloutMetrics: limit(4, 'count', 'metrics of one gate: what a person weighs at a time'),
  rolloutMeasured: limit(1_000, 'count', 'devices of a wave that are measured: a share of so many is known to three percent'),
  rolloutMeasureMs: limit(10_000, 'ms', 'a gate that measures looks again this often: as often as devices take readings'),
  rolloutReadingStaleMs: limit(120_000, 'ms', 'an older reading is not known any more; metered links send one a minute'),
  rolloutReadingAheadMs: limit(60_000, 'ms', 'a reading from further ahead has a wrong clock, so nobody knows when it was taken'),
  rolloutFailureGroups: limit(16, 'count', 'causes of failures shown; a fleet rarely has more than three at a time'),
} as const satisfies Record<string, Limit>
