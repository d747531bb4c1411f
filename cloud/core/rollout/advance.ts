/** The next state of one member, without asking for a new start: that is decided over all members. */
import { cause } from '../../../protocol/causes.ts'
import type { WireCause } from '../../../protocol/causes.ts'
import { canonicalJson } from '../../../protocol/revision.ts'
import type { Labels } from '../../resources/label-selector.ts'
import type { RolloutMember } from '../../resources/rollout-members.ts'
import type { RolloutSpec } from '../../resources/rollout-spec.ts'
import type { Verdict } from '../../resources/rollout-verdict.ts'
import { exclusionOf } from './choice.ts'
import { isFailure } from './counts.ts'
import type { NodeFacts } from './facts.ts'
import { templateBack } from './freeze.ts'
import { judgeNext, judgeReturn, startOf } from './judge.ts'
import type { JudgeRules } from './judge.ts'

export interface AdvanceRules {
  readonly spec: RolloutSpec
  /** by wave: they soak for different times */
  judgeRules(wave: number): JudgeRules
  readonly retriedAtMs: number
  readonly nowMs: number
}

export interface Advanced {
  readonly member: RolloutMember
  /** when time alone may change it */
  readonly dueMs: number | null
}

export function advancer(rules: AdvanceRules): (member: RolloutMember, facts: NodeFacts | null, labels: Labels | undefined) => Advanced {
  const { spec, nowMs } = rules
  const excluded = exclusionOf(spec)
  const back = templateBack(spec)
  const takenBack = new Set(spec.rolledBackWaves ?? [])
  return (member, facts, labels) => {
    if (facts === null) return still(moved(member, { verdict: 'skipped', template: 'own', cause: cause('rollout.node-gone') }, nowMs))
    if (spec.abort !== undefined) {
      if (spec.abort === 'Stay' && member.verdict === 'done' && member.template === 'next') return still(member)
      return goBack(member, facts, 'own', cause('rollout.aborted'), rules)
    }
    if (takenBack.has(member.wave)) return goBack(member, facts, back, cause('rollout.wave.rolled-back', { wave: member.wave }), rules)
    const reason = excluded(member.node, labels)
    if (reason !== null && member.verdict !== 'done') {
      const left = cause('rollout.excluded', { reason })
      const gone = goBack(member, facts, back, left, rules)
      return gone.member.verdict === 'returned' ? still(moved(gone.member, { verdict: 'skipped', cause: left }, nowMs)) : gone
    }
    if (member.template === 'next') return asked(member, facts, rules)
    if (reason === null && member.cause?.code === 'rollout.excluded' && member.verdict === 'skipped')
      return still(moved(member, { verdict: 'pending', template: 'own' }, nowMs))
    return member.startedAt === undefined || member.verdict === 'skipped'
      ? still(member)
      : goBack(member, facts, member.template, cause('rollout.aborted'), rules)
  }
}

function asked(member: RolloutMember, facts: NodeFacts, rules: AdvanceRules): Advanced {
  const { nowMs } = rules
  if (isFailure(member.verdict) && member.since <= rules.retriedAtMs) {
    const again = { ...member, attempt: (member.attempt ?? 0) + 1, startedAt: nowMs }
    return still(moved(again, { verdict: 'updating' }, nowMs))
  }
  const judged = judgeNext(member, facts, rules.judgeRules(member.wave), nowMs)
  const startedAt = startOf(member, judged.verdict) ?? nowMs
  const next = startedAt === member.startedAt ? member : { ...member, startedAt }
  return { member: moved(next, judged, nowMs), dueMs: judged.dueMs }
}

/** One that has not begun is skipped with `left`; one that has gets its template back, and is returned when its device shows it. */
function goBack(member: RolloutMember, facts: NodeFacts, template: 'own' | 'previous', left: WireCause, rules: AdvanceRules): Advanced {
  const { nowMs } = rules
  if (member.verdict === 'skipped' || member.verdict === 'returned') return still(member.template === 'next' ? { ...member, template } : member)
  if (member.startedAt === undefined) return still(moved(member, { verdict: 'skipped', template, cause: left }, nowMs))
  const turned = member.template === 'next' ? moved(member, { verdict: 'returning', template }, nowMs) : member
  if (member.template === 'next') return still(turned)
  const judged = judgeReturn(turned, facts, rules.judgeRules(member.wave))
  return { member: moved(turned, judged, nowMs), dueMs: judged.dueMs }
}

interface Change {
  readonly verdict: Verdict
  readonly template?: RolloutMember['template']
  readonly cause?: WireCause
}

/** `since` moves with the verdict only; an unchanged member is the same object, so that nothing is written. */
export function moved(member: RolloutMember, change: Change, nowMs: number): RolloutMember {
  const template = change.template ?? member.template
  const same = change.verdict === member.verdict
  if (same && template === member.template && canonicalJson(change.cause ?? null) === canonicalJson(member.cause ?? null)) return member
  const { cause: _before, ...kept } = member
  return {
    ...kept,
    verdict: change.verdict,
    template,
    since: same ? member.since : nowMs,
    ...(change.cause === undefined ? {} : { cause: change.cause }),
  }
}

function still(member: RolloutMember): Advanced {
  return { member, dueMs: null }
}
