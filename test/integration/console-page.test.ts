/** The console in a real browser over a store in memory. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createConsole } from '../../cloud/console/server.ts'
import type { Console } from '../../cloud/console/server.ts'
import type { Delta, Snapshot } from '../../cloud/console/view-model.ts'
import { parseBlock } from '../../cloud/console/web/event-stream.ts'
import type { StreamEvent } from '../../cloud/console/web/event-stream.ts'
import type { Clock, Store } from '../../cloud/ports.ts'
import { openMemoryStore } from '../../cloud/store/memory-store.ts'
import { RUNNING, SECRET, whyPod, facts, fillStore, node, pod } from '../fixtures/console-fleet.ts'
import { LOOKS, axeViolations, fitsWidth, look, openBrowser } from './browser.ts'
import type { Browser } from './browser.ts'

const TOKEN = 'a-token-for-tests'
const MARKUP = '<img src=x onerror="window.hacked=1">'
const QUIET = { info: () => undefined, warn: () => undefined, error: () => undefined }
const CLOCK: Clock = {
  nowMs: () => Date.now(),
  monoMs: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms)
    return () => clearTimeout(timer)
  },
}

let assetsDir: string
let browser: Browser
let store: Store
let served: Console
let server: Server
let port = 0

beforeAll(async () => {
  assetsDir = await mkdtemp(path.join(tmpdir(), 'skerry-console-'))
  await build({ configFile: 'cloud/console/web/vite.config.ts', logLevel: 'warn', build: { outDir: assetsDir, emptyOutDir: true } })
  browser = await openBrowser()
})
afterAll(async () => {
  await browser.close()
  await rm(assetsDir, { recursive: true, force: true })
})
beforeEach(async () => {
  store = openMemoryStore()
  await fillStore(store)
  port = 0
  await start()
})
afterEach(() => stop())

function authorize(request: IncomingMessage): boolean {
  return request.headers.authorization === `Bearer ${TOKEN}`
}

async function start(): Promise<void> {
  served = await createConsole({ store, clock: CLOCK, log: QUIET, assetsDir, authorize, facts, whyPod })
  server = createServer((request, response) => {
    served.handle(request, response).then(
      (mine) => (mine ? undefined : response.writeHead(404).end()),
      () => response.destroy(),
    )
  })
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  port = (server.address() as AddressInfo).port
}

async function stop(): Promise<void> {
  served.close()
  await new Promise<void>((resolve) => {
    server.close(() => resolve())
    server.closeAllConnections()
  })
}

const at = (where: string): string => `http://127.0.0.1:${port}/console${where}`
const SIGNED: Readonly<Record<string, string>> = { authorization: `Bearer ${TOKEN}` }
const ask = (where: string, headers = SIGNED): Promise<Response> => fetch(at(where), { headers })

async function signedIn(use: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.context.newPage()
  try {
    await page.goto(at(`/#token=${TOKEN}`))
    await page.getByRole('heading', { name: 'things need attention' }).waitFor()
    await use(page)
  } finally {
    await page.close()
  }
}

/** Messages of the event stream until `enough` says so. */
async function eventsUntil(from: string | null, enough: (events: readonly StreamEvent[]) => boolean): Promise<readonly StreamEvent[]> {
  const stop = new AbortController()
  const headers = { ...SIGNED, ...(from === null ? {} : { 'last-event-id': from }) }
  const response = await fetch(at('/api/events'), { headers, signal: stop.signal })
  const got: StreamEvent[] = []
  let text = ''
  for await (const chunk of response.body ?? []) {
    text += Buffer.from(chunk).toString()
    const blocks = text.split('\n\n')
    text = blocks.pop() ?? ''
    got.push(...blocks.flatMap((block) => parseBlock(block) ?? []))
    if (enough(got)) break
  }
  stop.abort()
  return got
}

