/**
 * 100,000 rounds in one process that was started as the agent's unit starts it: what it takes of the machine stays where it is. A process
 * with Node as it comes grows to twice as much on the same heap (`tsx scripts/rounds.ts --bare`).
 */
import { execFile } from 'node:child_process'
import path from 'node:path'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from '../../scripts/build-agent.ts'
import { pinnedNode } from '../../scripts/testbed/pinned-node.ts'

const ROUNDS = 100_000

it(`${ROUNDS} reconcile rounds leave the memory of the process where it was`, async () => {
  const child = path.join(import.meta.dirname, '../../scripts/rounds-child.ts')
  const { stdout } = await promisify(execFile)(pinnedNode(), [...AGENT_NODE_FLAGS, child, String(ROUNDS)], {
    env: { ...process.env, NODE_OPTIONS: '', ...AGENT_ENVIRONMENT },
  })
  console.warn(`flat memory:\n${stdout}`)
  const held = [...stdout.matchAll(/heap ([\d.]+) MiB, RSS ([\d.]+) MiB, (\d+) containers run, (\d+) looks/g)].map((line) =>
    line.slice(1).map(Number),
  )
  expect(held).toHaveLength(11)
  const [, , running = 0, looks = 0] = held.at(-1) ?? []
  expect(looks).toBeGreaterThanOrEqual(ROUNDS)
  expect(running).toBeGreaterThan(4)
  // after the first tenth everything has happened many times
  const rss = held.slice(1).map(([, one = 0]) => one)
  expect(Math.max(...rss), 'MiB, at the most').toBeLessThan((rss[0] ?? 0) + 8)
  const heap = held.slice(1).map(([one = 0]) => one)
  expect(Math.max(...heap)).toBeLessThan((heap[0] ?? 0) + 2)
  // all of it is work for the processor
}, 900_000)
