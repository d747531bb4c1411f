/**
 * One step of a rollout: from what is stored and what devices show now to what is to be stored next. INVARIANTS: a device asks
 * for the new template only if its stored member says so; `status` is stored before members, so a wave is released before the
 * first of its devices starts, and a step that was cut off anywhere is taken up by the next one; the same input gives the same
 * output; a state with nothing to do comes back unchanged.
 */
import { LIMITS } from '../../../protocol/limits.ts'
import type { RolloutMember } from '../../resources/rollout-members.ts'
import { gateOf } from '../../resources/rollout-spec.ts'
import type { RolloutStatus } from '../../resources/rollout-status.ts'
import { advancer } from './advance.ts'
import { exclusionOf, hasTarget } from './choice.ts'
import { Tallies } from './counts.ts'
import { decide } from './decide.ts'
import { DecisionLog, loggedUpTo } from './decisions.ts'
import { describeStatus } from './describe.ts'
import { newMember, wavesOf } from './freeze.ts'
import { judgeRules } from './judge.ts'
import { measure, measuredMembers } from './measure.ts'
import type { Measured } from './measure.ts'
import { readingOf } from './reading.ts'
import { freePlaces, startMembers } from './release.ts'
import type { WavePlan } from './release.ts'
import { hasEnded, timeOf } from './step-input.ts'
import type { StepInput } from './step-input.ts'

export interface Step {
  readonly status: RolloutStatus
  /** unchanged members are the same objects */
  readonly members: readonly RolloutMember[]
  /** write the new template into the DaemonSets, before `status` is stored */
  readonly adopt: boolean
  /** devices to ask for readings now */
  readonly asks: readonly string[]
  /** milliseconds until time alone may change something */
  readonly recheckInMs: number | null
}

export function stepRollout(input: StepInput): Step {
  const { spec, nowMs } = input
  const log = new DecisionLog(input.status.decisions ?? [], nowMs)
  log.people(input.history, input.status, spec)
  const before = acknowledge(input)
  const waves = wavesOf(spec)
  const members = [...input.members]
  const late = waves.length + 1
  members.push(...joining(input, late))
  const dueMs = advanceAll(input, before, members)
  const tallies = new Tallies(timeOf(before.toleratedUntil))
  for (const member of members) tallies.add(member)
  const waveCount = tallies.wave(late).counts.members > 0 ? late : waves.length
  const plan: WavePlan = { spec, waves, waveCount, tallies, measured: measurer(input, before, members) }
  const decided = decide(input, before, plan, log)
  const due = decided.starts === 'none' ? null : start(input, decided.status, members, decided.starts === 'yes')
  const after = new Tallies(timeOf(decided.status.toleratedUntil))
  for (const member of members) after.add(member)
  const done = { ...plan, tallies: after }
  const status = describeStatus({ ...input, status: { ...decided.status, decisions: log.entries() } }, done, decided.hold, members)
  // only while nothing else holds the next wave up: a wave may take hours, and readings cost the links of its devices
  const asks = decided.hold?.kind === 'metric' ? measuredMembers(members, status.releasedWave ?? 0).map(({ node }) => node) : []
  return {
    status,
    members,
    adopt: decided.adopt,
    asks,
    recheckInMs: soonest([dueMs, due, asks.length > 0 ? nowMs + LIMITS.rolloutMeasureMs.value : null], nowMs),
  }
}

