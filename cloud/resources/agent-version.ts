/** `skerry.dev/agent-version` on a Node: the release of the agent that its device should run; without it, whichever does. */
import type { Node } from './node.ts'

export const AGENT_VERSION_ANNOTATION = 'skerry.dev/agent-version'

export function agentVersionOf(node: Pick<Node, 'metadata'> | undefined): string | null {
  const version = node?.metadata.annotations?.[AGENT_VERSION_ANNOTATION]
  return version !== undefined && isAgentVersion(version) ? version : null
}

/** What may stand in a file name. */
export function isAgentVersion(text: string): boolean {
  return /^[0-9A-Za-z][0-9A-Za-z.+-]{0,63}$/.test(text)
}
