/** What a Rollout asks for: a change to DaemonSets, on which devices, in which waves, behind which gates. */
import { LIMITS } from '../../protocol/limits.ts'
import { anything, bool, int, intOrString, list, map, obj, oneOf, quantity, required, str } from '../../protocol/shape.ts'
import type { Infer } from '../../protocol/shape.ts'
import { LABEL_SELECTOR } from './object.ts'
import { fullMetric, METRIC } from './rollout-metric.ts'
import type { FullMetric } from './rollout-metric.ts'
import { POD_TEMPLATE } from './pod-template.ts'

const NODE_NAMES = list(str({ min: 1, max: 63 }), { mergeSet: true, max: LIMITS.rolloutMembers.value })
const WAVES = LIMITS.rolloutWaves.value
const YEAR_S = 366 * 24 * 3600

/** One change of a release set: exactly one of `images`, `templatePatch`, `template`. */
export const RELEASE_PART = obj({
  /** name of a DaemonSet in the namespace of the Rollout */
  daemonSet: required(str({ min: 1, max: 253 })),
  /** container name -> image */
  images: map(str({ min: 1, max: 512 }), { max: LIMITS.containersPerPod.value }),
  /** strategic merge patch of the pod template: `{spec: {containers: [{name: main, env: [...]}]}}` */
  templatePatch: anything(),
  /** the whole pod template */
  template: POD_TEMPLATE,
})

/** Devices by label, by name, or both together (either is enough). */
export const NODE_CHOICE = obj({ selector: LABEL_SELECTOR, names: NODE_NAMES })

/** When a wave may be followed by the next one, and when it stops the rollout. Percentages are whole numbers. */
export const GATE = obj({
  /** share of the wave that must be done; skipped devices are not in the base, silent ones by `spec.silence` */
  healthyPercent: int(0, 100),
  /** seconds a device must be healthy on the new revision before it counts as done */
  soakSeconds: int(0, YEAR_S),
  /** more failures than this in the wave pause the rollout */
  maxFailures: int(0),
  /** more than this share of failures among the devices that started (under way, done or failed) pauses the rollout ... */
  maxFailurePercent: int(0, 100),
  /** ... once so many started (or the whole wave, when it is smaller) */
  minMembers: int(1),
  /** measured on the devices that are done, once enough are: all must be met before the next wave */
  metrics: list(METRIC, { max: LIMITS.rolloutMetrics.value }),
})

/** The members of a wave are taken from those no earlier wave took; a wave that names none of the four takes the rest. */
export const WAVE = obj({
  name: str({ min: 1, max: 63 }),
  /** of all members, rounded up */
  percent: int(1, 100),
  count: int(1),
  selector: LABEL_SELECTOR,
  names: NODE_NAMES,
  /** waits for `spec.approvedWave` to reach it */
  approval: bool(),
  gate: GATE,
})

