/**
 * Schedules in the reducer, looked at after every event. INVARIANTS: a run is on disk, with the mark of its schedule, before
 * anything of it is made; without a clock that is believed nothing is begun; a wrong clock is never a reason to end a run.
 */
import { cause } from '../../protocol/causes.ts'
import type { DesiredSchedule } from '../../protocol/schedule.ts'
import { clockCause } from './clock-trust.ts'
import { beginDue } from './cron-due.ts'
import type { CronState } from './cron-model.ts'
import { hasNew, noteRuns, passTime, runsAt, withRuns } from './cron-runs.ts'
import type { Seen } from './cron-runs.ts'
import type { Now } from './model.ts'
import { act } from './on-observed.ts'
import { isSafeMode } from './overrides.ts'
import type { AgentEvent, AgentState, Effect } from './state.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'
import { rfc3339 } from './wall-time.ts'

const NONE: readonly DesiredSchedule[] = []

export function schedulesOf({ desired }: AgentState): readonly DesiredSchedule[] {
  return desired?.schedules ?? NONE
}

export function settleCron(event: AgentEvent, state: AgentState, now: Now): Turn {
  const { desired, knowledge, cron } = state
  const idle = cron.runs.length + cron.durable.length === 0 && schedulesOf(state).length === 0
  if (knowledge !== 'known' || desired === null || idle) return quiet(state)
  const answered = (event.kind === 'saved' || event.kind === 'save-failed') && !state.timing.saveInFlight
  const saved = answered ? afterSave(cron, event.kind === 'saved') : cron
  const looked = event.kind === 'observed' && state.observed !== null ? noteRuns(saved, desired, seenOf(state, state.observed), now) : saved
  const passed = passTime(looked, schedulesOf(state), now)
  return andThen(begun({ ...state, cron: passed }, now), (next) => applied(cron, next, now))
}

function seenOf({ ledger, pressure }: AgentState, observed: Seen['observed']): Seen {
  return { observed, ledger, evicted: pressure.evicted }
}

/** Called when a save begins: what it holds becomes durable with it. */
export function markSaving(cron: CronState): CronState {
  return cron.runs === cron.durable ? cron : { ...cron, saving: cron.runs }
}

/** The monotonic moment at which a run is due or ends by time, as far as the clock is believed. */
export function cronAt(state: AgentState): number | null {
  const { cron, clock } = state
  const schedules = schedulesOf(state)
  if (schedules.length === 0) return null
  const due = cron.next === null || clock.offsetMs === null || !Number.isFinite(cron.next.atMs) ? null : cron.next.atMs - clock.offsetMs
  const runs = runsAt(cron, schedules)
  return due === null ? runs : runs === null ? due : Math.min(due, runs)
}

function begun(state: AgentState, now: Now): Turn {
  const { cron, clock, overrides } = state
  const schedules = schedulesOf(state)
  const why = schedules.length === 0 ? null : isSafeMode(overrides) ? cause('schedule.held.override') : clockCause(clock, now)
  if (why !== null) return quiet({ ...state, cron: heldBy(cron, schedules, why) })
  if (schedules.length === 0 || !isDue(cron, schedules, clock.jump, now)) return quiet(state)
  const { cron: next, began } = beginDue(schedules, cron, now, clock.jump)
  const logs = began.map((run): Effect => {
    const name = schedules.find(({ uid }) => uid === run.schedule)
    return {
      kind: 'log',
      level: 'info',
      msg: 'a scheduled run begins',
      fields: { cronJob: `${name?.namespace}/${name?.name}`, due: rfc3339(run.dueMs) },
    }
  })
  return turn({ ...state, cron: next }, ...logs)
}

function isDue({ next, runs }: CronState, schedules: readonly DesiredSchedule[], jump: unknown, now: Now): boolean {
  return next === null || next.atMs <= now.wallMs || next.of.schedules !== schedules || next.of.runs !== runs || next.of.jump !== jump
}

/** Nothing is worked out while the clock is in doubt; with the first believed moment everything is looked at anew. */
function heldBy(cron: CronState, schedules: readonly DesiredSchedule[], why: ReturnType<typeof cause>): CronState {
  const first = schedules[0] === undefined ? undefined : cron.held[schedules[0].uid]
  if (cron.next === null && first?.code === why.code) return cron
  return { ...cron, next: null, held: Object.fromEntries(schedules.map(({ uid }) => [uid, why])) }
}

/** What changed is written down soon, told, and the pods of durable runs are wanted. */
function applied(before: CronState, state: AgentState, now: Now): Turn {
  const { cron, desired, timing } = state
  if (cron === before || desired === null) return quiet(state)
  const wrote = cron.runs !== before.runs || cron.marks !== before.marks
  const next: AgentState = {
    ...state,
    report: { ...state.report, dirty: true },
    // a run waits for the disk, and not for the pause between two saves of mere counters
    timing: wrote ? { ...timing, ledgerDirty: true, ...(hasNew(cron) ? { ledgerSavedAtMonoMs: null } : {}) } : timing,
  }
  const wanted = withRuns(desired, cron)
  return wanted === desired ? quiet(next) : act({ ...next, desired: wanted }, now)
}

function afterSave(cron: CronState, durable: boolean): CronState {
  if (cron.saving === null) return cron
  return { ...cron, saving: null, durable: durable ? cron.saving : cron.durable }
}
