/** The device page as an attacker, a clumsy client and its owner see it: over real HTTP, without a browser. */
import { request } from 'node:http'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { AgentEvent, AgentState } from '../edge-agent/core/state.ts'
import type { AuditEntry } from '../edge-agent/local-page/audit.ts'
import { PinGate } from '../edge-agent/local-page/pin-gate.ts'
import { startLocalPage } from '../edge-agent/local-page/server.ts'
import type { LocalPage } from '../edge-agent/local-page/server.ts'
import { LIMITS } from '../protocol/limits.ts'
import { NOW, gateway } from './fixtures/field-state.ts'

const PIN = '48151623'
const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined }
const HOLD = { kind: 'hold', pod: 'uid-modbus-bridge', owner: 'anna', reason: 'belt change', minutes: 60 }
const state: AgentState = gateway()

let page: LocalPage
let events: AgentEvent[] = []
let done: AuditEntry[] = []
let looked = 0

async function open(summaryIsOpen = true): Promise<void> {
  page = await startLocalPage({
    host: '127.0.0.1',
    port: 0,
    page: () => Promise.resolve('<!doctype html>'),
    state: () => state,
    now: () => NOW,
    log: QUIET,
    logs: () => Promise.resolve('a log'),
    agentLog: () => [],
    actions: {
      pin: PIN,
      summaryIsOpen,
      dispatch: (event) => void events.push(event),
      checkPath: () => {
        looked += 1
        return Promise.resolve([{ name: 'cable', result: 'ok', says: 'eth0 has a link.' }])
      },
      bundle: () => Promise.resolve(new Uint8Array([1, 2, 3])),
      onAction: (entry) => void done.push(entry),
    },
  })
}

beforeEach(async () => {
  events = []
  done = []
  looked = 0
  await open()
})
afterEach(() => page.close())

interface Answer {
  readonly status: number
  readonly body: string
}

function ask(method: string, path: string, headers: Readonly<Record<string, string>> = {}, body: string = ''): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: page.address.port, method, path, headers, agent: false }, (response) => {
      let text = ''
      response.on('data', (part: Buffer) => {
        text += part.toString()
      })
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: text }))
    })
    asked.on('error', reject)
    asked.end(body)
  })
}

const JSON_TYPE = { 'content-type': 'application/json' }

async function token(): Promise<string> {
  const { body } = await ask('POST', '/api/v1/sign-in', JSON_TYPE, JSON.stringify({ pin: PIN }))
  return (JSON.parse(body) as { token: string }).token
}

describe('requests that must change nothing', () => {
  const paths = ['/api/v1/override', '/api/v1/override/end', '/api/v1/path-check', '/api/v1/bundle', '/', '/api/v1/state', '/__proto__']
  const hosts = ['127.0.0.1', 'localhost', 'evil.example', 'evil.example:8090', '0', '127.0.0.1.evil.example', '[::1]', 'user@127.0.0.1']
  const origins = [null, 'null', 'http://evil.example', 'http://127.0.0.1:1', 'https://127.0.0.1', 'http://127.0.0.1']
  const sites = [null, 'cross-site', 'same-site', 'none', 'same-origin']
  const types = [null, 'text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/json']
  const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS']

  it('the matrix of host, origin, site, type and method, with and without a session', async () => {
    const good = await token()
    const cases: { readonly method: string; readonly headers: Readonly<Record<string, string>>; readonly allowed: boolean }[] = []
    for (const host of hosts)
      for (const origin of origins)
        for (const site of sites)
          for (const type of types)
            for (const session of [null, good, 'x'.repeat(43), '']) {
              const own =
                (host === '127.0.0.1' || host === 'localhost' || host === '[::1]') &&
                (origin === null || origin === `http://${host}` || origin === `https://${host}`)
              const allowed = own && (site === null || site === 'same-origin') && type === 'application/json' && session === good
              const headers = Object.fromEntries(
                Object.entries({ host, origin, 'sec-fetch-site': site, 'content-type': type, 'x-skerry-session': session }).flatMap(([key, value]) =>
                  value === null ? [] : [[key, value]],
                ),
              )
              cases.push({ method: 'POST', headers, allowed })
            }
    for (const method of methods.filter((one) => one !== 'POST'))
      cases.push({ method, headers: { ...JSON_TYPE, host: '127.0.0.1', 'x-skerry-session': good }, allowed: false })
    let refused = 0
    let taken = 0
    for (const [index, { method, headers, allowed }] of cases.entries()) {
      const path = allowed ? '/api/v1/override' : (paths[index % paths.length] ?? '/')
      const answer = await ask(method, path, headers, JSON.stringify(HOLD))
      if (allowed) {
        expect(answer.status, JSON.stringify(headers)).toBe(200)
        taken += 1
        expect(events).toHaveLength(taken)
      } else {
        refused += 1
        if (path.startsWith('/api/v1/') && path !== '/api/v1/state')
          expect(answer.status, `${method} ${path} ${JSON.stringify(headers)}`).toBeGreaterThan(400)
        expect(events, `${method} ${path} ${JSON.stringify(headers)}`).toHaveLength(taken)
      }
    }
    expect(looked).toBe(0)
    expect(refused).toBeGreaterThan(4_000)
    expect(taken).toBeGreaterThan(0)
  })

  it('a session in a cookie, in the address or in the body counts for nothing', async () => {
    const good = await token()
    const body = JSON.stringify({ ...HOLD, token: good })
    expect((await ask('POST', `/api/v1/override?x-skerry-session=${good}`, { ...JSON_TYPE, cookie: `x-skerry-session=${good}` }, body)).status).toBe(
      401,
    )
    expect(events).toEqual([])
  })

  it('bodies that are too long, not JSON, not an object, or have unknown fields', async () => {
    const headers = { ...JSON_TYPE, 'x-skerry-session': await token() }
    for (const body of [
      '',
      '{',
      '[]',
      'null',
      '7',
      `{"a":"${'x'.repeat(5_000)}"}`,
      '{"__proto__":{"kind":"hold"}}',
      JSON.stringify({ ...HOLD, more: 1 }),
      JSON.stringify({ ...HOLD, kind: 'explode' }),
    ]) {
      expect((await ask('POST', '/api/v1/override', headers, body)).status, body.slice(0, 40)).toBe(400)
    }
    expect(events).toEqual([])
  })
})

