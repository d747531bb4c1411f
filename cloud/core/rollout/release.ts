/** Which wave may start next, and which of its members get a place now. */
import { cause } from '../../../protocol/causes.ts'
import type { Cause } from '../../../protocol/causes.ts'
import { spread } from '../../../protocol/text-hash.ts'
import { resolveAmount } from '../../resources/rollout-amount.ts'
import type { RolloutMember } from '../../resources/rollout-members.ts'
import { gateOf } from '../../resources/rollout-spec.ts'
import type { RolloutSpec, Wave } from '../../resources/rollout-spec.ts'
import type { Verdict } from '../../resources/rollout-verdict.ts'
import { moved } from './advance.ts'
import type { Tallies } from './counts.ts'
import { evaluateGate, passedLimit, silenceOf } from './gate.ts'
import type { GateResult } from './gate.ts'
import type { Measured } from './measure.ts'

/** Why it cannot go on to the wave after `released`, or null when it can. */
export interface Hold {
  readonly kind: 'gate' | 'metric' | 'missed' | 'approval' | 'rolled-back'
  readonly cause: Cause
}

export interface WavePlan {
  readonly spec: RolloutSpec
  readonly waves: readonly Wave[]
  /** with the lane of late joiners, when there are any */
  readonly waveCount: number
  readonly tallies: Tallies
  /** what the metrics of a wave's gate show now; null = nothing is measured now: it passed, or the rollout stands still */
  measured(wave: number): readonly Measured[] | null
}

/** The gate behind a wave: health first, then what is measured on those that are healthy. */
export function gateBehind({ spec, waves, tallies, measured }: WavePlan, wave: number): GateResult {
  const healthy = evaluateGate(wave, tallies.wave(wave), gateOf(spec, waves[wave - 1]), silenceOf(spec))
  if (healthy.kind !== 'passed' || healthy.cause === null) return healthy
  const all = measured(wave) ?? []
  const worst = all.find(({ kind }) => kind === 'missed') ?? all.find(({ kind }) => kind === 'waits')
  if (worst !== undefined) return { kind: worst.kind === 'missed' ? 'missed' : 'measures', cause: worst.cause }
  const last = all.at(-1)
  return last === undefined ? healthy : { kind: 'passed', cause: last.cause }
}

/** A wave that was promoted starts without gate and approval. `passed` is what the gate before it showed. */
export function mayStart(plan: WavePlan, number: number): { readonly hold: Hold | null; readonly passed: Cause | null } {
  const { spec, waves } = plan
  if ((spec.promotedWave ?? 0) >= number) return { hold: null, passed: null }
  let passed: Cause | null = null
  const before = number - 1
  if (before > 0) {
    if ((spec.rolledBackWaves ?? []).includes(before))
      return { hold: { kind: 'rolled-back', cause: cause('rollout.wave.rolled-back', { wave: before }) }, passed: null }
    const result = gateBehind(plan, before)
    if (result.kind !== 'passed') return { hold: { kind: HOLDS[result.kind], cause: result.cause }, passed: null }
    passed = result.cause
  }
  if (waves[number - 1]?.approval === true && (spec.approvedWave ?? 0) < number)
    return { hold: { kind: 'approval', cause: cause('rollout.approval', { wave: number }) }, passed }
  return { hold: null, passed }
}

const HOLDS = { waits: 'gate', measures: 'metric', missed: 'missed' } as const

/** The first limit that failures have passed, in any wave that was started or over all. */
export function limitPassed({ spec, waves, tallies }: WavePlan, released: number): { readonly wave: number | null; readonly cause: Cause } | null {
  for (let number = 1; number <= released; number += 1) {
    const found = passedLimit(`Wave ${number}`, tallies.wave(number), gateOf(spec, waves[number - 1]))
    if (found !== null) return { wave: number, cause: found }
  }
  const { maxFailures = null, maxFailurePercent = null, minMembers = 10 } = spec.limits ?? {}
  const found = passedLimit('All waves', tallies.total(), { maxFailures, maxFailurePercent, minMembers })
  return found === null ? null : { wave: null, cause: found }
}

/** A device that waits for its window keeps its place: when windows open, no more than maxParallel switch at once. */
const HOLDS_A_PLACE: readonly Verdict[] = ['downloading', 'waitingForWindow', 'updating', 'soaking']

/** Places that are free now. */
export function freePlaces(spec: RolloutSpec, tallies: Tallies): number {
  const { counts } = tallies.total()
  const max = Math.max(1, resolveAmount(spec.maxParallel ?? 100, counts.members, 'up'))
  return Math.max(0, max - HOLDS_A_PLACE.reduce((sum, verdict) => sum + counts[verdict], 0))
}

export interface StartRules {
  readonly spec: RolloutSpec
  readonly released: number
  /** waves start at these times */
  startedMs(wave: number): number
  isSilent(node: string): boolean
  /** false while it is paused: they only queue */
  readonly mayStart: boolean
  readonly nowMs: number
}

/**
 * Starts members of released waves, in their order, until the places are used up; the others wait in the queue. Silent devices
 * take no place: they get the new template when they return. Calls `put` for each that changed; answers when the next one is due.
 */
export function startMembers(
  members: readonly RolloutMember[],
  places: number,
  rules: StartRules,
  put: (index: number, member: RolloutMember) => void,
): number | null {
  const { spec, nowMs } = rules
  let free = places
  let dueMs: number | null = null
  for (const [index, member] of members.entries()) {
    if (member.wave > rules.released || (member.verdict !== 'pending' && member.verdict !== 'queued')) continue
    const due = rules.startedMs(member.wave) + spreadMs(member.node, spec.startWindowSeconds ?? 0)
    if (due > nowMs) dueMs = Math.min(dueMs ?? due, due)
    const silent = rules.isSilent(member.node)
    if (!rules.mayStart || due > nowMs || (free === 0 && !silent)) {
      put(index, moved(member, { verdict: 'queued' }, nowMs))
      continue
    }
    if (!silent) free -= 1
    put(index, { ...moved(member, { verdict: 'updating', template: 'next' }, nowMs), startedAt: nowMs })
  }
  return dueMs
}

/** The same place in the window for a device each time: a restart of the cloud moves nobody. */
function spreadMs(node: string, seconds: number): number {
  return seconds === 0 ? 0 : spread(node) * seconds * 1000
}
