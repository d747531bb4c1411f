import { expect, it } from 'vitest'
import type { WhyAnswer } from '../cloud/core/scheduler/why.ts'
import { whyPlaced } from '../cloud/core/why-placed.ts'
import { cause } from '../protocol/causes.ts'
import type { PodReport } from '../protocol/status-report.ts'

const PLACED: WhyAnswer = { placed: true, device: 'gw-1', sentence: 'x', funnel: [], rules: [], nodes: [], suggestions: [] }
const report = (more: Partial<PodReport>): PodReport => ({
  uid: 'u',
  namespace: 'a',
  name: 'b',
  specHash: 'h',
  phase: 'Running',
  ready: false,
  containers: [],
  ...more,
})
const says = (told: PodReport | null, silent = false): string =>
  whyPlaced(PLACED, told, silent ? cause('node.silent', { since: '08:23' }) : null).sentence

it('lets the device say why a placed pod does not run, and says when it cannot', () => {
  expect(says(report({ cause: cause('container.crash-loop', { code: 137, restarts: 6 }) }))).toBe(
    'The container ended with code 137, 6 restarts so far. Read its log.',
  )
  expect(says(report({ ready: true }))).toBe('It runs and is ready.')
  expect(says(report({ phase: 'Pending' }))).toBe('It is pending and not ready yet.')
  expect(says(null)).toBe('gw-1 has not reported it yet.')
  expect(says(report({ ready: true }), true)).toMatch(/^Nothing is known of it now: .*heard again\.$/)
})

it('leaves the answer for other pods as it is', () => {
  const waiting: WhyAnswer = { ...PLACED, placed: false, device: null }
  expect(whyPlaced(waiting, null, null)).toBe(waiting)
})
