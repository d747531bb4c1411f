/** What the keeper of Services says is not as wanted. */
import type { Cause } from '../../protocol/causes.ts'
import type { AgentState } from './state.ts'
import { quiet } from './turn.ts'
import type { Turn } from './turn.ts'

export function onServices(state: AgentState, causes: readonly Cause[]): Turn {
  return quiet({ ...state, serviceFaults: causes, report: { ...state.report, dirty: true } })
}
