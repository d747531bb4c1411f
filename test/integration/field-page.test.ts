/** The field page in a real browser, fed by a hand-made agent state. */
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { NO_CRON } from '../../edge-agent/core/cron-model.ts'
import { NO_UPDATES } from '../../edge-agent/core/update-model.ts'
import type { AgentState } from '../../edge-agent/core/state.ts'
import { reduce } from '../../edge-agent/core/reducer.ts'
import { startLocalPage } from '../../edge-agent/local-page/server.ts'
import type { LocalPage } from '../../edge-agent/local-page/server.ts'
import type { FieldView } from '../../edge-agent/local-page/view-model.ts'
import { cause } from '../../protocol/causes.ts'
import { buildFieldPage } from '../../scripts/build-page.ts'
import { NOW, container, gateway, identity, pod } from '../fixtures/field-state.ts'
import { LOOKS, axeViolations, fitsWidth, look, openBrowser } from './browser.ts'
import type { Browser } from './browser.ts'

const PIN = '48151623'
const MARKUP = '<img src=x onerror="window.hacked=1"><b>bold</b>'
const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined }

let browser: Browser
let server: LocalPage
let html: string
let state: AgentState = gateway()

beforeAll(async () => {
  html = await buildFieldPage()
  server = await startLocalPage({
    host: '127.0.0.1',
    port: 0,
    page: () => Promise.resolve(html),
    state: () => state,
    now: () => NOW,
    log: QUIET,
    logs: (target, lines) => Promise.resolve(`${lines} lines of ${target}\n\u001b[31m${MARKUP}\u001b[0m\n`),
    agentLog: () => ['agent started', 'plan made'],
    traffic: () => ({ todayBytes: 4_200, budgetBytes: null, channels: {}, waiting: 3, dropped: 0, queueBytes: 900 }),
    actions: {
      pin: PIN,
      summaryIsOpen: true,
      dispatch: (event) => {
        state = reduce(state, event, NOW).state
      },
      checkPath: () =>
        Promise.resolve([
          { name: 'cable', result: 'ok', says: 'eth0 has a link.' },
          { name: 'address', result: 'failed', says: 'The device has no address.', next: 'Check the DHCP server.' },
          { name: 'router', result: 'unknown', says: 'Not reached.' },
        ]),
      bundle: () => Promise.resolve(Buffer.from('bundle')),
      onAction: () => undefined,
    },
  })
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await server.close()
})
beforeEach(() => {
  state = gateway()
})

const at = (path: string): string => `http://127.0.0.1:${server.address.port}${path}`

async function withPage(use: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.context.newPage()
  try {
    await use(page)
  } finally {
    await page.close()
  }
}

async function opened(page: Page): Promise<void> {
  await page.goto(at('/'))
  await page.getByRole('heading', { name: 'gw-004217' }).waitFor()
}

/** Gives the PIN to the dialog that asks for it. */
async function givePin(page: Page): Promise<void> {
  await page.getByLabel('PIN of this device').fill(PIN)
  await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click()
}

async function cleanInEveryLook(page: Page, what: string): Promise<void> {
  for (const one of LOOKS) {
    await look(page, one)
    expect(await axeViolations(page), `${what} ${JSON.stringify(one)}`).toEqual([])
    expect(await fitsWidth(page), `${what} ${JSON.stringify(one)}`).toBe(true)
  }
}

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: NodeJS.Dict<string | string[]>
}

function ask(path: string, options: { readonly host?: string; readonly method?: string; readonly session?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      {
        port: server.address.port,
        path,
        method: options.method ?? 'GET',
        headers: { host: options.host ?? '127.0.0.1', ...(options.session === undefined ? {} : { 'x-skerry-session': options.session }) },
      },
      (response) => {
        let body = ''
        response.on('data', (chunk: Buffer) => {
          body += chunk.toString()
        })
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body, headers: response.headers }))
      },
    )
    asked.on('error', reject).end()
  })
}

function schedule(name: string): NonNullable<NonNullable<AgentState['desired']>['schedules']>[number] {
  const { spec, specHash } = pod(name, 'registry.local/job:1')
  const limits = { concurrency: 'Forbid' as const, sinceMs: 0, keepComplete: 1, keepFailed: 1, backoffLimit: 1 }
  return { uid: `uid-${name}`, namespace: 'line-2', name, schedule: '*/5 * * * *', ...limits, pod: { spec, specHash, pids: 64 } }
}

