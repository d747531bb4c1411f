/** What the cloud says of a Rollout. Members are not here: see rollout-members.ts. */
import { LIMITS } from '../../protocol/limits.ts'
import { CAUSE } from '../../protocol/causes.ts'
import { bool, int, list, map, obj, oneOf, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { CONDITION } from './object.ts'
import { VERDICT_COUNTS } from './rollout-verdict.ts'

const TIME = str({ max: 40 })

/**
 * Preparing: members are being frozen. Blocked: it cannot start, `cause` says why. Completed: every member is done.
 * CompletedWithSkips: at its end, but some were skipped, failed or are offline (they finish when they return). RollingBack ends
 * in Aborted, or in Running when only a wave went back.
 */
export const ROLLOUT_PHASES = [
  'Preparing',
  'Blocked',
  'WaitingApproval',
  'Running',
  'Paused',
  'RollingBack',
  'Completed',
  'CompletedWithSkips',
  'Aborted',
] as const
export type RolloutPhase = (typeof ROLLOUT_PHASES)[number]

/** One metric of a gate as its devices show it; what is not known is neither within nor outside. */
export const METRIC_STATUS = obj({
  /** `podMemory at most 200Mi` */
  says: required(str({ max: 256 })),
  state: required(oneOf('Passed', 'Waits', 'Missed')),
  base: required(int()),
  within: required(int()),
  outside: required(int()),
  unknown: required(int()),
  wantedPercent: required(int()),
  forSeconds: required(int()),
  /** over the devices whose value is known */
  value: str({ max: 64 }),
})

export const WAVE_STATUS = obj({
  /** the first is 1; late joiners are the wave behind the last one, named `late` */
  number: required(int(1)),
  name: required(str({ max: 63 })),
  /** Pending, WaitingApproval, Running, Passed (its gate let the next one go), RolledBack */
  state: required(oneOf('Pending', 'WaitingApproval', 'Running', 'Passed', 'RolledBack')),
  counts: required(VERDICT_COUNTS),
  startedAt: TIME,
  passedAt: TIME,
  /** the numbers of the gate as they are now */
  gate: obj({
    healthyPercent: required(int(0, 100)),
    wantedPercent: required(int(0, 100)),
    /** members the shares are taken of */
    base: required(int()),
    failures: required(int()),
    ended: required(int()),
    /** done, failed or under way: what the share of failures is taken of */
    started: int(),
    maxFailures: int(),
    maxFailurePercent: int(),
    soakSeconds: required(int()),
    metrics: list(METRIC_STATUS, { max: LIMITS.rolloutMetrics.value }),
  }),
  /** why the next wave does not start yet */
  waitsFor: CAUSE,
})

/** Who decided what, when and why; the newest last, at most LIMITS.rolloutDecisions. */
export const DECISION = obj({
  at: required(TIME),
  /** an operator, or `rule` */
  by: required(str({ max: 253 })),
  /** created, released, gate-passed, paused, resumed, approved, promoted, retried, excluded, rolled-back, aborted, completed, changed */
  action: required(str({ max: 32 })),
  wave: int(1),
  /** what the operator wrote */
  reason: str({ max: 1024 }),
  /** why a rule decided so, with the numbers it saw */
  cause: CAUSE,
})

/** Failed and rolled back devices by cause, the most first. `examples` are a few names. */
export const FAILURE_GROUP = obj({
  code: required(str({ max: 128 })),
  sentence: required(str({ max: 2048 })),
  count: required(int()),
  examples: required(list(str({ max: 63 }), { max: 8 })),
})

export const ROLLOUT_STATUS = obj({
  observedGeneration: int(),
  phase: oneOf(...ROLLOUT_PHASES),
  /** one sentence for people */
  message: str({ max: 2048 }),
  /** why it is blocked or paused */
  cause: CAUSE,
  /** `user` or `rule` while it is paused */
  pausedBy: str({ max: 16 }),
  pausedAt: TIME,
  /** how often a rule has paused it */
  pauses: int(),
  /** failures until this time no longer count against limits: somebody saw them and went on */
  toleratedUntil: TIME,
  /** waves up to this number were released */
  releasedWave: int(),
  /** numbers of waves that are taken back or were */
  returnedWaves: list(int(1), { max: LIMITS.rolloutWaves.value + 1 }),
  retriesDone: int(),
  /** failures until this time are tried again */
  retriedAt: TIME,
  /** changes in `history` up to this generation are in `decisions` */
  loggedGeneration: int(),
  startedAt: TIME,
  endedAt: TIME,
  /** the new templates were written into the DaemonSets: from then on they rule, and this Rollout only holds back who was left out */
  adopted: bool(),
  /** plan that the members came from, or the id that a plan of them has */
  planId: str({ max: 64 }),
  /** objects that hold the members: RolloutMembers NAME.0 ... NAME.(chunks - 1) */
  chunks: int(),
  counts: VERDICT_COUNTS,
  waves: list(WAVE_STATUS, { max: LIMITS.rolloutWaves.value + 1 }),
  failures: list(FAILURE_GROUP, { max: LIMITS.rolloutFailureGroups.value }),
  decisions: list(DECISION, { max: LIMITS.rolloutDecisions.value }),
  /** DaemonSet -> what changes, as text: `main: web:1 -> web:2` */
  summary: map(str({ max: 2048 }), { max: LIMITS.rolloutReleaseParts.value }),
  conditions: list(CONDITION, { mergeKey: 'type', max: 16 }),
})

export type RolloutStatus = Infer<typeof ROLLOUT_STATUS>
export type MetricStatus = Infer<typeof METRIC_STATUS>
export type WaveStatus = Infer<typeof WAVE_STATUS>
export type Decision = Infer<typeof DECISION>
export type FailureGroup = Infer<typeof FAILURE_GROUP>
