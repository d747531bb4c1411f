/** Lanes that run for what is not wanted any more are stopped: what they began is seen by the next look. */
import { keyOfObserved, ledgerKey } from './identity.ts'
import type { Lane } from './model.ts'
import { unitsOf } from './pod-units.ts'
import type { AgentState, Effect, RunningWave } from './state.ts'
import { quiet, turn } from './turn.ts'
import type { Turn } from './turn.ts'
import { fetchKeys, isFetchKey } from './update-fetch.ts'
import { wantedState } from './wanted-state.ts'

export function abortObsolete(state: AgentState): Turn {
  const target = wantedState(state)
  if (target === null) return quiet(state)
  const wanted = new Set([
    ...target.pods.flatMap((pod) => unitsOf(pod).map(({ container, hash }) => ledgerKey(pod.uid, container.name, hash))),
    ...(state.desired?.pods ?? []).flatMap(fetchKeys),
  ])
  const rescued = new Set((state.observed ?? []).filter((one) => wanted.has(keyOfObserved(one))).map((one) => one.id))
  const obsolete = (wave: RunningWave): boolean => !wave.aborted && wave.lanes.some((lane) => isObsolete(lane, wanted, rescued))
  const abort = <W extends RunningWave | null>(wave: W): W => (wave !== null && obsolete(wave) ? { ...wave, aborted: true } : wave)
  const stopped = [...state.imageWaves, ...(state.wave === null ? [] : [state.wave])].filter(obsolete)
  if (stopped.length === 0) return quiet(state)
  const next = { ...state, wave: abort(state.wave), imageWaves: state.imageWaves.map(abort) }
  return turn(next, ...stopped.map(({ id }): Effect => ({ kind: 'abort-wave', wave: id })))
}

/** Makes or fetches what is no longer wanted, or takes away what is wanted now. */
function isObsolete(lane: Lane, wanted: ReadonlySet<string>, rescued: ReadonlySet<string>): boolean {
  const makes = lane.steps.some((step) => step.kind === 'create' || step.kind === 'start') || isFetchKey(lane.key)
  if (makes && !wanted.has(lane.key)) return true
  return !makes && lane.steps.some((step) => step.kind === 'remove' && rescued.has(step.target))
}