describe('the page', () => {
  it('fits its budget in one file that asks for nothing else', async () => {
    expect(gzipSync(html, { level: 9 }).byteLength).toBeLessThanOrEqual(25_000)
    await withPage(async (page) => {
      const asked: string[] = []
      page.on('request', (one) => asked.push(new URL(one.url()).pathname))
      await opened(page)
      expect(asked.filter((path) => path !== '/api/v1/events')).toEqual(['/'])
    })
  })

  it('shows what runs, why not, and one thing to do', async () => {
    await withPage(async (page) => {
      await opened(page)
      const row = page.locator('li.row', { hasText: 'vision-qc' })
      expect(await row.innerText()).toContain('connect: no route to host')
      expect(await row.innerText()).toContain('Do this')
      expect(await page.locator('.plan-lines').innerText()).toContain('old-demo')
      expect(await page.locator('.hardware').innerText()).toContain('Advantech UNO-348')
    })
  })

  it('draws the hardware, says what each square is by tap and by key, and shows what would change', async () => {
    await withPage(async (page) => {
      await opened(page)
      const [first, second] = [page.getByRole('listbox', { name: /^node 0/ }), page.getByRole('listbox', { name: /^node 1/ })]
      expect([await first.getByRole('option').count(), await second.getByRole('option').count()]).toEqual([8, 8])
      await first.getByRole('option', { name: /^CPU 2,/ }).click()
      const said = page.locator('.said')
      expect(await said.innerText()).toMatch(/^CPU 2, node 0; [A-Z] = line-2\/modbus-bridge/)
      await second.focus()
      await page.keyboard.press('End')
      expect(await said.innerText()).toBe('CPU 15, node 1; offline')
      const vision = second.getByRole('option', { name: /line-2\/vision-qc \(would go here\)/ })
      expect(await vision.count()).toBe(0)
      await page.getByRole('button', { name: 'Diff', exact: true }).click()
      expect(await vision.count()).toBe(4)
      expect(await vision.first().textContent()).toContain('+')
      await page.getByText('Topology as a table').click()
      expect(await page.locator('.hardware table').innerText()).toMatch(/8-11\s+[A-Z] line-2\/vision-qc \(would go here\)/)
      await cleanInEveryLook(page, 'picture')
    })
  })

  it('draws two sockets of 128 threads on a phone', async () => {
    const base = gateway()
    if (base.inventory === null) throw new Error('the fixture has an inventory')
    const numaNodes = [0, 1].map((id) => ({ id, cpus: `${id * 128}-${id * 128 + 127}` }))
    const coreCpus = Array.from({ length: 128 }, (_, core) => `${2 * core}-${2 * core + 1}`)
    state = { ...base, inventory: { ...base.inventory, topology: { threads: 256, onlineCpus: '0-255', numaNodes, coreCpus } } }
    await withPage(async (page) => {
      await opened(page)
      expect(await page.getByRole('option', { name: /^CPU / }).count()).toBe(256)
      await cleanInEveryLook(page, 'large')
    })
  })

  it('follows changes by itself', async () => {
    await withPage(async (page) => {
      await opened(page)
      state = gateway({ observed: [container('modbus-bridge')], plan: { verdicts: [], waves: [], waitsFor: [], nextAtMonoMs: null }, desired: null })
      await page.getByText('Changing: 0 of 1 workloads run.').waitFor()
      expect(await page.getByText('vision-qc').count()).toBe(0)
    })
  })

  it('has no axe violation on phone and laptop, by day and by night, with and without a log open', async () => {
    await withPage(async (page) => {
      await opened(page)
      await cleanInEveryLook(page, 'page')
      await page.getByRole('button', { name: 'Log of label-printer' }).click()
      await cleanInEveryLook(page, 'sign in')
      await givePin(page)
      await page.getByText('200 lines of skerry-line-2-label-printer-main').waitFor()
      await cleanInEveryLook(page, 'log')
      await page.getByRole('button', { name: 'Close' }).click()
      for (const action of ['Restart', 'Hold', 'Previous']) {
        await page.getByRole('button', { name: `${action}: modbus-bridge` }).click()
        await cleanInEveryLook(page, action)
        await page.getByRole('button', { name: 'Cancel' }).click()
      }
      await page.getByRole('button', { name: 'Test now' }).click()
      await page.getByText('Check the DHCP server.').waitFor()
      await cleanInEveryLook(page, 'path')
    })
  })

  it('has none with schedules and with an update that waits, and holds it or begins it now', async () => {
    const waits = { pod: pod('modbus-bridge', 'registry.local/modbus-bridge:2'), reason: 'WindowClosed' as const }
    const closed = cause('policy.window.closed', { window: '02:00-04:00', zone: 'Europe/Berlin' })
    state = {
      ...state,
      desired:
        state.desired === null ? null : { ...state.desired, schedules: [schedule('backup'), { ...schedule('never'), schedule: '0 0 30 2 *' }] },
      cron: {
        ...NO_CRON,
        marks: { 'uid-backup': { lastMs: NOW.wallMs - 3_600_000, era: 0 } },
        held: { 'uid-never': cause('schedule.held.override') },
        next: { atMs: NOW.wallMs + 60_000, bySchedule: { 'uid-backup': NOW.wallMs + 60_000 }, of: { schedules: [], runs: [], jump: null } },
      },
      updates: { ...NO_UPDATES, pending: { 'uid-modbus-bridge': { ...waits, cause: closed, notBeforeMonoMs: null } } },
    }
    await withPage(async (page) => {
      await opened(page)
      await page.getByText('line-2/backup').waitFor()
      expect(await page.locator('li', { hasText: 'line-2/backup' }).innerText()).toMatch(/\*\/5 .*last (1 h|60 min) ago, next in/)
      await cleanInEveryLook(page, 'schedules')
      await page.getByRole('button', { name: 'Hold updates: modbus-bridge' }).click()
      await givePin(page)
      await cleanInEveryLook(page, 'hold updates')
      await page.getByRole('button', { name: 'Cancel' }).click()
      await page.getByRole('button', { name: 'Update now: modbus-bridge' }).click()
      await cleanInEveryLook(page, 'update now')
      await page.getByLabel('Your name').fill('anna')
      await page.getByLabel('Reason').fill('line stands still')
      await page.getByRole('dialog').getByRole('button', { name: 'Update now' }).click()
      await page.getByText('by anna: line stands still').waitFor()
      expect(state.overrides).toMatchObject([{ kind: 'update-now', owner: 'anna' }])
      await cleanInEveryLook(page, 'updating now')
    })
  })

  it('holds a workload with a name, a reason and an end, and ends the hold', async () => {
    await withPage(async (page) => {
      await opened(page)
      await page.getByRole('button', { name: 'Hold: modbus-bridge' }).click()
      await page.getByLabel('PIN of this device').fill('00000000')
      await page.getByRole('dialog').getByRole('button', { name: 'Sign in' }).click()
      await page.getByText('That is not the PIN of this device.').waitFor()
      expect(state.overrides).toEqual([])
      await givePin(page)
      await page.getByLabel('Your name').fill('anna')
      await page.getByLabel('Reason').fill('belt change')
      await page.getByRole('dialog').getByRole('button', { name: 'Hold' }).click()
      await page.getByText('by anna: belt change').waitFor()
      expect(state.overrides).toMatchObject([{ kind: 'hold', owner: 'anna', reason: 'belt change', untilMonoMs: NOW.monoMs + 4 * 3_600_000 }])
      await page.getByRole('button', { name: 'Hold: vision-qc' }).waitFor()
      await cleanInEveryLook(page, 'override')
      await page.getByRole('button', { name: 'End hold of line-2/modbus-bridge' }).click()
      await page.getByText('by anna: belt change').waitFor({ state: 'detached' })
      expect(state.overrides).toEqual([])
      await page.getByText('Done on this device').click()
      expect(await page.locator('.decided').innerText()).toContain('anna: hold, line-2/modbus-bridge')
    })
  })

  it('gives markup in names, causes and logs no effect', async () => {
    const evil = gateway()
    if (evil.desired === null) throw new Error('the fixture has a desired state')
    const observed = [container('x', { ...identity('x'), podName: MARKUP, image: MARKUP })]
    state = { ...evil, desired: { ...evil.desired, pods: [{ ...pod('x', MARKUP), name: MARKUP }] }, observed }
    await withPage(async (page) => {
      await opened(page)
      await page.getByRole('button', { name: 'Log of' }).first().click()
      await givePin(page)
      await page.locator('pre', { hasText: 'onerror' }).waitFor()
      expect(await page.locator('img, b:has-text("bold")').count()).toBe(0)
      expect(await page.evaluate('window.hacked')).toBeUndefined()
      expect(await page.locator('pre').innerText()).not.toContain('\u001b')
    })
  })

  it('shows every other part when any field, however deep, is null', async () => {
    state = gateway({
      overrides: [{ id: 'o', kind: 'hold', pod: null, owner: 'anna', reason: 'belt', sinceWallMs: 0, untilMonoMs: 9e9, restarts: {} }],
    })
    const view = JSON.parse((await ask('/api/v1/state')).body) as FieldView
    const paths = nullable(view)
    expect(paths.length).toBeGreaterThan(100)
    for (const chunk of chunks(paths, 24)) {
      await withPage(async (page) => {
        const body = chunk.map((path) => `data: ${JSON.stringify(withNull(view, path))}\n\n`).join('')
        const errors: string[] = []
        page.on('pageerror', (error) => errors.push(error.message))
        await page.route('**/api/v1/events', (route) =>
          route.fulfill({ contentType: 'text/event-stream', body: `${body}data: ${JSON.stringify(view)}\n\n` }),
        )
        await opened(page)
        // after all of it the whole page is there again: nothing was lost on the way
        const shown = await page.locator('main').innerText()
        expect(shown, chunk.join(' ')).toContain('modbus-bridge')
        expect(shown, chunk.join(' ')).toContain('Advantech UNO-348')
        expect(errors, chunk.join(' ')).toEqual([])
      })
    }
  })

  it('keeps every other part when one is null', async () => {
    const view = JSON.parse((await ask('/api/v1/state')).body) as FieldView
    for (const field of Object.keys(view).filter((name) => name !== 'device')) {
      await withPage(async (page) => {
        const body = `data: ${JSON.stringify({ ...view, [field]: null })}\n\n`
        await page.route('**/api/v1/events', (route) => route.fulfill({ contentType: 'text/event-stream', body }))
        await opened(page)
        const titles = await page.locator('h2').allInnerTexts()
        expect(
          titles.map((title) => title.split('\n')[0]),
          field,
        ).toEqual(expect.arrayContaining(['Workloads', 'Plan', 'Hardware']))
        const shown = await page.locator('main').innerText()
        if (field !== 'hardware') expect(shown, field).toContain('Advantech UNO-348')
        if (field !== 'workloads') expect(shown, field).toContain('modbus-bridge')
      })
    }
  })
})