export const ROLLOUT_SPEC = obj({
  /** what changes: one DaemonSet, or several that change together on each device. Fixed once created. */
  release: required(list(RELEASE_PART, { mergeKey: 'daemonSet', max: LIMITS.rolloutReleaseParts.value })),
  /** where: devices that are not chosen keep the DaemonSet's own template. Absent = all that run the DaemonSets. Fixed once created. */
  target: NODE_CHOICE,
  /** take the members, waves and templates of a plan that was shown (`skerry plan`). Fixed once created. */
  planId: str({ pattern: /^[a-f0-9]{16}$/, says: 'the id that skerry plan printed: 16 hexadecimal digits' }),
  /** first the canary; what they leave over becomes a last wave "rest". Fixed once created, but for gate and approval. */
  waves: list(WAVE, { max: WAVES }),
  /** for waves that do not say it themselves */
  gate: GATE,
  /** over all waves together, beside each wave's gate */
  limits: obj({ maxFailures: int(0), maxFailurePercent: int(0, 100), minMembers: int(1) }),
  /** seconds from its start in which a device that is heard must be healthy; waiting for its window or lock does not count */
  deadlineSeconds: int(1, YEAR_S),
  /** what a silent device is: out of the count (Ignore), waited for (Count), or failed (Fail), after so many seconds of silence */
  silence: obj({ policy: oneOf('Ignore', 'Count', 'Fail'), afterSeconds: int(0, YEAR_S) }),
  /** devices that change at one time: a number, or a percentage of all members */
  maxParallel: intOrString(),
  /** the starts of a wave are spread over this many seconds */
  startWindowSeconds: int(0, YEAR_S),
  /** sets skerry.dev/update-window (and skerry.dev/time-zone) on the pods: download any time, switch inside the window */
  window: obj({ updateWindow: required(str({ min: 1, max: 253 })), timeZone: str({ min: 1, max: 64 }) }),
  /** devices that fetch the new images before their wave starts: nobody (default), those of the next wave, or all */
  prefetch: oneOf('None', 'NextWave', 'AllWaves'),
  /** bytes a second of each device, by what its link costs (quantities: 200Ki). Sets skerry.dev/pull-rate on the pods */
  bandwidth: obj({ metered: quantity(), unmetered: quantity() }),
  /** devices that come to match later: they follow in a lane of their own behind the last wave (Join), or stay out (Ignore) */
  lateJoiners: oneOf('Join', 'Ignore'),

  // what operators set while it runs; each change is kept in `history` with who and why

  paused: bool(),
  /** waves up to this number (the first is 1) are approved */
  approvedWave: int(0, WAVES),
  /** waves up to this number start without waiting for the gates before them; one more than there are waves: it ends without */
  promotedWave: int(0, WAVES + 2),
  /** goes on after that many pauses by rule: set it to status.pauses. Failures until then no longer count against limits. */
  acknowledgedPauses: int(0),
  /** raise it to try failed devices once more */
  retries: int(0, 1000),
  /** devices left out from now on: one in the middle of the change goes back, one that is done stays */
  exclude: list(obj({ selector: LABEL_SELECTOR, names: NODE_NAMES, reason: str({ max: 200 }) }), { max: 64 }),
  /** numbers of waves whose devices go back to the template before */
  rolledBackWaves: list(int(1, WAVES), { mergeSet: true, max: WAVES }),
  /** ends the rollout for good: devices that are done stay on the new template (Stay) or go back like the others (Return) */
  abort: oneOf('Stay', 'Return'),
})

export type RolloutSpec = Infer<typeof ROLLOUT_SPEC>
export type ReleasePart = Infer<typeof RELEASE_PART>
export type Wave = Infer<typeof WAVE>
export type NodeChoice = Infer<typeof NODE_CHOICE>

/** A gate with nothing left open; limits that are absent do not stop. */
export interface FullGate {
  readonly healthyPercent: number
  readonly soakSeconds: number
  readonly maxFailures: number | null
  readonly maxFailurePercent: number | null
  readonly minMembers: number
  readonly metrics: readonly FullMetric[]
}

/** The gate of a wave: its own fields, then the Rollout's, then the usual ones. */
export function gateOf(spec: RolloutSpec, wave: Wave | undefined): FullGate {
  const gate = { ...spec.gate, ...wave?.gate }
  return {
    healthyPercent: gate.healthyPercent ?? 95,
    soakSeconds: gate.soakSeconds ?? 60,
    maxFailures: gate.maxFailures ?? null,
    maxFailurePercent: gate.maxFailurePercent ?? null,
    minMembers: gate.minMembers ?? 10,
    metrics: (gate.metrics ?? []).map(fullMetric),
  }
}

/** Idempotent. */
export function defaultRolloutSpec(spec: RolloutSpec): RolloutSpec {
  return {
    ...spec,
    waves: spec.waves === undefined || spec.waves.length === 0 ? [{ name: 'canary', count: 1 }, { name: 'rest' }] : spec.waves,
    gate: { healthyPercent: 95, soakSeconds: 60, maxFailurePercent: 5, minMembers: 10, ...spec.gate },
    deadlineSeconds: spec.deadlineSeconds ?? 1800,
    silence: { policy: spec.silence?.policy ?? 'Ignore', afterSeconds: spec.silence?.afterSeconds ?? 300 },
    maxParallel: spec.maxParallel ?? 100,
    startWindowSeconds: spec.startWindowSeconds ?? 0,
    prefetch: spec.prefetch ?? 'None',
    lateJoiners: spec.lateJoiners ?? 'Join',
  }
}
