/** What the device works towards: its document, with the revisions that updates have not reached or that it returned to. */
import type { DesiredState } from './model.ts'
import type { AgentState } from './state.ts'
import { targetOf } from './update-records.ts'

export function wantedState(state: Pick<AgentState, 'desired' | 'updates'>): DesiredState | null {
  const { desired, updates } = state
  if (desired === null || updates === undefined) return desired
  return updates.of === desired && updates.target !== null ? updates.target : targetOf(desired, updates.records)
}
