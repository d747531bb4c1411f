/** What follows from looking at the engine: exits are counted, the plan is made again, and its first wave is run. */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { doubledMs } from './backoff.ts'
import { isWorthSaving, noteObserved } from './ledger.ts'
import type { AgentState, EngineInfo, Ledger, Now, ObservedContainer, Plan } from './model.ts'
import { plan } from './plan.ts'
import { renderPlan } from './render-plan.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'
import { rfc3339 } from './wall-time.ts'

/** Looks at the engine now, or once more after the look in flight. */
export function requestObserve(state: AgentState): Turn {
  if (state.knowledge === 'loading') return quiet(state)
  if (state.observing) return quiet(state.observeAgain ? state : { ...state, observeAgain: true })
  const timing = { ...state.timing, inFlightStale: state.wave !== null, observeRetryAtMonoMs: null }
  return turn({ ...state, observing: true, observeAgain: false, timing }, { kind: 'observe' })
}

export function onObserved(state: AgentState, containers: readonly ObservedContainer[], now: Now): Turn {
  const first = state.observed === null
  const wasDown = !state.engine.reachable
  const noted = withLedger(state, noteObserved(state.ledger, state.desired, containers, now.monoMs))
  const seen: AgentState = {
    ...noted,
    observed: containers,
    observing: false,
    adopted: first ? containers.filter((one) => one.state === 'running').map((one) => one.id) : state.adopted,
    engine: wasDown ? { ...state.engine, reachable: true, sinceWallMs: now.wallMs, cause: null } : state.engine,
    report: { ...state.report, dirty: true },
    timing: { ...noted.timing, observedAtMonoMs: now.monoMs, fresh: !state.timing.inFlightStale, observeFailures: 0, observeRetryAtMonoMs: null },
  }
  const fields = { containers: containers.length }
  const known = wasDown ? turn(seen, { kind: 'log', level: 'info', msg: 'the container engine answers', fields }) : quiet(seen)
  const acted = andThen(known, (next) => act(next, now))
  return state.observeAgain ? andThen(acted, (next) => requestObserve({ ...next, observeAgain: false })) : acted
}

/** The engine did not answer: nothing is concluded about containers, and it is asked again soon. */
export function onObserveFailed(state: AgentState, why: Cause, now: Now): Turn {
  const failures = state.timing.observeFailures + 1
  const wasUp = state.engine.reachable || state.engine.cause === null
  const sinceWallMs = wasUp ? now.wallMs : state.engine.sinceWallMs
  const down = why.code === 'engine.unreachable' ? cause('engine.unreachable', { ...why.facts, since: rfc3339(sinceWallMs) }) : why
  // an engine that is back also tells by an event; the cap is for an event that was lost
  const retryMs = doubledMs(failures, LIMITS.retryFirstMs.value, LIMITS.observeIdleMs.value)
  const next: AgentState = {
    ...state,
    observing: false,
    observeAgain: false,
    engine: { ...state.engine, reachable: false, sinceWallMs, cause: down },
    plan: { ...state.plan, waves: [], waitsFor: [down], nextAtMonoMs: now.monoMs + retryMs },
    report: { ...state.report, dirty: true },
    timing: { ...state.timing, fresh: false, observeFailures: failures, observeRetryAtMonoMs: now.monoMs + retryMs },
  }
  return wasUp ? turn(next, { kind: 'log', level: 'error', msg: 'the container engine does not answer', fields: { code: why.code } }) : quiet(next)
}

export function onEngineInfo(state: AgentState, info: EngineInfo): Turn {
  return quiet({ ...state, engine: { ...state.engine, info }, report: { ...state.report, dirty: true } })
}

/** Plans again and runs the first wave, when what is known is fresh and nothing runs. Otherwise a look is under way or asked for. */
export function act(state: AgentState, now: Now): Turn {
  if (state.wave !== null || state.knowledge === 'loading' || state.observed === null) return quiet(state)
  if (!state.timing.fresh) return state.observing ? quiet(state) : requestObserve(state)
  const { device, knowledge, desired, observed, ledger, inventory, adopted } = state
  const made = plan({ device, knowledge, desired, observed, ledger, inventory, adopted }, now.monoMs)
  const planned = { ...state, plan: made, adopted: knowledge === 'known' ? [] : adopted, report: { ...state.report, dirty: true } }
  const [lanes] = made.waves
  if (lanes === undefined) return quiet(planned)
  const wave = state.waveCount + 1
  const timing = { ...planned.timing, fresh: false, inFlightStale: state.observing }
  return turn({ ...planned, wave: { id: wave, lanes, aborted: false }, waveCount: wave, timing },
    { kind: 'log', level: 'info', msg: 'run wave', fields: { wave, lanes: lanes.length, plan: planExcerpt(made, now) } },
    { kind: 'run-wave', wave, lanes })
}

/** The state with this ledger; remembers that the file is behind when it is. */
export function withLedger(state: AgentState, ledger: Ledger): AgentState {
  if (ledger === state.ledger) return state
  const ledgerDirty = state.timing.ledgerDirty || isWorthSaving(state.ledger, ledger)
  return { ...state, ledger, timing: { ...state.timing, ledgerDirty } }
}

const LOG_LINES = 8

function planExcerpt(made: Plan, now: Now): string {
  return renderPlan({ ...made, verdicts: made.verdicts.filter((one) => one.kind !== 'keep') }, now.monoMs).slice(0, LOG_LINES).join(' | ')
}
