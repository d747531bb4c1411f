/** What tests and benches start is what the unit starts. */
import { readFileSync } from 'node:fs'
import { expect, it } from 'vitest'
import { AGENT_ENVIRONMENT, AGENT_NODE_FLAGS } from '../scripts/build-agent.ts'

const UNIT = readFileSync('edge-agent/systemd/skerry-agent.service', 'utf8')
const valueOf = (key: string): string => new RegExp(`^${key}=(.*)$`, 'm').exec(UNIT)?.[1] ?? ''

it('the unit starts Node with the flags that the testbed starts it with', () => {
  expect(valueOf('ExecStart')).toBe(`/usr/lib/skerry-agent/node ${AGENT_NODE_FLAGS.join(' ')} /usr/lib/skerry-agent/skerry-launch.cjs run`)
})

it('and with the same words to the C library, and the promise to start it again', () => {
  expect(
    Object.fromEntries(
      valueOf('Environment')
        .split(' ')
        .map((pair) => pair.split('=')),
    ),
  ).toEqual({ ...AGENT_ENVIRONMENT, SKERRY_SUPERVISED: '1' })
})
