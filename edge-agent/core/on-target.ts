/**
 * How a desired state gets in: accepted, durable, then acted on. INVARIANTS
 * - `desired` is on disk; `saving` is being written; `nextToSave` waits, and only the newest waits.
 * - At most one save is in flight, so that `saved` and `save-failed` speak of exactly one.
 * - Unknown knowledge is never written over by anything but a valid target.
 */
import { accept, compareVersions } from '../../protocol/accept.ts'
import { cause, causeSentence } from '../../protocol/causes.ts'
import type { Cause } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { doubledMs } from './backoff.ts'
import { contactToSave, startContact } from './contact.ts'
import { takesCpus } from './cpu-pool.ts'
import { wakePulls } from './image-use.ts'
import { clockToSave, withSavedClock } from './on-clock.ts'
import { freezeRuns, fromSavedCron, toSavedCron, withoutRuns, withRuns } from './cron-runs.ts'
import { markSaving } from './on-cron.ts'
import { fromSaved, noteObserved, toSaved } from './ledger.ts'
import type { DesiredState, Now, Version } from './model.ts'
import type { Loaded } from './saved-model.ts'
import { abortObsolete } from './obsolete.ts'
import { isSwitching, recordsToSave, wantImages, withDocument, withSavedUpdates } from './on-update.ts'
import type { AgentState } from './state.ts'
import { act, requestObserve, withLedger } from './on-observed.ts'
import { isSafeMode, restoredOverrides, savedOverrides } from './overrides.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'
import { wantedState } from './wanted-state.ts'

/** The state file was read: look at the engine at once, whether or not anything is known. */
export function onLoaded(state: AgentState, loaded: Loaded, now: Now): Turn {
  if (state.knowledge !== 'loading') return quiet(state)
  const early = state.nextToSave
  const contact = startContact(state, now.monoMs, loaded.kind === 'state' ? loaded.state.contact : undefined)
  const known = { ...knowledgeOf({ ...state, nextToSave: null }, loaded, now), contact, report: { ...state.report, dirty: true } }
  const logged = turn(known, {
    kind: 'log',
    level: loaded.kind === 'unknown' ? 'error' : 'info',
    msg: 'state file read',
    fields: { knowledge: known.knowledge, pods: known.desired?.pods.length ?? 0, ...(loaded.kind === 'unknown' ? { why: loaded.why } : {}) },
  })
  const records = loaded.kind === 'state' ? (loaded.state.updates ?? {}) : {}
  const updating = andThen(logged, (next) => withSavedUpdates(next, records, now))
  const wanting = known.desired === null ? updating : andThen(updating, (next) => turn(next, wantImages(next)))
  const looking = andThen(wanting, requestObserve)
  return early === null ? looking : andThen(looking, (next) => onTarget(next, early))
}

/** A valid, signed document: the accept rule decides; nothing is acted on here. */
export function onTarget(state: AgentState, desired: DesiredState): Turn {
  if (desired.device !== state.device) return onRefused(state, cause('desired.refused.wrong-device', { got: desired.device, have: state.device }))
  if (state.knowledge === 'loading') return quiet({ ...state, nextToSave: newer(state.nextToSave, desired) })
  const answer = accept(state.nextToSave ?? state.saving ?? state.desired, state.floor, desired)
  switch (answer.verdict) {
    case 'apply':
      return turn(
        { ...state, nextToSave: desired },
        {
          kind: 'log',
          level: 'info',
          msg: 'desired state accepted',
          fields: { version: pair(desired), pods: desired.pods.length },
        },
      )
    case 'duplicate':
      return quiet({ ...state, report: { ...state.report, last: null, dirty: true } })
    case 'conflict':
      return onRefused(state, cause('desired.refused.conflict', { got: pair(answer.got), have: pair(answer.have) }))
    case 'stale':
      return onRefused(state, cause('desired.refused.stale', { got: pair(answer.got), have: pair(answer.have) }))
  }
}

