import { mkdtemp, rm } from 'node:fs/promises'
import { statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { leaveWords } from '../edge-agent/last-words.ts'
import { pagePin } from '../edge-agent/page-pin.ts'
import { rescuePage, startRescue } from '../edge-agent/rescue.ts'

let stateDir = ''
beforeEach(async () => {
  stateDir = await mkdtemp(path.join(tmpdir(), 'skerry-rescue-'))
})
afterEach(() => rm(stateDir, { recursive: true, force: true }))

const nowMs = (): number => Date.parse('2026-05-01T12:00:00Z')
const SAID = { device: 'gw-1', version: '0.1.0' } as const

it('says why the agent is down, with its last picture, and never that all is well', () => {
  expect(rescuePage({ stateDir, nowMs })).toContain('left no word')
  leaveWords(stateDir, { ...SAID, state: 'runs', why: '' }, [], '', nowMs())
  expect(rescuePage({ stateDir, nowMs })).toContain('ended without a word')
  leaveWords(stateDir, { ...SAID, state: 'failed', why: 'stuck: <observe>' }, ['line & one'], 'web running', nowMs())
  const page = rescuePage({ stateDir, nowMs })
  for (const text of [
    'failed at 2026-05-01',
    'stuck: &lt;observe&gt;',
    'line &amp; one',
    'web running',
    'systemctl reset-failed skerry-agent; systemctl restart',
  ])
    expect(page).toContain(text)
  expect(page).not.toMatch(/healthy|<observe>/)
})

it('serves that page only to those who ask for this device, and changes nothing', async () => {
  const rescue = await startRescue({ stateDir, host: '127.0.0.1', port: 0, fd: null, nowMs })
  try {
    const url = `http://127.0.0.1:${rescue.port}`
    expect((await fetch(url)).status).toBe(200)
    expect((await fetch(`${url}/livez`)).status).toBe(503)
    expect((await fetch(url, { method: 'POST', body: '{}' })).status).toBe(405)
  } finally {
    rescue.close()
  }
})

it('makes a PIN once, for the owner only', () => {
  const pin = pagePin(stateDir, undefined)
  expect(pin).toMatch(/^\d{8}$/)
  expect(pagePin(stateDir, undefined)).toBe(pin)
  expect(statSync(path.join(stateDir, 'page-pin')).mode & 0o777).toBe(0o600)
  expect(pagePin(stateDir, '1234')).toBe('1234')
})