/** Paths of everything in it, nested too. */
function nullable(value: unknown, at: readonly (string | number)[] = []): readonly (readonly (string | number)[])[] {
  if (typeof value !== 'object' || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const path = [...at, Array.isArray(value) ? Number(key) : key]
    return [path, ...nullable(inner, path)]
  })
}

function withNull(value: unknown, [first, ...rest]: readonly (string | number)[]): unknown {
  if (first === undefined) return null
  if (Array.isArray(value)) return value.map((one: unknown, index) => (index === first ? withNull(one, rest) : one))
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, key === first ? withNull(one, rest) : one]))
}

function chunks<T>(list: readonly T[], size: number): readonly (readonly T[])[] {
  return Array.from({ length: Math.ceil(list.length / size) }, (_, index) => list.slice(index * size, (index + 1) * size))
}

describe('the server', () => {
  it('refuses other host names and other methods', async () => {
    expect((await ask('/', { host: 'evil.example' })).status).toBe(421)
    expect((await ask('/api/v1/state', { host: 'evil.example:80' })).status).toBe(421)
    expect((await ask('/api/v1/state', { method: 'PUT' })).status).toBe(405)
    expect((await ask('/api/v1/state', { method: 'POST' })).status).toBe(415)
    expect((await ask('/../etc/passwd')).status).toBe(404)
    expect((await ask('/__proto__')).status).toBe(404)
  })

  it('lets only its own script and style run', async () => {
    const { headers } = await ask('/')
    expect(headers['content-security-policy']).toMatch(/^default-src 'none'; script-src 'sha256-[^']+'; style-src 'sha256-[^']+'; connect-src 'self'/)
    expect(headers['content-security-policy']).not.toContain('unsafe')
    expect(headers['x-content-type-options']).toBe('nosniff')
  })

  it('gives logs of own containers only, and says what is wrong with a request', async () => {
    const answer = await fetch(at('/api/v1/sign-in'), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ pin: PIN }),
    })
    const { token: session } = (await answer.json()) as { readonly token: string }
    expect((await ask('/api/v1/logs?container=agent')).status).toBe(401)
    expect((await ask('/api/v1/logs?container=skerry-line-2-old-demo-main&lines=7', { session })).body).toContain(
      '7 lines of skerry-line-2-old-demo-main',
    )
    expect((await ask('/api/v1/logs?container=agent', { session })).body).toBe('agent started\nplan made\n')
    expect((await ask('/api/v1/logs?container=somebody-elses', { session })).status).toBe(404)
    expect((await ask('/api/v1/logs?container=agent&lines=1e9', { session })).body).toContain('from 1 to 500')
  })

  it('is alive without a cloud, and ready only when the engine answers', async () => {
    expect((await ask('/livez')).status).toBe(200)
    expect((await ask('/readyz')).status).toBe(200)
    state = gateway({ engine: { reachable: false, sinceWallMs: 0, info: null, cause: null } })
    const unready = await ask('/readyz')
    expect([unready.status, unready.body]).toEqual([503, '[+]state ok\n[-]engine failed\n[+]storage ok\n'])
  })
})