/** Remembers why a document was not taken; the same reason is kept once. */
export function onRefused(state: AgentState, why: Cause): Turn {
  const others = state.refusals.filter((one) => !sameCause(one, why))
  const refusals = [why, ...others].slice(0, LIMITS.refusalsKept.value)
  const next = { ...state, refusals, report: { ...state.report, dirty: true } }
  if (others.length < state.refusals.length) return quiet(next)
  return turn(next, { kind: 'log', level: 'warn', msg: 'desired state refused', fields: { code: why.code, why: causeSentence(why) } })
}

/** Durable: from here on it is acted on, and lanes of the old one that run are stopped. */
export function onSaved(state: AgentState, version: Version, now: Now): Turn {
  const { saving } = state
  if (!state.timing.saveInFlight || (saving !== null && compareVersions(saving, version) !== 0)) return quiet(state)
  const settled: AgentState = {
    ...state,
    storage: null,
    report: { ...state.report, dirty: true },
    timing: { ...state.timing, saveInFlight: false, saveFailures: 0, saveRetryAtMonoMs: null, ledgerSavedAtMonoMs: now.monoMs },
  }
  if (saving === null) return isSwitching(settled) ? act(settled, now) : quiet(settled)
  const taken: AgentState = {
    ...settled,
    desired: withRuns(saving, state.cron),
    saving: null,
    knowledge: 'known',
    floor: higher(state.floor, saving),
    // a newer document is the answer to "older" and "two of one number"
    refusals: state.refusals.filter((one) => one.code !== 'desired.refused.stale' && one.code !== 'desired.refused.conflict'),
  }
  const noted = andThen(withDocument(taken, state.desired, now), (next) => {
    const { ledger, observed, probes } = next
    const seen = withLedger(next, observed === null ? ledger : noteObserved(ledger, wantedState(next), observed, now.monoMs, probes))
    const woken = withLedger(seen, wakePulls(seen.ledger, state.desired, saving))
    // a container that began just before may not be in the last look, and may run on CPUs that are somebody's own now
    const blind = takesCpus(saving, state.desired)
    const looked = blind ? { ...woken, timing: { ...woken.timing, fresh: false, inFlightStale: state.observing } } : woken
    return andThen(turn(looked, wantImages(looked)), abortObsolete)
  })
  return andThen(noted, (next) => act(next, now))
}

/** The disk refuses: the old desired state goes on, the newest one waits and is tried again. */
export function onSaveFailed(state: AgentState, why: Cause, now: Now): Turn {
  if (!state.timing.saveInFlight) return quiet(state)
  const failures = state.timing.saveFailures + 1
  const storage = why.code === 'storage.degraded' ? why : cause('storage.degraded', { why: causeSentence(why) })
  const saveRetryAtMonoMs = now.monoMs + doubledMs(failures, LIMITS.retryFirstMs.value, LIMITS.storageRetryMaxMs.value)
  const next: AgentState = {
    ...state,
    storage,
    saving: null,
    nextToSave: state.nextToSave ?? state.saving,
    report: { ...state.report, dirty: true },
    timing: { ...state.timing, saveInFlight: false, saveFailures: failures, saveRetryAtMonoMs, ledgerDirty: true },
  }
  return failures > 1
    ? quiet(next)
    : turn(next, { kind: 'log', level: 'error', msg: 'state file cannot be written', fields: { why: causeSentence(storage) } })
}

