/** The verdict on one member, from what its device shows now. Level, not edge: the same facts always give the same verdict. */
import { cause } from '../../../protocol/causes.ts'
import type { WireCause } from '../../../protocol/causes.ts'
import { LIMITS } from '../../../protocol/limits.ts'
import type { RolloutMember } from '../../resources/rollout-members.ts'
import type { RolloutSpec } from '../../resources/rollout-spec.ts'
import type { Verdict } from '../../resources/rollout-verdict.ts'
import type { NodeFacts, PodFacts } from './facts.ts'

export interface JudgeRules {
  readonly soakMs: number
  readonly deadlineMs: number
  readonly silence: { readonly policy: 'Ignore' | 'Count' | 'Fail'; readonly afterMs: number }
  /** revision hash of the new template of a part, as this attempt has it */
  nextHash(part: number, attempt: number): string
}

export interface Judged {
  readonly verdict: Verdict
  readonly cause?: WireCause
  /** when it changes by time alone; null = only by news */
  readonly dueMs: number | null
}

export function judgeRules(spec: RolloutSpec, soakSeconds: number, nextHash: JudgeRules['nextHash']): JudgeRules {
  return {
    soakMs: soakSeconds * 1000,
    deadlineMs: (spec.deadlineSeconds ?? 1800) * 1000,
    silence: { policy: spec.silence?.policy ?? 'Ignore', afterMs: (spec.silence?.afterSeconds ?? 300) * 1000 },
    nextHash,
  }
}

/** Of a member that asks for the new template. */
export function judgeNext(member: RolloutMember, facts: NodeFacts, rules: JudgeRules, nowMs: number): Judged {
  const parts = facts.pods.map((pod, part) => judgePart(pod, rules.nextHash(part, member.attempt ?? 0), member, rules, nowMs))
  const worst = parts.reduce((a, b) => (RANK[a.verdict] >= RANK[b.verdict] ? a : b), NOTHING_TO_DO)
  // healthy for the soak time is healthy: neither a lost link nor a later fault takes that back, but the device's own return does
  if (member.verdict === 'done' && worst.verdict !== 'rolledBackByDevice') return { verdict: 'done', dueMs: null }
  if (facts.silentSinceMs !== null && worst.verdict !== 'done') return judgeSilent(member, facts.silentSinceMs, rules, nowMs)
  if (!COUNTS_DOWN.has(worst.verdict)) return worst
  const deadline = (startOf(member, worst.verdict) ?? nowMs) + rules.deadlineMs
  if (nowMs < deadline) return { ...worst, dueMs: Math.min(deadline, worst.dueMs ?? deadline) }
  const why = facts.pods.map((pod) => (typeof pod === 'string' ? '' : pod.why)).find((text) => text !== '') ?? ''
  return {
    verdict: 'failed',
    cause: cause('rollout.deadline', { seconds: rules.deadlineMs / 1000, why: why === '' ? '' : `: ${why.replace(/\.$/, '')}` }),
    dueMs: null,
  }
}

/** Of a member that goes back: it is back when none of its pods asks for the new template and the device runs what they ask for. */
export function judgeReturn(member: RolloutMember, facts: NodeFacts, rules: JudgeRules): Judged {
  const back = facts.pods.every((pod, part) => {
    if (typeof pod === 'string') return true
    return !pod.deleting && !hashesOf(rules, part, member).has(pod.hash) && pod.applied?.isTrue !== false
  })
  if (back && facts.silentSinceMs === null) return { verdict: 'returned', dueMs: null }
  if (facts.silentSinceMs === null) return { verdict: 'returning', dueMs: null }
  return { verdict: 'offline', cause: cause('rollout.silent', { since: isoOf(facts.silentSinceMs) }), dueMs: null }
}

/** From when its deadline counts: anew when it comes from a state in which the device could not go on. */
export function startOf(member: RolloutMember, verdict: Verdict): number | undefined {
  return COUNTS_DOWN.has(verdict) && CANNOT_GO_ON.has(member.verdict) ? undefined : member.startedAt
}

