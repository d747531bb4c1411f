/**
 * How many failures a rollout would have borne at each moment: one line for all its limits. Above it a rule pauses. At the
 * newest moment it says exactly what the limits say now; before, a device counts as it counts now (one that is silent or went
 * back counts nowhere, a failure that somebody accepted does not count).
 */
import type { RolloutMember } from '../../resources/rollout-members.ts'
import { gateOf } from '../../resources/rollout-spec.ts'
import type { RolloutSpec } from '../../resources/rollout-spec.ts'
import type { Verdict } from '../../resources/rollout-verdict.ts'
import { isFailure } from './counts.ts'
import { wavesOf } from './freeze.ts'
import type { Limits } from './gate.ts'
import { timesOf, until } from './times.ts'
import type { Times } from './times.ts'

/** A wave, or all of them together. */
interface Lane {
  readonly limits: Limits
  /** that could start at most */
  readonly members: number
  readonly started: Times
  readonly failed: Times
}

/** Failures until `atMs`, accepted ones too, that no limit minds; null = nothing would stop it. */
export type Allowed = (atMs: number) => number | null

export function allowedFailures(spec: RolloutSpec, members: readonly RolloutMember[], toleratedUntilMs: number): Allowed {
  const waves = wavesOf(spec)
  const byWave = new Map<number, RolloutMember[]>()
  for (const member of members) {
    const those = byWave.get(member.wave)
    if (those === undefined) byWave.set(member.wave, [member])
    else those.push(member)
  }
  const { maxFailures = null, maxFailurePercent = null, minMembers = 10 } = spec.limits ?? {}
  const lanes = [
    laneOf(members, { maxFailures, maxFailurePercent, minMembers }, toleratedUntilMs),
    ...[...byWave].map(([number, those]) => laneOf(those, gateOf(spec, waves[number - 1]), toleratedUntilMs)),
  ]
  const failed = timesOf(members.flatMap(({ verdict, since }) => (isFailure(verdict) ? since : [])))
  return (atMs) => {
    const all = until(failed, atMs)
    const most = Math.min(...lanes.map((lane) => all - until(lane.failed, atMs) + laneAllows(lane, atMs)))
    return most >= members.length ? null : most
  }
}

function laneAllows({ limits, members, started }: Lane, atMs: number): number {
  const begun = until(started, atMs)
  if (begun === 0) return Infinity
  const number = limits.maxFailures ?? Infinity
  if (limits.maxFailurePercent === null || begun < Math.min(limits.minMembers, members)) return number
  return Math.min(number, Math.floor((limits.maxFailurePercent * begun) / 100))
}

function laneOf(members: readonly RolloutMember[], limits: Limits, toleratedUntilMs: number): Lane {
  const counted = members.filter((one) => !isFailure(one.verdict) || one.since > toleratedUntilMs)
  return {
    limits,
    members: members.filter(({ verdict }) => verdict !== 'skipped' && verdict !== 'returned').length,
    started: timesOf(counted.flatMap(({ verdict, startedAt }) => (NOT_STARTED.has(verdict) ? [] : (startedAt ?? [])))),
    failed: timesOf(counted.flatMap(({ verdict, since }) => (isFailure(verdict) ? since : []))),
  }
}

const NOT_STARTED: ReadonlySet<Verdict> = new Set<Verdict>(['pending', 'queued', 'offline', 'skipped', 'returned', 'returning'])
