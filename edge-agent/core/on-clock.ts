/** How the agent learns what its clock is worth: steps are noticed at every event, proofs are taken from host and cloud. */
import { LIMITS } from '../../protocol/limits.ts'
import type { ClockFacts, ClockTrust, ProofBy } from './clock-trust.ts'
import { clockCause, spanText, trustedWallMs } from './clock-trust.ts'
import type { Now } from './model.ts'
import type { AgentState, Effect } from './state.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'
import { rfc3339 } from './wall-time.ts'

/** Wall clocks tick in whole milliseconds: smaller differences are not worth a new state. */
const NOISE_MS = 20
/** a time service touches its trace right after the step; the step itself was somewhere since the last look */
const TRACE_LAG_MS = 1_000

/** Compares wall and monotonic clock with the last look. A step is told once, a series of steps once as such. */
export function noticeClock(state: AgentState, now: Now): Turn {
  const { clock } = state
  const offsetMs = now.wallMs - now.monoMs
  if (clock.offsetMs === null) return quiet({ ...state, clock: { ...clock, offsetMs, seenAtMonoMs: now.monoMs } })
  const byMs = offsetMs - clock.offsetMs
  if (Math.abs(byMs) < NOISE_MS) return quiet(withDueSave(state, now))
  if (Math.abs(byMs) < LIMITS.clockJumpMs.value) return quiet(withDueSave({ ...state, clock: bent(clock, offsetMs, now) }, now))
  const before = clock.jump
  const inRow = before !== null && now.monoMs - before.atMonoMs < LIMITS.clockUnsteadyMs.value
  const times = inRow ? before.times + 1 : 1
  // the new time at the last look: whatever confirms the new time was written after it
  const jump = { byMs, atMonoMs: now.monoMs, sinceWallMs: clock.seenAtMonoMs + offsetMs, times }
  const next: AgentState = {
    ...state,
    clock: { ...clock, offsetMs, seenAtMonoMs: now.monoMs, jump, offByMs: null },
    report: { ...state.report, dirty: true },
  }
  if (times > LIMITS.clockUnsteadyJumps.value) return quiet(next)
  const found = times === LIMITS.clockUnsteadyJumps.value ? 'the wall clock keeps jumping' : 'the wall clock jumped'
  return turn(next, logged('warn', found, { by: spanText(byMs), clock: rfc3339(now.wallMs) }))
}

/** The host was looked at. */
export function onClockFacts(state: AgentState, facts: ClockFacts, now: Now): Turn {
  const { clock } = state
  const seen = { ...state, clock: { ...clock, traces: facts.traces, seenAtMonoMs: now.monoMs } }
  if (Object.keys(facts.traces).some((file) => isFresh(clock, file, facts, now))) return proven(seen, 'time-server', now)
  const near = facts.hardwareMs !== null && Math.abs(facts.hardwareMs - now.wallMs) <= LIMITS.clockToleranceMs.value
  // a battery may be as wrong as the clock that it set: it counts only from the floor on
  if (near && now.wallMs >= clock.floorMs) return proven(seen, 'hardware-clock', now)
  return quiet(seen)
}

/** The cloud said what time it is, in a signed message of this moment. */
export function onCloudTime(state: AgentState, atWallMs: number, now: Now): Turn {
  const { clock } = state
  const offByMs = now.wallMs - atWallMs
  if (Math.abs(offByMs) <= LIMITS.clockToleranceMs.value) return proven({ ...state, clock: { ...clock, offByMs: null } }, 'cloud', now)
  // the cloud says it again with each report: told once, and not reported again
  if (clock.offByMs !== null && clock.proof === null && Math.abs(offByMs - clock.offByMs) <= LIMITS.clockToleranceMs.value) return quiet(state)
  const log = logged('warn', 'the clock differs from that of the cloud', { by: spanText(offByMs) })
  // the cloud's clock may be the wrong one: a time server is believed before it
  if (clock.proof?.by === 'time-server' && trustedWallMs(clock, now) !== null) return turn(state, log)
  return turn({ ...state, clock: { ...clock, offByMs, proof: null }, report: { ...state.report, dirty: true } }, log)
}

