/** What becomes of the whole rollout: does it go on, stop, or end? */
import { cause } from '../../../protocol/causes.ts'
import type { Cause } from '../../../protocol/causes.ts'
import type { RolloutPhase, RolloutStatus } from '../../resources/rollout-status.ts'
import { hasTarget } from './choice.ts'
import { openIn } from './counts.ts'
import type { DecisionLog } from './decisions.ts'
import { silenceOf } from './gate.ts'
import { limitPassed, mayStart } from './release.ts'
import type { Hold, WavePlan } from './release.ts'
import { hasEnded } from './step-input.ts'
import type { StepInput } from './step-input.ts'

export interface Decided {
  readonly status: RolloutStatus
  /** why the next wave does not start */
  readonly hold: Hold | null
  /** queue: members of released waves wait, and nobody starts */
  readonly starts: 'yes' | 'queue' | 'none'
  readonly adopt: boolean
}

export function decide(input: StepInput, status: RolloutStatus, plan: WavePlan, log: DecisionLog): Decided {
  const { spec } = input
  const total = plan.tallies.total()
  const nothing = { hold: null, starts: 'none', adopt: false } as const
  if (spec.abort !== undefined) {
    if (status.phase !== 'Aborted' && total.counts.returning === 0) log.rule('ended', null, null)
    return { ...nothing, status: ended(status, total.counts.returning > 0 ? 'RollingBack' : 'Aborted', input.nowMs) }
  }
  if (hasEnded(status)) {
    // late joiners of a rollout that keeps its devices, and devices that return
    const phase = total.counts.done === total.counts.members ? 'Completed' : 'CompletedWithSkips'
    return { ...nothing, starts: hasTarget(spec) ? 'yes' : 'none', status: { ...status, phase, releasedWave: plan.waveCount } }
  }
  const released = status.releasedWave ?? 0
  const limit = status.pausedBy === 'rule' ? null : limitPassed(plan, released)
  if (limit !== null) return pausedByRule(input, status, limit.wave, limit.cause, log)
  if (status.pausedBy === 'rule') return { ...nothing, starts: 'queue', status: { ...status, phase: 'Paused' } }
  if (spec.paused === true) return pausedByUser(input, status)
  return goOn(input, running(status), plan, log)
}

function pausedByRule({ nowMs }: StepInput, status: RolloutStatus, wave: number | null, why: Cause, log: DecisionLog): Decided {
  log.rule('paused', wave, why)
  return {
    status: { ...status, phase: 'Paused', pausedBy: 'rule', pausedAt: new Date(nowMs).toISOString(), pauses: (status.pauses ?? 0) + 1, cause: why },
    hold: null,
    starts: 'queue',
    adopt: false,
  }
}

function pausedByUser({ nowMs, history }: StepInput, status: RolloutStatus): Decided {
  const by = history.findLast(({ actions }) => actions.includes('paused'))?.by ?? 'an operator'
  const since = status.pausedBy === 'user' ? status.pausedAt : undefined
  return {
    status: {
      ...status,
      phase: 'Paused',
      pausedBy: 'user',
      pausedAt: since ?? new Date(nowMs).toISOString(),
      cause: cause('rollout.paused', { by }),
    },
    hold: null,
    starts: 'queue',
    adopt: false,
  }
}

function running(status: RolloutStatus): RolloutStatus {
  const { pausedBy: _by, pausedAt: _at, cause: _cause, ...rest } = status
  return rest
}

/** Releases as many waves as gates and people allow, and ends the rollout when nothing is left to do. */
function goOn(input: StepInput, status: RolloutStatus, plan: WavePlan, log: DecisionLog): Decided {
  const { spec, nowMs } = input
  let current = status
  for (let number = (status.releasedWave ?? 0) + 1; number <= plan.waveCount; number += 1) {
    const { hold, passed } = mayStart(plan, number)
    if (hold?.kind === 'missed') return pausedByRule(input, current, number - 1, hold.cause, log)
    if (passed !== null && waveOf(current, number - 1)?.passedAt === undefined) {
      log.rule('gate-passed', number - 1, passed)
      current = withWave(current, number - 1, { passedAt: new Date(nowMs).toISOString() })
    }
    if (hold !== null) {
      const phase = hold.kind === 'approval' ? 'WaitingApproval' : plan.tallies.total().counts.returning > 0 ? 'RollingBack' : 'Running'
      return { status: { ...current, phase }, hold, starts: 'yes', adopt: false }
    }
    log.rule('released', number, null)
    current = withWave({ ...current, releasedWave: number }, number, { startedAt: new Date(nowMs).toISOString() })
  }
  const { counts } = plan.tallies.total()
  if (openIn(counts, silenceOf(spec) === 'Count') > 0 || counts.done + counts.skipped + counts.returned === 0)
    return { status: { ...current, phase: counts.returning > 0 ? 'RollingBack' : 'Running' }, hold: null, starts: 'yes', adopt: false }
  const last = mayStart({ ...plan, waveCount: plan.waveCount + 1 }, plan.waveCount + 1)
  if (last.hold?.kind === 'missed') return pausedByRule(input, current, plan.waveCount, last.hold.cause, log)
  if (last.hold?.kind === 'rolled-back' || last.hold?.kind === 'metric')
    return { status: { ...current, phase: 'Running' }, hold: last.hold, starts: 'yes', adopt: false }
  const phase = counts.done === counts.members ? 'Completed' : 'CompletedWithSkips'
  log.rule('completed', null, null)
  const adopt = !hasTarget(spec) && counts.done > 0
  return { status: { ...ended(current, phase, nowMs), ...(adopt ? { adopted: true } : {}) }, hold: null, starts: 'none', adopt }
}

type WaveTimes = Partial<Pick<NonNullable<RolloutStatus['waves']>[number], 'startedAt' | 'passedAt'>>

function waveOf(status: RolloutStatus, number: number): WaveTimes | undefined {
  return status.waves?.find((wave) => wave.number === number)
}

/** Times of a wave; the rest of its status is written at the end of the step. */
function withWave(status: RolloutStatus, number: number, times: WaveTimes): RolloutStatus {
  const waves = status.waves ?? []
  if (waves.some((wave) => wave.number === number))
    return { ...status, waves: waves.map((wave) => (wave.number === number ? { ...wave, ...times } : wave)) }
  return { ...status, waves: [...waves, { number, name: '', state: 'Pending', counts: {}, ...times }] }
}

function ended(status: RolloutStatus, phase: RolloutPhase, nowMs: number): RolloutStatus {
  return { ...running(status), phase, ...(phase === 'RollingBack' || status.endedAt !== undefined ? {} : { endedAt: new Date(nowMs).toISOString() }) }
}
