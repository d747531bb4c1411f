/** What follows from looking at the engine: exits are counted, the plan is made again, and its first wave is run. */
import { cause } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { doubledMs } from './backoff.ts'
import { unknownRuns } from './cron-unknown.ts'
import { fenceOf } from './contact.ts'
import { startingOwners, withOwnersSeen } from './cpu-starting.ts'
import { slotOfKey } from './identity.ts'
import { isWorthSaving, noteObserved } from './ledger.ts'
import type { EngineInfo, Lane, Now, ObservedContainer } from './model.ts'
import type { Ledger } from './saved-model.ts'
import type { AgentState, Effect } from './state.ts'
import { plan } from './plan.ts'
import { withPodAddresses } from './pod-address.ts'
import { renderPlan } from './render-plan.ts'
import { decideUpdates } from './on-update.ts'
import { withEngineBack } from './update-outage.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'
import { rfc3339 } from './wall-time.ts'
import { wantedState } from './wanted-state.ts'

/** Looks at the engine now, or once more after the look in flight. */
export function requestObserve(state: AgentState): Turn {
  if (state.knowledge === 'loading') return quiet(state)
  if (state.observing) return quiet(state.observeAgain ? state : { ...state, observeAgain: true })
  const timing = { ...state.timing, inFlightStale: state.wave !== null, observeRetryAtMonoMs: null }
  return turn({ ...state, observing: true, observeAgain: false, timing }, { kind: 'observe' })
}

export function onObserved(state: AgentState, containers: readonly ObservedContainer[], now: Now, volumePods?: readonly string[]): Turn {
  const first = state.observed === null
  const wasDown = !state.engine.reachable
  const noted = withLedger(state, noteObserved(state.ledger, wantedState(state), containers, now.monoMs, state.probes))
  const seen: AgentState = {
    ...withOwnersSeen(noted, !state.timing.inFlightStale),
    observed: withPodAddresses(containers),
    ...(volumePods === undefined ? {} : { volumes: { pods: volumePods, written: state.volumes?.written ?? {} } }),
    observing: false,
    adopted: first ? containers.filter((one) => one.state === 'running').map((one) => one.id) : state.adopted,
    engine: wasDown ? { ...state.engine, reachable: true, sinceWallMs: now.wallMs, cause: null } : state.engine,
    report: { ...state.report, dirty: true },
    timing: { ...noted.timing, observedAtMonoMs: now.monoMs, fresh: !state.timing.inFlightStale, observeFailures: 0, observeRetryAtMonoMs: null },
  }
  const fields = { containers: containers.length }
  // at the first look of a session nothing was away
  const back = wasDown && state.engine.cause !== null ? withEngineBack(seen, now) : seen
  const known = wasDown ? turn(back, { kind: 'log', level: 'info', msg: 'the container engine answers', fields }) : quiet(back)
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

/** Plans again and runs what can run. Without a fresh look at the engine, one is asked for instead. */
export function act(state: AgentState, now: Now): Turn {
  if (state.wave !== null || state.knowledge === 'loading' || state.observed === null) return quiet(state)
  if (!state.timing.fresh) return state.observing ? quiet(state) : requestObserve(state)
  return andThen(decideUpdates(state, now), (decided) => planAndRun(decided, state.observed ?? [], now))
}

function planAndRun(state: AgentState, observed: readonly ObservedContainer[], now: Now): Turn {
  const { device, knowledge, ledger, probes, pressure, inventory, adopted, overrides } = state
  const desired = wantedState(state)
  const place = {
    hostIp: state.hostIp,
    floor: state.floor,
    ...(state.local === undefined ? {} : { local: state.local }),
    ...(state.volumes === undefined ? {} : { volumes: state.volumes }),
    ...(state.cpuTries === undefined ? {} : { cpuTries: state.cpuTries }),
    ...(state.updates === undefined ? {} : { updates: state.updates }),
    starting: startingOwners(state),
    unknownRuns: unknownRuns(device, desired?.schedules ?? [], state.cron, observed),
    fence: fenceOf(state, now),
  }
  const made = plan({ device, knowledge, desired, observed, ledger, probes, pressure, inventory, adopted, overrides, ...place }, now.monoMs)
  const planned = { ...state, plan: made, adopted: knowledge === 'known' ? [] : adopted, report: { ...state.report, dirty: true } }
  // by slot, not by key: two revisions of one container must not be worked on side by side, not even while one is aborted
  const busy = new Set(state.imageWaves.flatMap((wave) => wave.lanes.map((lane) => slotOfKey(lane.key))))
  const free = (made.waves[0] ?? []).filter((lane) => !busy.has(slotOfKey(lane.key)))
  const withImage = free.filter(needsImage)
  const pulling =
    withImage.length === 0 || state.imageWaves.length >= LIMITS.imageWaves.value ? quiet(planned) : runImageWave(planned, withImage, now)
  const rest = free.filter((lane) => !needsImage(lane))
  return rest.length === 0 ? pulling : andThen(pulling, (next) => runQuickWave(next, rest, now))
}

/** The state with this ledger; remembers that the file is behind when it is. */
export function withLedger(state: AgentState, ledger: Ledger): AgentState {
  if (ledger === state.ledger) return state
  const ledgerDirty = state.timing.ledgerDirty || isWorthSaving(state.ledger, ledger)
  return { ...state, ledger, timing: { ...state.timing, ledgerDirty } }
}

function needsImage(lane: Lane): boolean {
  return lane.steps.some((step) => step.kind === 'ensure-image')
}

function runImageWave(state: AgentState, lanes: readonly Lane[], now: Now): Turn {
  const id = state.waveCount + 1
  const imageWaves = [...state.imageWaves, { id, lanes, aborted: false }]
  return turn({ ...state, waveCount: id, imageWaves }, logWave(state, id, lanes, now), { kind: 'run-wave', wave: id, lanes })
}

function runQuickWave(state: AgentState, lanes: readonly Lane[], now: Now): Turn {
  const id = state.waveCount + 1
  const timing = { ...state.timing, fresh: false, inFlightStale: state.observing }
  return turn({ ...state, waveCount: id, wave: { id, lanes, aborted: false }, timing }, logWave(state, id, lanes, now), {
    kind: 'run-wave',
    wave: id,
    lanes,
  })
}

const LOG_LINES = 8

function logWave(state: AgentState, wave: number, lanes: readonly Lane[], now: Now): Effect {
  const verdicts = state.plan.verdicts.filter((one) => one.kind !== 'keep')
  const excerpt = renderPlan({ ...state.plan, verdicts, waves: [lanes] }, now.monoMs)
    .slice(0, LOG_LINES)
    .join(' | ')
  return { kind: 'log', level: 'info', msg: 'run wave', fields: { wave, lanes: lanes.length, plan: excerpt } }
}
