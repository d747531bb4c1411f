import { describe, expect, test } from 'vitest'
import { openZone } from '../protocol/calendar.ts'
import type { Zone } from '../protocol/calendar.ts'
import { parseWindows, windowAt } from '../protocol/update-window.ts'
import { podPolicy, policyIssues } from '../cloud/resources/update-annotations.ts'

const zoneOf = (name: string): Zone => {
  const zone = openZone(name)
  if (zone === null) throw new Error(name)
  return zone
}
const at = (window: string, zone: string, time: string): string => {
  const parsed = parseWindows(window)
  if (!parsed.ok) throw new Error(parsed.why)
  const { open, untilMs } = windowAt(parsed.windows, zoneOf(zone), Date.parse(time))
  return `${open ? 'open' : 'closed'} until ${untilMs === null ? 'for long' : new Date(untilMs).toISOString().slice(0, 16)}`
}

describe('a maintenance window', () => {
  test.each([
    // 2026-03-06 is a Friday
    ['22:00-04:00', 'UTC', '2026-03-06T21:59:59Z', 'closed until 2026-03-06T22:00'],
    ['22:00-04:00', 'UTC', '2026-03-06T22:00:00Z', 'open until 2026-03-07T04:00'],
    ['22:00-04:00', 'UTC', '2026-03-07T03:59:59Z', 'open until 2026-03-07T04:00'],
    ['22:00-04:00', 'UTC', '2026-03-07T04:00:00Z', 'closed until 2026-03-07T22:00'],
    ['Mon-Fri 22:00-04:00', 'UTC', '2026-03-07T02:00:00Z', 'open until 2026-03-07T04:00'],
    ['Mon-Fri 22:00-04:00', 'UTC', '2026-03-07T23:00:00Z', 'closed until 2026-03-09T22:00'],
    ['Fri-Mon 10:00-11:00', 'UTC', '2026-03-08T10:30:00Z', 'open until 2026-03-08T11:00'],
    ['sat, sun 00:00-24:00', 'UTC', '2026-03-07T12:00:00Z', 'open until 2026-03-09T00:00'],
    ['10:00-11:00; 11:00-12:00', 'UTC', '2026-03-07T10:30:00Z', 'open until 2026-03-07T12:00'],
    ['00:00-24:00', 'UTC', '2026-03-07T12:00:00Z', 'open until for long'],
    ['22:00-04:00', 'Asia/Kathmandu', '2026-03-06T16:15:00Z', 'open until 2026-03-06T22:15'],
    // Berlin, 2026-03-29: 02:00 becomes 03:00; 2026-10-25: 03:00 becomes 02:00
    ['02:15-02:45', 'Europe/Berlin', '2026-03-29T00:00:00Z', 'closed until 2026-03-29T01:15'],
    ['02:15-02:45', 'Europe/Berlin', '2026-03-29T01:20:00Z', 'open until 2026-03-29T01:45'],
    ['22:00-04:00', 'Europe/Berlin', '2026-03-28T22:00:00Z', 'open until 2026-03-29T02:00'],
    ['22:00-04:00', 'Europe/Berlin', '2026-10-24T22:00:00Z', 'open until 2026-10-25T03:00'],
    ['02:15-02:45', 'Europe/Berlin', '2026-10-25T00:30:00Z', 'open until 2026-10-25T01:45'],
    // Apia had no 30 December 2011: its Friday window comes a day later
    ['Fri 10:00-11:00', 'Pacific/Apia', '2011-12-30T08:00:00Z', 'closed until 2011-12-30T20:00'],
  ])('%s in %s at %s is %s', (window, zone, time, says) => {
    expect(at(window, zone, time)).toBe(says)
  })

  test.each([
    '',
    '22-04',
    '25:00-26:00',
    '22:00-22:00',
    '24:00-04:00',
    '10:60-11:00',
    'Mon-Foo 10:00-11:00',
    'Mon-Tue-Wed 10:00-11:00',
    '22:00-04:00;',
  ])('%j is refused with a reason', (text) => {
    const parsed = parseWindows(text)
    expect(parsed.ok ? '' : parsed.why).toMatch(/use|write/)
  })
})

test('annotations become a policy, and each wrong one is named', () => {
  const lock = { owner: 'line 2', reason: 'batch', expires: '2026-03-01T06:00:00Z' }
  const good = {
    'skerry.dev/update-window': 'Mon-Fri 22:00-04:00',
    'skerry.dev/time-zone': 'Europe/Berlin',
    'skerry.dev/ready-deadline': '120',
    'skerry.dev/rollback': 'false',
    'skerry.dev/update-lock': JSON.stringify(lock),
    'skerry.dev/disconnect-stop-after': '3600',
    'skerry.dev/disconnect-return': 'best',
  }
  expect(policyIssues(good, 'metadata')).toEqual([])
  expect(podPolicy(good)).toEqual({
    window: 'Mon-Fri 22:00-04:00',
    timeZone: 'Europe/Berlin',
    readySeconds: 120,
    rollback: false,
    lock,
    stopAfterSeconds: 3600,
  })
  expect(podPolicy({ 'example.com/x': '1' })).toBeNull()
  const bad = {
    'skerry.dev/update-window': 'nights',
    'skerry.dev/time-zone': 'Mars/Olympus',
    'skerry.dev/ready-deadline': '0',
    'skerry.dev/rollback': 'no',
    'skerry.dev/update-lock': '{"owner":"a","expires":"tomorrow"}',
    'skerry.dev/disconnect-stop-after': '1h',
    'skerry.dev/disconnect-return': 'both',
  }
  const issues = policyIssues(bad, 'spec.template.metadata')
  expect(issues.map(({ path }) => path)).toEqual(Object.keys(bad).map((key) => `spec.template.metadata.annotations["${key}"]`))
  for (const { message } of issues) expect(message).toMatch(/use|write|from 1 to/)
  expect(podPolicy(bad)).toBeNull()
})
