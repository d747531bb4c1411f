/** A hundred thousand devices, ten thousand of them changing each second, in a real browser. What is asserted are facts, no times. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'vite'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { deviceName, largeFleet } from '../fakes/large-fleet.ts'
import type { LargeFleet } from '../fakes/large-fleet.ts'
import { heapAfterCollection, watchLoad } from './browser-budgets.ts'
import type { LoadSeen } from './browser-budgets.ts'
import { axeViolations, openBrowser } from './browser.ts'
import type { Browser } from './browser.ts'
import { TOKEN, openTab, serveConsole } from './console-harness.ts'
import type { Served } from './console-harness.ts'

const DEVICES = 100_000
const SHOTS = path.resolve('dist/screenshots')
let assetsDir: string
let browser: Browser
let fleet: LargeFleet
let served: Served
let changing: NodeJS.Timeout

beforeAll(async () => {
  assetsDir = await mkdtemp(path.join(tmpdir(), 'skerry-console-'))
  await build({ configFile: 'cloud/console/web/vite.config.ts', logLevel: 'warn', build: { outDir: assetsDir, emptyOutDir: true } })
  browser = await openBrowser()
  fleet = await largeFleet(DEVICES)
  served = await serveConsole({ store: fleet.store, assetsDir, facts: (device) => fleet.facts(device) })
  changing = setInterval(() => {
    for (const name of fleet.churn(1000)) served.changed(name)
  }, 100)
})
afterAll(async () => {
  clearInterval(changing)
  await served.stop()
  await browser.close()
  await rm(assetsDir, { recursive: true, force: true })
})

it('shows the last row of a hundred thousand: in five requests, without a jump, with few nodes in the page', async () => {
  const page = await browser.context.newPage()
  const requests: string[] = []
  page.on('request', (request) => requests.push(request.url()))
  await watchLoad(page)
  await page.goto(served.at(`/devices?sort=name#token=${TOKEN}`))
  await page.getByRole('link', { name: deviceName(0) }).waitFor()
  expect(requests.length, requests.join('\n')).toBeLessThanOrEqual(5)
  expect((await page.evaluate<LoadSeen>('loadSeen()')).cls).toBeLessThanOrEqual(0.05)
  await page.evaluate('document.querySelector(".vt-body").scrollTop = 1e9')
  await page.getByRole('link', { name: deviceName(DEVICES - 1) }).waitFor()
  expect(await page.getByRole('table').getAttribute('aria-rowcount')).toBe(String(DEVICES + 1))
  expect(await page.evaluate<number>('document.querySelectorAll("*").length')).toBeLessThanOrEqual(1500)
  expect(await axeViolations(page)).toEqual([])
  await page.close()
})

it('shows every device as a dot in its group, and leads from a dot to its device', async () => {
  const page = await browser.context.newPage()
  await page.goto(served.at(`/devices?view=field&by=site#token=${TOKEN}`))
  const canvas = page.getByRole('img', { name: '100,000 devices as dots' })
  await canvas.waitFor()
  await canvas.focus()
  await page.keyboard.press('ArrowRight')
  await page.getByText(deviceName(0), { exact: true }).waitFor()
  await page.keyboard.press('ArrowRight')
  // the second of its site: sites go round
  await page.getByText(deviceName(40), { exact: true }).waitFor()
  await page.screenshot({ path: path.join(SHOTS, 'field-100000.png') })
  expect(await page.evaluate<number>('document.querySelectorAll("*").length')).toBeLessThanOrEqual(1500)
  expect(await axeViolations(page)).toEqual([])
  await page.keyboard.press('Enter')
  await page.getByRole('heading', { name: deviceName(40) }).waitFor()
  await page.close()
})

it('keeps its elements while it is scrolled, the one with the focus too, and holds no more after many changes', async () => {
  const page = await browser.context.newPage()
  const cdp = await browser.context.newCDPSession(page)
  await page.goto(served.at(`/devices?sort=name#token=${TOKEN}`))
  const first = page.getByRole('link', { name: deviceName(0) })
  await first.waitFor()
  await first.focus()
  await page.evaluate(`{
    window.made = 0
    const count = (seen) => { for (const one of seen) window.made += one.addedNodes.length }
    new MutationObserver(count).observe(document.querySelector('.vt-space'), { childList: true })
  }`)
  const scroll = (to: number): Promise<void> =>
    page.evaluate<void>(`new Promise((resolve) => {
      const body = document.querySelector('.vt-body')
      const frame = (left) => {
        body.scrollTop += 2000
        if (left > 0) requestAnimationFrame(() => frame(left - 1))
        else resolve()
      }
      frame(${to})
    })`)
  await scroll(30)
  const before = await heapAfterCollection(cdp)
  // rows that only move are no new elements: a frame passes 45 of them. One each may be made for the focus and for a last row that is cut,
  // and where a slow machine lets the scroll rest between two frames, those around the window
  expect(await page.evaluate<number>('window.made')).toBeLessThanOrEqual(30 * 14)
  expect(await page.evaluate('document.activeElement.textContent')).toBe(deviceName(0))
  await scroll(90)
  expect(await heapAfterCollection(cdp)).toBeLessThanOrEqual(before + 5 * 2 ** 20)
  await page.close()
})

it('sends a tab at most four messages a second, however fast the fleet changes', async () => {
  const tab = await openTab(served)
  const from = performance.now()
  await tab.wish({
    list: { part: 'list', table: 'devices', query: '', sort: 'name', offset: 500, limit: 100, facets: true },
    field: { part: 'field', query: '', by: 'site' },
    summary: { part: 'summary' },
  })
  await new Promise((resolve) => setTimeout(resolve, 3000))
  const seconds = (performance.now() - from) / 1000
  expect(tab.messages.length).toBeGreaterThan(2)
  // the answer to the wish comes beside them
  expect(tab.messages.length).toBeLessThanOrEqual(Math.ceil(seconds * 4) + 1)
  tab.close()
})