describe('the pages', () => {
  it('fit their budget', async () => {
    const index = await readFile(path.join(assetsDir, 'index.html'), 'utf8')
    const files = [...index.matchAll(/\/console\/(assets\/[^"]+)/g)].map((match) => match[1] ?? '')
    const parts = await Promise.all(files.map((file) => readFile(path.join(assetsDir, file))))
    expect(files.length).toBeGreaterThan(1)
    expect(parts.reduce((sum, part) => sum + gzipSync(part).byteLength, gzipSync(index).byteLength)).toBeLessThanOrEqual(90_000)
  })

  it('ask for a token, keep it out of the address, and say when it is wrong', async () => {
    const page = await browser.context.newPage()
    await page.goto(at('/devices'))
    await page.getByLabel('Token').fill('wrong')
    await page.getByRole('button', { name: 'Open the console' }).click()
    await page.getByText('This token is not valid.').waitFor()
    expect(await axeViolations(page)).toEqual([])
    await page.getByLabel('Token').fill(TOKEN)
    await page.getByRole('button', { name: 'Open the console' }).click()
    await page.getByRole('link', { name: 'gw-kassel-1' }).waitFor()
    await page.goto(at(`/#token=${TOKEN}`))
    await page.getByRole('heading', { name: 'things need attention' }).waitFor()
    expect(page.url()).not.toContain(TOKEN)
    await page.close()
  })

  it('show trouble first and lead to the reason of each device', async () => {
    await signedIn(async (page) => {
      await page.getByRole('link', { name: 'line-2/vision-qc-7d4b9-x1' }).first().click()
      await page.getByRole('heading', { name: 'Why line-2/vision-qc-7d4b9-x1 is not placed' }).waitFor()
      const row = page.locator('.why-not tr', { hasText: 'gw-kassel-2' })
      await row.waitFor()
      expect(await row.innerText()).toContain('Needs 16Gi memory, 7Gi free of 8Gi.')
      expect(await row.innerText()).toContain('Is not ready: not heard since 08:23.')
    })
  })

  it('follow the store, and a count leads to its members', async () => {
    await signedIn(async (page) => {
      await store.update('nodes', node('gw-kassel-3', 'True'), null)
      const online = page.getByRole('link', { name: '2 online' })
      await online.waitFor()
      await online.click()
      await page.getByRole('link', { name: 'gw-kassel-3' }).waitFor()
      expect(await page.locator('tbody tr').count()).toBe(2)
    })
  })

  it('keep the picture while the cloud is away, say how old it is, and catch up', async () => {
    await signedIn(async (page) => {
      await page.getByRole('link', { name: 'Devices', exact: true }).click()
      await stop()
      await page.getByText(/No contact with the cloud\. Data is \d+ s old\./).waitFor()
      expect(await page.locator('tbody tr').count()).toBe(3)
      expect(await axeViolations(page)).toEqual([])
      await store.create('nodes', node('gw-kassel-4', 'True'))
      await start()
      await page.getByRole('link', { name: 'gw-kassel-4' }).waitFor()
      expect(await page.getByText('No contact').count()).toBe(0)
    })
  })

  it('have no axe violation on any route, on phone and laptop, by day and by night', async () => {
    await signedIn(async (page) => {
      const details = ['/devices/gw-kassel-1', '/devices/none', '/workloads/Deployment/line-2/vision-qc']
      for (const where of ['/', '/devices', '/workloads', '/events', '/nowhere', ...details]) {
        await page.goto(at(where))
        await page.locator('h1').waitFor()
        for (const one of LOOKS) {
          await look(page, one)
          expect(await axeViolations(page), `${where} ${JSON.stringify(one)}`).toEqual([])
          expect(await fitsWidth(page), `${where} ${JSON.stringify(one)}`).toBe(true)
        }
      }
    })
  })

  it('give markup in names and messages no effect', async () => {
    const evil = pod('evil', 'e1', {
      status: { ...RUNNING, phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: MARKUP }] },
    })
    await store.create('pods', { ...evil, metadata: { ...evil.metadata, name: MARKUP } })
    await signedIn(async (page) => {
      await page.getByText('onerror').first().waitFor()
      expect(await page.locator('img').count()).toBe(0)
      expect(await page.evaluate('window.hacked')).toBeUndefined()
    })
  })
})

describe('the server', () => {
  it('gives data only to who may read, and no environment values to anybody', async () => {
    for (const where of ['/api/snapshot', '/api/events', '/api/why?pod=x', '/api/none']) expect((await ask(where, {})).status, where).toBe(401)
    const text = await (await ask('/api/snapshot')).text()
    expect(text).toContain('vision-qc')
    expect(text).not.toContain(SECRET)
    expect((await fetch(at('/api/snapshot'), { method: 'POST' })).status).toBe(405)
  })

  it('serves hashed files for ever, compressed, and the page for every route', async () => {
    const page = await ask('/workloads/Deployment/a/b', {})
    const html = await page.text()
    expect(page.headers.get('cache-control')).toBe('no-cache')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    const script = await ask(`/${/assets\/[^"]+\.js/.exec(html)?.[0] ?? 'none'}`, { 'accept-encoding': 'gzip' })
    expect(script.status).toBe(200)
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(script.headers.get('content-encoding')).toBe('gzip')
    expect((await ask('/assets/..%2f..%2fpackage.json')).status).toBe(404)
    expect((await ask('/assets/none.js')).status).toBe(404)
  })

  it('resumes a stream where it ended, and asks to load again what it cannot continue', async () => {
    const { revision } = (await (await ask('/api/snapshot')).json()) as Snapshot
    await store.update('nodes', node('gw-kassel-3', 'True'), null)
    const [first] = await eventsUntil(String(revision), (events) => events.some((one) => one.event === 'delta'))
    expect((JSON.parse(first?.data ?? '{}') as Delta).changed.devices).toMatchObject([{ name: 'gw-kassel-3', word: 'online' }])
    for (const from of ['1', '999999', null]) {
      expect((await eventsUntil(from, (events) => events.length > 0))[0]?.event, String(from)).toBe('resync')
    }
  })

  it('sends a burst of changes as few messages', async () => {
    const { revision } = (await (await ask('/api/snapshot')).json()) as Snapshot
    const last = 'gw-burst-199'
    const reading = eventsUntil(String(revision), (events) => events.some((one) => one.data.includes(last)))
    for (let count = 0; count < 200; count += 1) await store.create('nodes', node(`gw-burst-${count}`, 'True'))
    const events = await reading
    const told = events.flatMap((one) => (JSON.parse(one.data) as Delta).changed.devices ?? [])
    expect(new Set(told.map((row) => row.name)).size).toBe(200)
    expect(events.length).toBeLessThan(20)
  })
})
