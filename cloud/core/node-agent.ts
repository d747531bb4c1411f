/** The agent that is asked for does not run, and why, as a condition of the Node; said only of devices where it ever happened. */
import { causeSentence } from '../../protocol/causes.ts'
import type { StatusReport } from '../../protocol/status-report.ts'
import type { Condition } from '../resources/object.ts'

const TYPE = 'AgentUpdateFailed'

/** @param known the Node has told of one before */
export function agentConditions(report: StatusReport | null, known: (type: string) => boolean): readonly Condition[] {
  const why = report?.causes.find(({ code }) => code.startsWith('agent.'))
  if (report === null || (why === undefined && !known(TYPE))) return []
  if (why === undefined)
    return [{ type: TYPE, status: 'False', reason: 'AgentAsWanted', message: 'Nothing is wrong with the agent that is asked for.' }]
  const reason = why.code === 'agent.returned' ? 'AgentReturned' : 'AgentNotInstalled'
  return [{ type: TYPE, status: 'True', reason, message: causeSentence(why) }]
}
