/** Local overrides over time: taken, ended by hand, ended by themselves. Each change is saved, planned and reported at once. */
import { causeSentence } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import type { Now } from './model.ts'
import type { Override, OverrideRequest } from './saved-model.ts'
import type { AgentState, Effect } from './state.ts'
import { act } from './on-observed.ts'
import { inForce, isSafeMode, overrideRefusal, withOverride } from './overrides.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'

/** A request that is refused changes nothing; the page asks for the reason before it sends one. */
export function onOverride(state: AgentState, request: OverrideRequest, now: Now): Turn {
  const refusal = overrideRefusal(state, request)
  if (refusal !== null) return turn(state, { kind: 'log', level: 'warn', msg: 'override refused', fields: { why: causeSentence(refusal) } })
  const overrides = withOverride(state, request, now)
  const forgiven = request.kind === 'restart' && request.podUid !== null ? withoutWaits(state, request.podUid) : state
  return changed(forgiven, overrides, said('override', overrides.at(-1)), now)
}

export function onOverrideEnd(state: AgentState, id: string, now: Now): Turn {
  const ended = state.overrides.find((one) => one.id === id)
  if (ended === undefined) return quiet(state)
  const overrides = state.overrides.filter((one) => one !== ended)
  return changed(state, overrides, said('override ended', ended), now)
}

/** Takes away what is over; writes the time that is left now and then. */
export function settleOverrides(state: AgentState, now: Now): Turn {
  if (state.overrides.length === 0) return quiet(state)
  const overrides = inForce(state.overrides, state.timing.fresh ? state.observed : null, now.monoMs)
  if (overrides === state.overrides) return quiet(saveTime(state, now))
  const over = state.overrides.find((one) => !overrides.includes(one))
  return changed(state, overrides, said('override is over', over), now)
}

/** The moment at which an override ends or its remaining time is written; null without any. */
export function overridesAt(state: AgentState): number | null {
  if (state.overrides.length === 0) return null
  const ends = Math.min(...state.overrides.map((one) => one.untilMonoMs))
  return state.knowledge === 'known' ? Math.min(ends, saveAt(state)) : ends
}

function changed(state: AgentState, overrides: readonly Override[], log: Effect, now: Now): Turn {
  const next: AgentState = {
    ...state,
    overrides,
    report: { ...state.report, dirty: true },
    timing: { ...state.timing, ledgerDirty: true, ledgerSavedAtMonoMs: null },
  }
  // what waited for the end of safe mode is saved by the same turn, and acted on when it is durable
  const waits = isSafeMode(state.overrides) && !isSafeMode(overrides) && next.nextToSave !== null
  return andThen(turn(next, log), (known) => (waits || !known.timing.fresh ? quiet(known) : act(known, now)))
}

function saveTime(state: AgentState, now: Now): AgentState {
  if (state.knowledge !== 'known' || state.timing.ledgerDirty || saveAt(state) > now.monoMs) return state
  return { ...state, timing: { ...state.timing, ledgerDirty: true } }
}

function saveAt(state: AgentState): number {
  return (state.overridesSavedAtMonoMs ?? 0) + LIMITS.overrideSaveMs.value
}

/** A person who asks for a restart does not want to wait for a backoff. */
function withoutWaits(state: AgentState, uid: string): AgentState {
  const entries = Object.entries(state.ledger).map(([key, entry]) =>
    key.startsWith(`${uid}/`)
      ? ([key, { ...entry, failures: 0, crashes: 0, lastCause: null, notBeforeMonoMs: null }] as const)
      : ([key, entry] as const),
  )
  return { ...state, ledger: Object.fromEntries(entries) }
}

function said(msg: string, override: Override | undefined): Effect {
  if (override === undefined) return { kind: 'log', level: 'info', msg }
  const { kind, owner, reason, pod } = override
  return { kind: 'log', level: 'info', msg, fields: { kind, owner, reason, pod: pod === null ? 'the device' : `${pod.namespace}/${pod.name}` } }
}
