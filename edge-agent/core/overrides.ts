/**
 * Local overrides as data. INVARIANTS: each ends by itself on monotonic time, also across reboots (the time left is saved);
 * a new one replaces the one of the same kind for the same thing; never more than the table allows.
 */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { OverrideReport } from '../../protocol/override.ts'
import type { Now, ObservedContainer } from './model.ts'
import type { Override, OverrideRequest, SavedOverride } from './saved-model.ts'
import type { AgentState } from './state.ts'
import { previousOf } from './update-previous.ts'
import { rfc3339 } from './wall-time.ts'

/** Why this request cannot be taken, or null. */
export function overrideRefusal(state: AgentState, request: OverrideRequest): Cause | null {
  const refused = (why: string): Cause => cause('override.local.refused', { why })
  const { kind, owner, reason, podUid, forMs } = request
  const tooLong = LIMITS.overrideTextLength.value
  if (owner.trim() === '' || owner.length > tooLong) return refused(`an owner of 1 to ${tooLong} characters is needed`)
  if (reason.trim() === '' || reason.length > tooLong) return refused(`a reason of 1 to ${tooLong} characters is needed`)
  if (!Number.isFinite(forMs) || forMs < 60_000 || forMs > LIMITS.overrideMaxMs.value)
    return refused(`it lasts from one minute to ${LIMITS.overrideMaxMs.value / 86_400_000} days`)
  if (state.knowledge === 'loading') return refused('the agent is still reading its state')
  if (kind === 'safe-mode') return podUid === null ? null : refused('safe mode is for the whole device')
  const pod = podOf(state, podUid)
  if (pod === null) return refused('no such workload is wanted on this device')
  if (kind === 'run-previous' && !hasPrevious(state, pod.uid)) return cause('override.local.no-previous', { pod: `${pod.namespace}/${pod.name}` })
  const full = state.overrides.length >= LIMITS.overridesKept.value && !state.overrides.some((one) => isSame(one, request))
  return full ? refused(`${LIMITS.overridesKept.value} overrides are in force; end some first`) : null
}

/** The list with this one in it; call only when there is no refusal. */
export function withOverride(state: AgentState, request: OverrideRequest, now: Now): readonly Override[] {
  const { id, kind, owner, reason, podUid } = request
  const pod = podOf(state, podUid)
  const forMs = kind === 'restart' ? LIMITS.overrideRestartMs.value : request.forMs
  const made: Override = {
    id,
    kind,
    pod: pod === null ? null : { uid: pod.uid, namespace: pod.namespace, name: pod.name },
    owner,
    reason,
    sinceWallMs: now.wallMs,
    untilMonoMs: now.monoMs + forMs,
    restarts: kind === 'restart' ? startsOf(state.observed ?? [], podUid) : {},
  }
  // to restart what is held ends the hold, and the other way round
  const others = state.overrides.filter((one) => !isSame(one, request) && (one.pod === null || one.pod.uid !== podUid))
  return [...others, made]
}

/** Those still in force: not over, and restarts that have not happened yet. */
export function inForce(overrides: readonly Override[], observed: readonly ObservedContainer[] | null, nowMonoMs: number): readonly Override[] {
  const left = overrides.filter((one) => one.untilMonoMs > nowMonoMs && !(one.kind === 'restart' && isRestarted(one, observed)))
  return left.length === overrides.length ? overrides : left
}

export function isSafeMode(overrides: readonly Override[]): boolean {
  return overrides.some((one) => one.kind === 'safe-mode')
}

/** True for a container that this restart still has to end. */
export function isToRestart(override: Override, found: ObservedContainer): boolean {
  return Object.hasOwn(override.restarts, found.id) && override.restarts[found.id] === startOf(found)
}

const SAID_BY: Readonly<Partial<Record<Override['kind'], Cause['code']>>> = {
  'run-previous': 'override.local.previous',
  'hold-update': 'override.local.hold-update',
  'update-now': 'override.local.update-now',
}

/** What is said about a thing under this override. */
export function overrideCause(override: Override, nowMonoMs?: number): Cause {
  const { owner, reason, sinceWallMs } = override
  const until = nowMonoMs === undefined ? 'it is ended' : `${Math.ceil((override.untilMonoMs - nowMonoMs) / 60_000)} min from now`
  const facts = { owner, reason, until, since: rfc3339(sinceWallMs) }
  if (override.kind === 'safe-mode') return cause('override.local.safe-mode', facts)
  return cause(SAID_BY[override.kind] ?? 'override.local.hold', facts)
}

export function overrideReport(override: Override, nowMonoMs: number): OverrideReport {
  const { id, kind, pod, owner, reason, sinceWallMs } = override
  const remainingMs = Math.max(0, Math.round(override.untilMonoMs - nowMonoMs))
  return { id, kind, owner, reason, since: rfc3339(sinceWallMs), remainingMs, ...(pod === null ? {} : { pod }) }
}

export function savedOverrides(overrides: readonly Override[], nowMonoMs: number): readonly SavedOverride[] {
  return overrides.map(({ untilMonoMs, ...kept }) => ({ ...kept, remainingMs: Math.max(0, untilMonoMs - nowMonoMs) }))
}

/** After a restart of the agent the time left goes on. */
export function restoredOverrides(saved: readonly SavedOverride[], nowMonoMs: number): readonly Override[] {
  return saved.slice(0, LIMITS.overridesKept.value).map(({ remainingMs, ...kept }) => ({
    ...kept,
    untilMonoMs: nowMonoMs + Math.min(Math.max(remainingMs, 0), LIMITS.overrideMaxMs.value),
  }))
}

function podOf(state: AgentState, uid: string | null): { readonly uid: string; readonly namespace: string; readonly name: string } | null {
  return uid === null ? null : (state.desired?.pods.find((pod) => pod.uid === uid) ?? null)
}

function hasPrevious({ desired, updates }: AgentState, uid: string): boolean {
  const wanted = desired?.pods.find((pod) => pod.uid === uid)
  const record = updates?.records[uid]
  return wanted !== undefined && record !== undefined && previousOf(record, wanted) !== null
}

function isSame(override: Override, { kind, podUid }: OverrideRequest): boolean {
  return override.kind === kind && (override.pod?.uid ?? null) === podUid
}

function startsOf(observed: readonly ObservedContainer[], uid: string | null): Readonly<Record<string, string>> {
  return Object.fromEntries(observed.filter((one) => one.podUid === uid).map((one) => [one.id, startOf(one)]))
}

function startOf(found: ObservedContainer): string {
  return found.startedAt ?? ''
}

function isRestarted(override: Override, observed: readonly ObservedContainer[] | null): boolean {
  return observed !== null && !observed.some((one) => isToRestart(override, one))
}
