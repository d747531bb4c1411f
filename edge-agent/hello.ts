/** What an agent says first on each connection: who it is and what it holds. */
import type { Hello } from '../protocol/presence.ts'
import type { AgentState } from './core/state.ts'

export function hello({ device, agentVersion, floor, desired, inventory }: AgentState, sid: string, trustedKeys: readonly string[]): Hello {
  const bootId = inventory?.os?.bootId
  return {
    device,
    sid,
    agentVersion,
    trustedKeys,
    ...(bootId === undefined ? {} : { bootId }),
    formats: [1],
    epoch: floor?.epoch ?? 0,
    generation: floor?.generation ?? 0,
    digest: desired?.digest ?? '',
  }
}
