import { expect, it } from 'vitest'
import { overrideConditions } from '../cloud/core/node-overrides.ts'
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