/** Begins the save that is due, if any: a waiting target at once, a changed ledger not more often than the table says. */
export function startSave(state: AgentState, now: Now): Turn {
  const { timing, nextToSave, desired } = state
  if (timing.saveInFlight || state.knowledge === 'loading') return quiet(state)
  if (timing.saveRetryAtMonoMs !== null && timing.saveRetryAtMonoMs > now.monoMs) return quiet(state)
  const next = isSafeMode(state.overrides) ? null : nextToSave
  if (next === null && !(ledgerSaveDue(state, now) && state.knowledge === 'known')) return quiet(state)
  const target = next ?? desired
  if (target === null) return quiet(state)
  const floor = higher(state.floor, target)
  const waiting = next === null ? nextToSave : null
  const timingNext = { ...timing, saveInFlight: true, ledgerDirty: false }
  const clock = clockToSave(state.clock, now)
  const cron = markSaving(next === null ? state.cron : freezeRuns(state.cron, state.desired, next))
  const started = {
    ...state,
    saving: next,
    nextToSave: waiting,
    overridesSavedAtMonoMs: now.monoMs,
    timing: timingNext,
    clock: { ...state.clock, savedWallMs: clock.clock?.wallMs ?? null },
    cron,
  }
  // the pair tells whose save it is; the store keeps the higher of this and its floor
  const version = next === null ? floor : { epoch: target.epoch, generation: target.generation }
  const overrides = savedOverrides(state.overrides, now.monoMs)
  const saved = {
    desired: withoutRuns(target),
    floor,
    ledger: toSaved(state.ledger, now.monoMs),
    ...(overrides.length === 0 ? {} : { overrides }),
    ...evictedOf(state),
    ...recordsToSave(state, target, now),
    ...contactToSave({ ...state, desired: target }, now),
    ...clock,
    ...toSavedCron(cron),
  }
  return turn(started, { kind: 'save', state: saved, version })
}

/** The moment when a changed ledger may be written, or null when there is nothing to write. */
export function ledgerSaveAt(state: AgentState): number | null {
  if (!state.timing.ledgerDirty || state.knowledge !== 'known') return null
  return state.timing.ledgerSavedAtMonoMs === null ? 0 : state.timing.ledgerSavedAtMonoMs + LIMITS.ledgerSaveMinMs.value
}

function ledgerSaveDue(state: AgentState, now: Now): boolean {
  const at = ledgerSaveAt(state)
  return at !== null && at <= now.monoMs
}

function knowledgeOf(state: AgentState, loaded: Loaded, now: Now): AgentState {
  switch (loaded.kind) {
    case 'none':
      return { ...state, knowledge: 'none' }
    case 'unknown':
      return { ...state, knowledge: 'unknown', floor: loaded.floor }
    case 'state': {
      const { desired, floor, ledger, overrides = [], evicted = {} } = loaded.state
      const storage = loaded.fellBack ? cause('storage.fell-back') : null
      const clock = withSavedClock(state.clock, loaded.state.clock)
      const cron = fromSavedCron(state.cron, loaded.state.cron, now.monoMs)
      if (desired === null) return { ...state, knowledge: 'none', floor, storage, clock, cron }
      return {
        ...state,
        clock,
        cron,
        knowledge: 'known',
        desired: withRuns(desired, cron),
        floor: higher(floor, desired),
        storage,
        ledger: fromSaved(ledger, now.monoMs),
        overrides: restoredOverrides(overrides, now.monoMs),
        pressure: { ...state.pressure, evicted },
      }
    }
  }
}

function newer(a: DesiredState | null, b: DesiredState): DesiredState {
  return a !== null && compareVersions(a, b) >= 0 ? a : b
}

function higher(floor: Version | null, version: Version): Version {
  return floor !== null && compareVersions(floor, version) >= 0 ? floor : { epoch: version.epoch, generation: version.generation }
}

function pair(version: Version): string {
  return `${version.epoch}.${version.generation}`
}

function sameCause(a: Cause, b: Cause): boolean {
  return a.code === b.code && JSON.stringify(a.facts) === JSON.stringify(b.facts)
}

function evictedOf({ pressure }: AgentState): { readonly evicted?: AgentState['pressure']['evicted'] } {
  return Object.keys(pressure.evicted).length === 0 ? {} : { evicted: pressure.evicted }
}