describe('the owner', () => {
  it('acts with a session, and everything is noted', async () => {
    const headers = { ...JSON_TYPE, 'x-skerry-session': await token() }
    expect((await ask('POST', '/api/v1/override', headers, JSON.stringify(HOLD))).status).toBe(200)
    expect(events).toMatchObject([{ kind: 'override', request: { kind: 'hold', podUid: 'uid-modbus-bridge', forMs: 3_600_000, owner: 'anna' } }])
    const previous = await ask('POST', '/api/v1/override', headers, JSON.stringify({ ...HOLD, kind: 'run-previous' }))
    expect([previous.status, previous.body]).toEqual([409, expect.stringContaining('No previous release of line-2/modbus-bridge')])
    expect((await ask('POST', '/api/v1/bundle', headers, '{"owner":"anna"}')).body).toHaveLength(3)
    expect(JSON.parse((await ask('POST', '/api/v1/path-check', headers, '{}')).body)).toMatchObject({ steps: [{ name: 'cable' }] })
    expect(done.map((one) => [one.action, one.ok])).toEqual([
      ['hold', true],
      ['run-previous', false],
      ['bundle', true],
    ])
    const shown = JSON.parse((await ask('GET', '/api/v1/state')).body) as { done: readonly { action: string }[] }
    expect(shown.done.map((one) => one.action)).toEqual(['bundle', 'run-previous', 'hold'])
  })

  it('reads logs only with the PIN, and how it stands only where that is open', async () => {
    expect((await ask('GET', '/api/v1/state')).status).toBe(200)
    const log = '/api/v1/logs?container=skerry-line-2-modbus-bridge-main'
    expect((await ask('GET', log)).status).toBe(401)
    expect((await ask('GET', log, { 'x-skerry-session': await token() })).body).toBe('a log')
    await page.close()
    await open(false)
    for (const path of ['/api/v1/state', '/text', '/api/v1/events']) expect((await ask('GET', path)).status, path).toBe(401)
    expect((await ask('GET', '/api/v1/state', { 'x-skerry-session': await token() })).status).toBe(200)
    expect((await ask('GET', '/')).status).toBe(200)
    expect((await ask('GET', '/livez')).status).toBe(200)
  })

  it('waits after five wrong PINs, longer each time, the right one too', async () => {
    const wrong = JSON.stringify({ pin: '00000000' })
    for (let index = 0; index < LIMITS.pagePinTries.value; index += 1)
      expect((await ask('POST', '/api/v1/sign-in', JSON_TYPE, wrong)).status).toBe(403)
    const locked = await ask('POST', '/api/v1/sign-in', JSON_TYPE, JSON.stringify({ pin: PIN }))
    expect([locked.status, locked.body]).toEqual([429, expect.stringContaining('30 s')])
    expect(done.filter((one) => one.action === 'sign in')).toHaveLength(5)
  })
})

describe('the PIN gate', () => {
  it('doubles the wait up to an hour, forgets it after the right PIN, and ends idle sessions', async () => {
    let nowMs = 0
    const gate = new PinGate(PIN, () => nowMs)
    const waits: number[] = []
    for (let index = 0; index < 16; index += 1) {
      const answer = await gate.signIn('0')
      if (answer.ok) throw new Error('it took a wrong PIN')
      waits.push(answer.waitMs)
      nowMs += answer.waitMs
    }
    expect(waits.slice(0, 7)).toEqual([0, 0, 0, 0, 30_000, 60_000, 120_000])
    expect(waits.at(-1)).toBe(LIMITS.pageLockMaxMs.value)
    const opened = await gate.signIn(PIN)
    if (!opened.ok) throw new Error('it refused the PIN')
    expect(gate.knows(opened.token)).toBe(true)
    nowMs += LIMITS.pageSessionMs.value - 1
    expect(gate.knows(opened.token)).toBe(true)
    nowMs += LIMITS.pageSessionMs.value
    expect(gate.knows(opened.token)).toBe(false)
    expect((await gate.signIn('1')).ok).toBe(false)
    expect(gate.waitMs()).toBe(0)
  })

  it('takes one try at a time, so that many at once are no faster', async () => {
    const gate = new PinGate(PIN, () => 0)
    const answers = await Promise.all(Array.from({ length: 20 }, () => gate.signIn(PIN)))
    expect(answers.filter((one) => one.ok)).toHaveLength(1)
  })
})
