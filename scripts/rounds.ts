/**
 * Reconciles many times in one process that was started as the agent's unit starts it, and prints what the process holds:
 * `tsx scripts/rounds.ts --rounds 100000`. With `--bare` Node is left as it comes, to see what flags and environment are good for.
 */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from './build-agent.ts'
import { pinnedNode } from './testbed/pinned-node.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '100000' }, bare: { type: 'boolean', default: false } } })
const child = fileURLToPath(new URL('rounds-child.ts', import.meta.url))
const { status } = spawnSync(pinnedNode(), [...(values.bare ? [] : AGENT_NODE_FLAGS), child, values.rounds], {
  env: { ...process.env, ...(values.bare ? {} : AGENT_ENVIRONMENT) },
  stdio: 'inherit',
})
process.exit(status ?? 1)
