/** When to look again without news. One moment is asked for; it is asked again only when it moves. */
import { LIMITS } from '../../protocol/limits.ts'
import { contactSaveAt } from './contact.ts'
import type { Now } from './model.ts'
import type { AgentState } from './state.ts'
import { requestObserve } from './on-observed.ts'
import { cronAt } from './on-cron.ts'
import { overridesAt } from './on-override.ts'
import { reportAt } from './on-report.ts'
import { inFlightCount, nextProbeAt } from './probes.ts'
import { ledgerSaveAt } from './on-target.ts'
import { isSafeMode } from './overrides.ts'
import { quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'

/** Looks at the engine when a wait has ended or the last look is old. */
export function dueObservation(state: AgentState, now: Now): Turn {
  const at = observeAt(state)
  return at !== null && at <= now.monoMs ? requestObserve(state) : quiet(state)
}

/** Asks to be woken at the earliest moment at which something is due. */
export function setWake(state: AgentState, now: Now): Turn {
  // a refresh without news needs no wake of its own: the next look at the engine is never far
  const at = earliest([
    contactSaveAt(state),
    observeAt(state),
    saveAt(state),
    overridesAt(state),
    cronAt(state),
    state.report.dirty ? reportAt(state) : null,
    probeAt(state),
  ])
  const asked = state.timing.wakeAtMonoMs
  const stillAhead = asked !== null && asked > now.monoMs
  if (at === null || (stillAhead && asked === at)) return quiet(state)
  return turn({ ...state, timing: { ...state.timing, wakeAtMonoMs: at } }, { kind: 'wake-at', monoMs: at })
}

function observeAt(state: AgentState): number | null {
  const { timing, engine, observing, wave, plan } = state
  if (observing || state.knowledge === 'loading') return null
  const idle = engine.reachable && timing.observedAtMonoMs !== null ? timing.observedAtMonoMs + LIMITS.observeIdleMs.value : null
  return earliest([timing.observeRetryAtMonoMs, idle, wave === null ? plan.nextAtMonoMs : null])
}

/** With all places taken, the next answer asks on. */
function probeAt({ probes }: AgentState): number | null {
  return inFlightCount(probes) < LIMITS.probesInFlight.value ? nextProbeAt(probes) : null
}

function saveAt(state: AgentState): number | null {
  const { timing } = state
  if (timing.saveInFlight) return null
  if (state.nextToSave !== null && !isSafeMode(state.overrides)) return timing.saveRetryAtMonoMs
  const ledger = ledgerSaveAt(state)
  return ledger === null ? null : Math.max(ledger, timing.saveRetryAtMonoMs ?? 0)
}

function earliest(moments: readonly (number | null)[]): number | null {
  let first: number | null = null
  for (const moment of moments) if (moment !== null && (first === null || moment < first)) first = moment
  return first
}
