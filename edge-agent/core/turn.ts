/** One turn of the reducer: the next state and what the shell is to do. Turns are chained, never mutated. */
import type { AgentState, Effect } from './state.ts'

export interface Turn {
  readonly state: AgentState
  readonly effects: readonly Effect[]
}

/** A turn without effects. */
export function quiet(state: AgentState): Turn {
  return { state, effects: [] }
}

export function turn(state: AgentState, ...effects: readonly Effect[]): Turn {
  return { state, effects }
}

/** Runs `next` on the turn's state; effects keep their order. */
export function andThen(first: Turn, next: (state: AgentState) => Turn): Turn {
  const second = next(first.state)
  if (first.effects.length === 0) return second
  return second.effects.length === 0
    ? { state: second.state, effects: first.effects }
    : { state: second.state, effects: [...first.effects, ...second.effects] }
}
