import { expect, it } from 'vitest'
import { agentConditions } from '../cloud/core/node-agent.ts'
import { overrideConditions } from '../cloud/core/node-overrides.ts'
import { cause } from '../protocol/causes.ts'
import type { StatusReport } from '../protocol/status-report.ts'

const REPORT: StatusReport = {
  device: 'gw-1',
  sid: 's',
  seq: 1,
  at: '2026-01-01T00:00:00Z',
  agentVersion: '0',
  converged: true,
  pods: [],
  engine: { reachable: true },
  causes: [],
}
const HOLD = {
  id: 'o',
  kind: 'hold',
  owner: 'anna',
  reason: 'belt',
  since: '',
  remainingMs: 9,
  pod: { uid: 'u', namespace: 'line-2', name: 'web' },
} as const

it('tells the cloud who decided what on site, and when it is over', () => {
  expect(overrideConditions({ ...REPORT, overrides: [HOLD] }, false)).toMatchObject([{ status: 'True', message: 'hold of line-2/web by anna: belt' }])
  expect(overrideConditions(REPORT, true)).toMatchObject([{ type: 'LocalOverride', status: 'False' }])
  expect(overrideConditions(REPORT, false)).toEqual([])
  expect(overrideConditions(null, true)).toEqual([])
})

it('tells why the agent that is asked for does not run, and when that is over', () => {
  const given = { ...REPORT, causes: [cause('agent.returned', { version: '2.0', why: 'it did not prove itself in 3 starts' })] }
  expect(agentConditions(given, () => false)).toMatchObject([
    { type: 'AgentUpdateFailed', status: 'True', reason: 'AgentReturned', message: expect.stringContaining('2.0 was given up') },
  ])
  expect(agentConditions({ ...REPORT, causes: [cause('agent.update.failed', { version: '2.0', why: 'x' })] }, () => false)).toMatchObject([
    { reason: 'AgentNotInstalled' },
  ])
  expect(agentConditions(REPORT, () => true)).toMatchObject([{ status: 'False' }])
  expect(agentConditions(REPORT, () => false)).toEqual([])
  expect(agentConditions(null, () => true)).toEqual([])
})
