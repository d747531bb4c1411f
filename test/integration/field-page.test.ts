/** The field page in a real browser, fed by a hand-made agent state. */
import { request } from 'node:http'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import type { AgentState } from '../../edge-agent/core/model.ts'
import { startLocalPage } from '../../edge-agent/local-page/server.ts'
import type { LocalPage } from '../../edge-agent/local-page/server.ts'
import type { FieldView } from '../../edge-agent/local-page/view-model.ts'
import { buildFieldPage } from '../../scripts/build-page.ts'
import { NOW, container, gateway, identity, pod } from '../fixtures/field-state.ts'
import { LOOKS, axeViolations, fitsWidth, look, openBrowser } from './browser.ts'
import type { Browser } from './browser.ts'

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
    page: html,
    state: () => state,
    now: () => NOW,
    log: QUIET,
    logs: (target, lines) => Promise.resolve(`${lines} lines of ${target}\n\u001b[31m${MARKUP}\u001b[0m\n`),
    agentLog: () => ['agent started', 'plan made'],
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

interface Answer {
  readonly status: number
  readonly body: string
  readonly headers: NodeJS.Dict<string | string[]>
}

function ask(path: string, options: { readonly host?: string; readonly method?: string } = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const asked = request(
      { port: server.address.port, path, method: options.method ?? 'GET', headers: { host: options.host ?? '127.0.0.1' } },
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
      for (const one of LOOKS) {
        await look(page, one)
        expect(await axeViolations(page), JSON.stringify(one)).toEqual([])
        expect(await fitsWidth(page), JSON.stringify(one)).toBe(true)
      }
      await page.getByRole('button', { name: 'Log of label-printer' }).click()
      await page.getByText('200 lines of skerry-line-2-label-printer-main').waitFor()
      expect(await axeViolations(page)).toEqual([])
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
      await page.locator('pre', { hasText: 'onerror' }).waitFor()
      expect(await page.locator('img, b:has-text("bold")').count()).toBe(0)
      expect(await page.evaluate('window.hacked')).toBeUndefined()
      expect(await page.locator('pre').innerText()).not.toContain('\u001b')
    })
  })

  it('keeps every other part when one is null', async () => {
    const view = JSON.parse((await ask('/api/v1/state')).body) as FieldView
    for (const field of ['headline', 'link', 'engine', 'storage', 'workloads', 'desired', 'plan', 'waitsFor', 'refusals', 'hardware'] as const) {
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

describe('the server', () => {
  it('refuses other host names and other methods', async () => {
    expect((await ask('/', { host: 'evil.example' })).status).toBe(421)
    expect((await ask('/api/v1/state', { host: 'evil.example:80' })).status).toBe(421)
    expect((await ask('/api/v1/state', { method: 'POST' })).status).toBe(405)
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
    expect((await ask('/api/v1/logs?container=skerry-line-2-old-demo-main&lines=7')).body).toContain('7 lines of skerry-line-2-old-demo-main')
    expect((await ask('/api/v1/logs?container=agent')).body).toBe('agent started\nplan made\n')
    expect((await ask('/api/v1/logs?container=somebody-elses')).status).toBe(404)
    expect((await ask('/api/v1/logs?container=agent&lines=1e9')).body).toContain('from 1 to 500')
  })

  it('is alive without a cloud, and ready only when the engine answers', async () => {
    expect((await ask('/livez')).status).toBe(200)
    expect((await ask('/readyz')).status).toBe(200)
    state = gateway({ engine: { reachable: false, sinceWallMs: 0, info: null, cause: null } })
    const unready = await ask('/readyz')
    expect([unready.status, unready.body]).toEqual([503, '[+]state ok\n[-]engine failed\n[+]storage ok\n'])
  })
})