const NOTHING_TO_DO: Judged = { verdict: 'done', dueMs: null }
const COUNTS_DOWN: ReadonlySet<Verdict> = new Set(['downloading', 'updating'])
const CANNOT_GO_ON: ReadonlySet<Verdict> = new Set(['waitingForWindow', 'locked', 'held', 'offline'])

/** The worst part of a release speaks for the device. */
const RANK: Readonly<Record<Verdict, number>> = {
  done: 0,
  soaking: 1,
  updating: 2,
  downloading: 3,
  waitingForWindow: 4,
  locked: 5,
  held: 6,
  failed: 7,
  rolledBackByDevice: 8,
  pending: 0,
  queued: 0,
  returning: 0,
  offline: 0,
  skipped: 0,
  returned: 0,
}

const BY_REASON: Readonly<Record<string, Verdict>> = {
  Updating: 'updating',
  Downloading: 'downloading',
  WindowClosed: 'waitingForWindow',
  Locked: 'locked',
  Held: 'held',
  RolledBack: 'rolledBackByDevice',
}

function judgePart(pod: PodFacts | 'missing' | 'elsewhere', hash: string, member: RolloutMember, rules: JudgeRules, nowMs: number): Judged {
  if (pod === 'elsewhere') return NOTHING_TO_DO
  if (pod === 'missing' || pod.deleting || pod.hash !== hash) return { verdict: 'updating', dueMs: null }
  if (pod.applied !== null && !pod.applied.isTrue) {
    const judged = judgeApplying(pod.applied)
    // a report that was under way when it was tried again still tells of the attempt before
    const believedAt = (member.attempt ?? 0) === 0 ? 0 : (member.startedAt ?? 0) + LIMITS.rolloutRetryGraceMs.value
    return judged.verdict === 'rolledBackByDevice' && nowMs < believedAt ? { verdict: 'updating', dueMs: believedAt } : judged
  }
  if (!pod.ready) return { verdict: 'updating', dueMs: null }
  const healthySince = Math.max(pod.readySinceMs, pod.applied?.sinceMs ?? 0, pod.createdMs, member.startedAt ?? nowMs)
  const doneAt = healthySince + rules.soakMs
  return nowMs >= doneAt ? NOTHING_TO_DO : { verdict: 'soaking', dueMs: doneAt }
}

function judgeApplying({ reason, message }: NonNullable<PodFacts['applied']>): Judged {
  const verdict = BY_REASON[reason] ?? 'updating'
  if (verdict !== 'rolledBackByDevice') return { verdict, dueMs: null }
  return {
    verdict,
    cause: cause('rollout.rolled-back', { why: message === '' ? 'it did not become ready in time' : message.replace(/\.$/, '') }),
    dueMs: null,
  }
}

function judgeSilent(member: RolloutMember, sinceMs: number, { silence }: JudgeRules, nowMs: number): Judged {
  const after = sinceMs + silence.afterMs
  // what the device was at when it fell silent is the best that is known until then
  if (nowMs < after) return { verdict: UNDER_WAY.has(member.verdict) ? member.verdict : 'updating', dueMs: after }
  if (silence.policy === 'Fail') return { verdict: 'failed', cause: cause('rollout.silent-failed', { seconds: silence.afterMs / 1000 }), dueMs: null }
  return { verdict: 'offline', cause: cause('rollout.silent', { since: isoOf(sinceMs) }), dueMs: null }
}

const UNDER_WAY: ReadonlySet<Verdict> = new Set(['downloading', 'updating', 'soaking', 'waitingForWindow', 'locked', 'held', 'offline'])

function hashesOf(rules: JudgeRules, part: number, member: RolloutMember): ReadonlySet<string> {
  return new Set(Array.from({ length: (member.attempt ?? 0) + 1 }, (_, attempt) => rules.nextHash(part, attempt)))
}

/** RFC 3339 in whole seconds. */
export function isoOf(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}