/** What a gate measures, looked at once a step and only where it is asked for. */
function measurer(input: StepInput, status: RolloutStatus, members: readonly RolloutMember[]): WavePlan['measured'] {
  const { spec, nowMs, listensMs } = input
  const waves = wavesOf(spec)
  const known = new Map<number, readonly Measured[]>()
  const standsStill = hasEnded(status) || status.pausedBy === 'rule' || spec.paused === true || spec.abort !== undefined
  return (wave) => {
    const { metrics } = gateOf(spec, waves[wave - 1])
    if (metrics.length === 0) return []
    // a gate that was passed stays so: nobody is asked for readings while people think about the next wave
    if (standsStill || wave < (status.releasedWave ?? 0) || status.waves?.find(({ number }) => number === wave)?.passedAt !== undefined) return null
    const found = known.get(wave)
    if (found !== undefined) return found
    const all = measuredMembers(members, wave)
    const made = metrics.map((metric) =>
      measure(metric, {
        wave,
        members: all,
        resumedMs: timeOf(status.toleratedUntil),
        listensMs,
        nowMs,
        valueOf(node, one, sinceMs) {
          const facts = input.factsOf(node)
          return facts === null ? null : readingOf(one, facts, input.samplesOf(node), { sinceMs, nowMs })
        },
      }),
    )
    known.set(wave, made)
    return made
  }
}

/** What people asked once: each is remembered with its time, so that it is done once however often the step runs. */
function acknowledge({ spec, status, nowMs, history, generation }: StepInput): RolloutStatus {
  const now = new Date(nowMs).toISOString()
  const retry = (spec.retries ?? 0) > (status.retriesDone ?? 0)
  const resumed = status.pausedBy === 'rule' && (spec.acknowledgedPauses ?? 0) >= (status.pauses ?? 0)
  const { pausedBy, pausedAt, cause: why, ...rest } = status
  return {
    ...(resumed ? { ...rest, toleratedUntil: now } : { ...rest, ...(pausedBy === undefined ? {} : { pausedBy, pausedAt, cause: why }) }),
    ...(retry ? { retriesDone: spec.retries ?? 0, retriedAt: now } : {}),
    observedGeneration: generation,
    loggedGeneration: loggedUpTo(history, status),
  }
}

function joining({ spec, status, joiners, nowMs }: StepInput, late: number): readonly RolloutMember[] {
  if (spec.lateJoiners === 'Ignore' || spec.abort !== undefined || (hasEnded(status) && !hasTarget(spec))) return []
  const excluded = exclusionOf(spec)
  return joiners.map((one): RolloutMember => ({ ...newMember(spec, one, excluded(one.name, one.labels), nowMs), wave: late }))
}

function advanceAll(input: StepInput, status: RolloutStatus, members: RolloutMember[]): number | null {
  const { spec, nowMs } = input
  const waves = wavesOf(spec)
  const rules = Array.from({ length: waves.length + 1 }, (_, index) => judgeRules(spec, gateOf(spec, waves[index]).soakSeconds, input.nextHash))
  const fallback = judgeRules(spec, gateOf(spec, undefined).soakSeconds, input.nextHash)
  const advance = advancer({ spec, judgeRules: (wave) => rules[wave - 1] ?? fallback, retriedAtMs: timeOf(status.retriedAt), nowMs })
  let dueMs: number | null = null
  for (const [index, member] of members.entries()) {
    const next = advance(member, input.factsOf(member.node), input.labelsOf(member.node))
    members[index] = next.member
    if (next.dueMs !== null) dueMs = Math.min(dueMs ?? next.dueMs, next.dueMs)
  }
  return dueMs
}

function start(input: StepInput, status: RolloutStatus, members: RolloutMember[], mayStart: boolean): number | null {
  const { spec, nowMs } = input
  const tallies = new Tallies(0)
  for (const member of members) tallies.add(member)
  const started = new Map((status.waves ?? []).map((wave) => [wave.number, timeOf(wave.startedAt)]))
  return startMembers(
    members,
    freePlaces(spec, tallies),
    {
      spec,
      released: status.releasedWave ?? 0,
      startedMs: (wave) => started.get(wave) ?? nowMs,
      isSilent: (node) => input.factsOf(node)?.silentSinceMs !== null,
      mayStart,
      nowMs,
    },
    (index, member) => {
      members[index] = member
    },
  )
}

/** Never at once again: a clock that stands still must not spin. */
function soonest(dues: readonly (number | null)[], nowMs: number): number | null {
  const known = dues.filter((due) => due !== null)
  return known.length === 0 ? null : Math.max(1, Math.min(...known) - nowMs)
}
