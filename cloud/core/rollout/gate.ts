/** May the next wave start, and must the rollout stop? */
import { cause } from '../../../protocol/causes.ts'
import type { Cause } from '../../../protocol/causes.ts'
import type { FullGate, RolloutSpec } from '../../resources/rollout-spec.ts'
import type { WaveStatus } from '../../resources/rollout-status.ts'
import { openIn } from './counts.ts'
import type { Tally } from './counts.ts'

/** `cause` is null only for a wave that has nobody to wait for: it passes. */
export type GateResult =
  { readonly kind: 'passed' | 'waits' | 'measures' | 'missed'; readonly cause: Cause } | { readonly kind: 'passed'; readonly cause: null }

/** Numbers of a gate as they are shown. */
export function gateNumbers(tally: Tally, gate: FullGate, silence: Silence): NonNullable<WaveStatus['gate']> {
  const base = baseOf(tally, silence)
  return {
    healthyPercent: percent(tally.counts.done, base),
    wantedPercent: gate.healthyPercent,
    base,
    failures: tally.freshFailures,
    ended: tally.counts.done + tally.freshFailures,
    started: startedOf(tally),
    soakSeconds: gate.soakSeconds,
    ...(gate.maxFailures === null ? {} : { maxFailures: gate.maxFailures }),
    ...(gate.maxFailurePercent === null ? {} : { maxFailurePercent: gate.maxFailurePercent }),
  }
}

export type Silence = 'Ignore' | 'Count' | 'Fail'

export function silenceOf(spec: RolloutSpec): Silence {
  return spec.silence?.policy ?? 'Ignore'
}

export function evaluateGate(wave: number, tally: Tally, gate: FullGate, silence: Silence): GateResult {
  const { counts } = tally
  const base = baseOf(tally, silence)
  if (base === 0) {
    // nobody to wait for; but silence alone proves nothing
    if (counts.offline > 0 && tally.toleratedFailures === 0)
      return { kind: 'waits', cause: cause('rollout.gate.nobody-healthy', { wave, offline: counts.offline }) }
    return { kind: 'passed', cause: null }
  }
  const share = { wave, healthy: counts.done, base, percent: percent(counts.done, base), wanted: gate.healthyPercent }
  if (counts.done * 100 >= gate.healthyPercent * base && (counts.done > 0 || openIn(counts, silence === 'Count') === 0))
    return { kind: 'passed', cause: cause('rollout.gate.passed', share) }
  if (openIn(counts, silence === 'Count') + counts.held > 0) return { kind: 'waits', cause: cause('rollout.gate.healthy', share) }
  return { kind: 'missed', cause: cause('rollout.gate.missed', share) }
}

export interface Limits {
  readonly maxFailures: number | null
  readonly maxFailurePercent: number | null
  readonly minMembers: number
}

/** The limit that is passed, if one is. `where` names what was counted: `Wave 2`, `All waves`. */
export function passedLimit(where: string, tally: Tally, limits: Limits): Cause | null {
  const failures = tally.freshFailures
  if (failures === 0) return null
  if (limits.maxFailures !== null && failures > limits.maxFailures)
    return cause('rollout.failures.number', { where, failures, max: limits.maxFailures })
  if (limits.maxFailurePercent === null) return null
  const started = startedOf(tally)
  const members = tally.counts.members - tally.counts.skipped - tally.counts.returned
  if (started < Math.min(limits.minMembers, members) || failures * 100 <= limits.maxFailurePercent * started) return null
  return cause('rollout.failures.percent', { where, failures, started, percent: percent(failures, started), max: limits.maxFailurePercent })
}

/** Done, failed or under way. Of those that came to an end alone, failures would be too many: they end before the soak time does. */
function startedOf({ counts, freshFailures }: Tally): number {
  const { done, downloading, waitingForWindow, locked, updating, soaking, held } = counts
  return done + freshFailures + downloading + waitingForWindow + locked + updating + soaking + held
}

/** Failures that somebody accepted and devices that are out of it are not in the base; silent ones by the policy. */
function baseOf({ counts, toleratedFailures }: Tally, silence: Silence): number {
  const out = counts.skipped + counts.returned + counts.returning + toleratedFailures
  return counts.members - out - (silence === 'Ignore' ? counts.offline : 0)
}

/** Never rounded up to what is not there. */
function percent(part: number, whole: number): number {
  return whole === 0 ? 0 : Math.floor((part * 100) / whole)
}