/** The floor that was saved, as far as it is one: it never lowers the build time. */
export function withSavedClock(clock: ClockTrust, saved: { readonly wallMs: number } | undefined): ClockTrust {
  return saved === undefined ? clock : { ...clock, savedWallMs: saved.wallMs, floorMs: Math.max(clock.builtMs, saved.wallMs) }
}

/** What is written into the state file: the last time that could be believed. */
export function clockToSave(clock: ClockTrust, now: Now): { readonly clock?: { readonly wallMs: number } } {
  const wallMs = trustedWallMs(clock, now) ?? clock.savedWallMs
  return wallMs === null ? {} : { clock: { wallMs } }
}

function proven(state: AgentState, by: ProofBy, now: Now): Turn {
  const { clock } = state
  const offsetMs = now.wallMs - now.monoMs
  // a saved time that lies ahead of a real time source was written by a clock that was wrong
  const poisoned = by !== 'hardware-clock' && now.wallMs < clock.floorMs - LIMITS.clockToleranceMs.value && now.wallMs >= clock.builtMs
  const floor = poisoned ? { floorMs: clock.builtMs, savedWallMs: null } : {}
  const wasTrusted = clockCause(clock, now) === null
  const next: AgentState = { ...state, clock: { ...clock, ...floor, proof: { by, offsetMs }, offByMs: null } }
  if (wasTrusted || clockCause(next.clock, now) !== null) return quiet(next)
  const told = turn(
    { ...next, report: { ...state.report, dirty: true } },
    logged('info', 'the clock is confirmed', { by, clock: rfc3339(now.wallMs) }),
  )
  return andThen(told, (one) => quiet(withDueSave(one, now)))
}

/** Written in this boot, not ahead of the clock, and after the last step. */
function isFresh(clock: ClockTrust, file: string, facts: ClockFacts, now: Now): boolean {
  const at = facts.traces[file] ?? 0
  const slack = LIMITS.clockToleranceMs.value
  if (at > now.wallMs + slack || facts.uptimeMs === null || at < now.wallMs - facts.uptimeMs - slack) return false
  const { jump } = clock
  return jump === null || (at >= jump.sinceWallMs - TRACE_LAG_MS && at !== clock.traces[file]) || isProofOfNow(clock, now)
}

function isProofOfNow({ proof }: ClockTrust, now: Now): boolean {
  return proof?.by === 'time-server' && Math.abs(now.wallMs - now.monoMs - proof.offsetMs) <= LIMITS.clockJumpMs.value
}

/** time services bend a clock by less than this part of the time that passes */
const BEND = 0.1
const BEND_MS = 100

/** A time service bends the clock: the proof goes along. Small steps are not bends: many of them would lead it astray. */
function bent(clock: ClockTrust, offsetMs: number, now: Now): ClockTrust {
  const { proof } = clock
  const byMs = Math.abs(offsetMs - (clock.offsetMs ?? offsetMs))
  const isBend = byMs <= BEND_MS + BEND * (now.monoMs - clock.seenAtMonoMs)
  const along = isBend && proof !== null && Math.abs(proof.offsetMs - (clock.offsetMs ?? 0)) <= LIMITS.clockJumpMs.value
  return { ...clock, offsetMs, seenAtMonoMs: now.monoMs, proof: along ? { ...proof, offsetMs } : proof }
}

function withDueSave(state: AgentState, now: Now): AgentState {
  const { clock, timing } = state
  if (timing.ledgerDirty || (clock.savedWallMs !== null && now.wallMs - clock.savedWallMs < LIMITS.clockSaveMs.value)) return state
  return trustedWallMs(clock, now) === null ? state : { ...state, timing: { ...timing, ledgerDirty: true } }
}

function logged(level: 'info' | 'warn', msg: string, fields: Readonly<Record<string, string>>): Effect {
  return { kind: 'log', level, msg, fields }
}
