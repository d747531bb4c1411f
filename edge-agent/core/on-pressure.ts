/** A sample of the host meets the reducer: conditions are noted, and one pod may have to go. */
import { causeSentence } from '../../protocol/causes.ts'
import { LIMITS } from '../../protocol/limits.ts'
import { chooseVictim, noteSample } from './eviction.ts'
import { SIGNALS } from './pressure-model.ts'
import type { Pressure, PressureSample, Signal } from './pressure-model.ts'
import type { DesiredState, Now } from './model.ts'
import type { AgentState } from './state.ts'
import { act, withLedger } from './on-observed.ts'
import { hasMoreRoom, waitsForRoom, wakeForRoom } from './room.ts'
import { andThen, quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'

export function onPressure(state: AgentState, sample: PressureSample, now: Now): Turn {
  const { desired, observed, pressure } = state
  // nobody had to go: nothing can flutter
  const holdMs = Object.keys(pressure.evicted).length === 0 ? LIMITS.evictionCalmMs.value : LIMITS.evictionHoldMs.value
  const short = noteSample(pressure.short, sample, now.monoMs, holdMs)
  const changed = SIGNALS.some((signal) => (short[signal] === undefined) !== (pressure.short[signal] === undefined))
  const roomy = withRoom(state, sample)
  const woken = roomy.ledger !== state.ledger
  const noted: AgentState = {
    ...roomy,
    pressure: { ...roomy.pressure, short },
    ...(changed ? { report: { ...state.report, dirty: true } } : {}),
  }
  const told = changed
    ? turn(noted, { kind: 'log', level: 'warn', msg: 'pressure on the device', fields: { short: Object.keys(short).join(' ') || 'none' } })
    : quiet(noted)
  // without a look at the engine, or with the last victim still there, nobody is chosen
  const settled = observed !== null && state.engine.reachable && !observed.some(({ podUid }) => pressure.evicted[podUid] !== undefined)
  const kept = desired === null || !settled ? [] : desired.pods.filter(({ uid }) => pressure.evicted[uid] === undefined)
  const victim = state.knowledge === 'known' ? chooseVictim(short, kept, observed ?? [], sample) : null
  if (victim === null) return changed || woken ? andThen(told, (next) => act(next, now)) : told
  const { pod, signal, cause: why } = victim
  const fields = { pod: `${pod.namespace}/${pod.name}`, why: causeSentence(why) }
  return andThen(told, (next) =>
    andThen(
      turn(withEvicted(withGiven(next, signal), { ...next.pressure.evicted, [pod.uid]: why }), {
        kind: 'log',
        level: 'warn',
        msg: 'a pod is evicted',
        fields,
      }),
      (gone) => act(gone, now),
    ),
  )
}

function withGiven(state: AgentState, signal: Signal): AgentState {
  const { short } = state.pressure
  const before = short[signal]
  return before === undefined ? state : { ...state, pressure: { ...state.pressure, short: { ...short, [signal]: { ...before, gave: true } } } }
}

/** Evictions of pods that nobody asks for any more are forgotten. */
export function keepEvicted(pressure: Pressure, desired: DesiredState | null): Pressure {
  const uids = Object.keys(pressure.evicted)
  if (uids.length === 0 || desired === null) return pressure
  const wanted = new Set(desired.pods.map(({ uid }) => uid))
  if (uids.every((uid) => wanted.has(uid))) return pressure
  return { ...pressure, evicted: Object.fromEntries(Object.entries(pressure.evicted).filter(([uid]) => wanted.has(uid))) }
}

/** Pulls that found no room are tried again as soon as there is more of it than there was. */
function withRoom(state: AgentState, { levels }: PressureSample): AgentState {
  const { leastRoom, ...pressure } = state.pressure
  if (levels.disk === undefined || !waitsForRoom(state)) return leastRoom === undefined ? state : { ...state, pressure }
  const { available } = levels.disk
  if (leastRoom === undefined || !hasMoreRoom(leastRoom, available))
    return { ...state, pressure: { ...pressure, leastRoom: Math.min(leastRoom ?? available, available) } }
  return { ...withLedger(state, wakeForRoom(state.ledger)), pressure }
}

/** On disk with the next save of the ledger. */
export function withEvicted(state: AgentState, evicted: Pressure['evicted']): AgentState {
  return {
    ...state,
    pressure: { ...state.pressure, evicted },
    report: { ...state.report, dirty: true },
    timing: { ...state.timing, ledgerDirty: true },
  }
}
