/** The console in a real browser over a store in memory: pages, states, budgets, and what the server lets out. */
import { mkdtemp, readFile, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { gunzipSync, gzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { build } from 'vite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import type { ListPart } from '../../cloud/console/live-protocol.ts'
import type { Store, StoredObject } from '../../cloud/ports.ts'
import type { KubeObject } from '../../cloud/resources/object.ts'
import type { Pod } from '../../cloud/resources/pod.ts'
import type { Rollout } from '../../cloud/resources/rollout.ts'
import { openMemoryStore } from '../../cloud/store/memory-store.ts'
import { RUNNING, SECRET, facts, fillStore, node, pod, why } from '../fixtures/console-fleet.ts'
import { openBrowser } from './browser.ts'
import type { Browser } from './browser.ts'
import { TWO_LOOKS, expectGood } from './console-looks.ts'
import { SIGNED, TOKEN, openTab, serveConsole } from './console-harness.ts'
import type { Served } from './console-harness.ts'

const eventually = (check: () => Promise<void>): Promise<void> => vi.waitFor(check, { timeout: 60_000, interval: 50 })
const MARKUP = '<img src=x onerror="window.hacked=1">'

let assetsDir: string
let browser: Browser
let store: Store
let served: Served

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
  served = await serveConsole({ store, assetsDir, facts, why })
})
afterEach(() => served.stop())

async function signedIn(use: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.context.newPage()
  const failures: string[] = []
  page.on('pageerror', (error) => failures.push(error.message))
  page.on('console', (message) =>
    message.type() === 'error' && message.text().includes('Content Security') ? failures.push(message.text()) : undefined,
  )
  try {
    await page.goto(served.at(`/#token=${TOKEN}`))
    await page.getByRole('heading', { name: /attention|No device|Everything/ }).waitFor()
    await use(page)
    expect(failures).toEqual([])
  } finally {
    await page.close()
  }
}

describe('the pages', () => {
  it('fit their budget: first route, each lazy one, and all together', async () => {
    const index = await readFile(path.join(assetsDir, 'index.html'), 'utf8')
    const zipped = async (file: string): Promise<number> => gzipSync(await readFile(path.join(assetsDir, 'assets', file))).byteLength
    const files = await readdir(path.join(assetsDir, 'assets'))
    const sizes = new Map(await Promise.all(files.map(async (file) => [file, await zipped(file)] as const)))
    const first = files.filter((file) => index.includes(file))
    expect(first.length).toBeGreaterThan(1)
    const sum = (names: readonly string[]): number => names.reduce((all, name) => all + (sizes.get(name) ?? 0), 0)
    expect(sum(first) + gzipSync(index).byteLength).toBeLessThanOrEqual(90_000)
    for (const file of files.filter((one) => !first.includes(one))) expect(sizes.get(file), file).toBeLessThanOrEqual(60_000)
    expect(sum(files)).toBeLessThanOrEqual(350_000)
  })

  it('ask for a token, keep it out of the address, and say when it is wrong', async () => {
    const page = await browser.context.newPage()
    await page.goto(served.at('/devices'))
    await page.getByLabel('Token').fill('wrong')
    await page.getByRole('button', { name: 'Open the console' }).click()
    await page.getByText('This token is not valid.').waitFor()
    await expectGood(page, 'login', TWO_LOOKS)
    await page.getByLabel('Token').fill(TOKEN)
    await page.getByRole('button', { name: 'Open the console' }).click()
    await page.getByRole('link', { name: 'gw-kassel-1' }).waitFor()
    await page.goto(served.at(`/#token=${TOKEN}`))
    await page.getByRole('heading', { name: 'need attention' }).waitFor()
    expect(page.url()).not.toContain(TOKEN)
    await page.close()
  })

  it('have no axe violation with all that the fixture knows of, on phone and laptop, by day and by night', async () => {
    await signedIn(async (page) => {
      for (const [name, where, ready] of PAGES) {
        await page.goto(served.at(where))
        await page.getByText(ready).first().waitFor()
        await expectGood(page, name)
      }
    })
  })

  it('lead from trouble to its reason, with every rule on each device', async () => {
    await signedIn(async (page) => {
      const cause = page.locator('.cause-group', { hasText: '0 of 3 devices can take this pod' })
      await cause.getByRole('link', { name: 'Explain' }).click()
      await page.getByRole('heading', { name: /Why is line-2\/vision-qc-7d4b9-x1 not running/ }).waitFor()
      await page.getByRole('heading', { name: 'Where the devices drop out' }).waitFor()
      await page.locator('table').getByRole('link', { name: 'gw-kassel-2' }).click()
      const failed = page.locator('.checklist li', { hasText: 'FAIL' })
      await failed.first().waitFor()
      expect(await page.locator('.checklist').innerText()).toContain('Needs 16Gi memory, 7Gi free of 8Gi.')
      expect(await failed.count()).toBe(2)
      expect(page.url()).toContain('on=gw-kassel-2')
    })
  })

  it('follow the store, and a number leads to exactly its members', async () => {
    await signedIn(async (page) => {
      await store.update('nodes', node('gw-kassel-3', 'True'), null)
      const tile = page.locator('.tiles a', { hasText: 'OK' })
      await tile.filter({ hasText: /^\s*OK\s*1/ }).waitFor()
      await tile.click()
      await page.getByRole('rowheader', { name: 'gw-kassel-3' }).waitFor()
      expect(await page.getByRole('rowheader').count()).toBe(1)
      expect(new URL(page.url()).searchParams.get('q')).toBe('state:ok')
    })
  })

  it('narrow a list by words and by counts, in the address', async () => {
    await signedIn(async (page) => {
      await page.goto(served.at('/devices'))
      await page.getByRole('rowheader').first().waitFor()
      await page.keyboard.press('/')
      // slowly, each key a little later after the last one: what is typed is asked while more is typed
      for (const [at, key] of 'state:offline'.split('').entries()) {
        await page.keyboard.press(key)
        await page.waitForTimeout(195 + 4 * at)
      }
      await page.getByText('1 device of 3').waitFor()
      await page.goto(served.at('/devices?q=state%3Abroken'))
      await page.getByText('state is never broken').waitFor()
      await expectGood(page, 'devices-issue', TWO_LOOKS)
      await page.goto(served.at('/devices'))
      await page.locator('.facets button', { hasText: 'never-seen' }).click()
      await page.getByRole('rowheader', { name: 'gw-kassel-3' }).waitFor()
      expect(new URL(page.url()).searchParams.get('q')).toBe('state:never-seen')
    })
  })

  it('decide about a rollout: with the effect in numbers, for a reason, through the API', async () => {
    await signedIn(async (page) => {
      await page.getByRole('link', { name: 'Waiting for you (2)' }).click()
      await page.getByRole('link', { name: /^sensor-2/ }).click()
      await page.getByRole('img', { name: 'Of 43 devices 42 have started, 37 are done, 4 failed; more than 1 failure would pause it' }).waitFor()
      const measured = page.locator('.wave .gate').nth(1)
      expect(await measured.innerText()).toContain(
        'podMemory at most 200Mi over 60 s: 942 of 1,000 devices, 3 outside, 55 not known; over all 81.5Mi',
      )
      expect(await measured.locator('p.bad').last().innerText()).toContain('podRestarts at most 0')
      expect(await page.getByRole('button', { name: 'Pause', exact: true }).getAttribute('title')).toBe('It is paused already.')
      await page.getByRole('button', { name: 'Exclude this group and resume' }).first().click()
      await page.getByRole('dialog').getByText('4 devices are left out from now on').waitFor()
      await expectGood(page, 'rollout-confirm', TWO_LOOKS)
      await page.getByLabel(/^Why\?/).fill('full disks, visited on Monday')
      await page.getByRole('dialog').getByRole('button', { name: 'Exclude' }).click()
      await page.getByRole('dialog').waitFor({ state: 'detached' })
      const stored = JSON.parse((await store.get('rollouts.skerry.dev', 'line-2', 'sensor-2'))?.json ?? '{}') as Rollout
      const names = ['gw-kassel-1', 'gw-line-10', 'gw-line-21', 'gw-line-32']
      expect(stored.spec).toMatchObject({ paused: false, acknowledgedPauses: 1, exclude: [{ names }] })
      expect(stored.history?.at(-1)).toMatchObject({ by: 'admin', reason: 'full disks, visited on Monday' })
    })
  })

  it('act on a device: drain it with the effect in numbers, have its diagnostics, hear why it says no', async () => {
    await signedIn(async (page) => {
      await page.goto(served.at('/devices/gw-kassel-1'))
      await page.getByRole('button', { name: 'Drain' }).click()
      const dialog = page.getByRole('dialog')
      await dialog.getByText('2 pods are ended there and made again').waitFor()
      await expectGood(page, 'device-drain', TWO_LOOKS)
      await dialog.getByLabel(/^Why\?/).fill('new memory on Monday')
      await dialog.getByRole('button', { name: 'Drain' }).click()
      await dialog.waitFor({ state: 'detached' })
      expect(JSON.parse((await store.get('nodes', '', 'gw-kassel-1'))?.json ?? '{}')).toMatchObject({ spec: { unschedulable: true } })
      const left = await store.list('pods')
      expect(left.ok ? left.items.map(({ json }) => JSON.parse(json) as Pod).filter((one) => isThere(one, 'gw-kassel-1')) : []).toEqual([])

      await page.getByRole('button', { name: 'Restart agent' }).click()
      await dialog.getByLabel(/^Why\?/).fill('it takes much memory')
      await dialog.getByRole('button', { name: 'Restart agent' }).click()
      await dialog.getByText('it was started by hand').waitFor()
      await page.keyboard.press('Escape')
      const saved = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Save diagnostics' }).click()
      const file = await (await saved).path()
      expect(gunzipSync(await readFile(file)).toString()).toBe('{"device":"here"}')
      expect(served.asked).toEqual(['admin restart-agent gw-kassel-1', 'admin bundle gw-kassel-1'])

      expect(await page.getByRole('link', { name: 'http://192.168.10.5:8090/' }).getAttribute('target')).toBe('_blank')
      await page.getByText('As a QR code').click()
      await page.getByRole('img', { name: 'QR code of http://192.168.10.5:8090/' }).waitFor()
      await expectGood(page, 'device-page', TWO_LOOKS)
      await page.goto(served.at('/devices/gw-kassel-2'))
      expect(await page.getByRole('button', { name: 'Restart agent' }).isDisabled()).toBe(true)
    })
  })

  it('show the logs of several devices beside each other, narrowed, chosen and saved', async () => {
    await signedIn(async (page) => {
      await page.goto(served.at('/workloads/Deployment/line-2/modbus-bridge'))
      await page.getByRole('link', { name: 'Logs', exact: true }).click()
      const log = page.getByRole('region', { name: 'Log lines' })
      await log.getByText('gw-kassel-1 modbus-bridge-7d4b9-k1 main says one').waitFor()
      await log.getByText('gw-kassel-2 modbus-bridge-7d4b9-k2 says two').waitFor()
      await expectGood(page, 'logs-many', TWO_LOOKS)
      await page.keyboard.press('/')
      await page.keyboard.type('two')
      await page.getByText('2 of 4 lines').waitFor()
      const saved = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Save' }).click()
      const text = await readFile(await (await saved).path(), 'utf8')
      expect(text.split('\n').toSorted().slice(1)).toEqual(
        ['gw-kassel-1', 'gw-kassel-2'].map((device, at) => `${device} modbus-bridge-7d4b9-k${at + 1} says two`),
      )
      await page.getByText('2 of 2 pods, at most 32 at once').click()
      await page.getByRole('checkbox', { name: /^gw-kassel-2/ }).uncheck()
      await page.getByText('1 of 2 lines').waitFor()
      const ask = (query: string): Promise<Response> => fetch(new URL(`/skerry/v1/logs${query}`, served.at('/')), { headers: SIGNED })
      expect((await ask('?pod=a')).status).toBe(400)
      expect((await ask(`?${Array.from({ length: 33 }, (_, at) => `pod=a/b-${at}`).join('&')}`)).status).toBe(400)
      expect(await (await ask('?pod=line-2/none')).text()).toContain('"failed":true')
      expect((await fetch(new URL('/skerry/v1/logs?pod=a/b', served.at('/')))).status).toBe(401)
    })
  })

  it('write a rollout by form and by hand, which are the same', async () => {
    await signedIn(async (page) => {
      await page.goto(served.at('/apply?new=rollout'))
      const text = page.getByLabel(/^Manifest/)
      await page.getByLabel('Size of wave 2').fill('25')
      await page.getByRole('button', { name: 'Add a wave' }).click()
      await page.getByLabel('Name of wave 3').fill('west')
      await page.getByLabel('Pause when failed, %').fill('2')
      await page.getByLabel('Name', { exact: true }).fill('night')
      await page.keyboard.press('Tab')
      expect(await text.inputValue()).toMatch(/name: night[^]*name: tenth, percent: 25[^]*name: west, percent: 25[^]*maxFailurePercent: 2/)
      expect(await text.inputValue()).toContain('# first one device, then a tenth')
      await text.fill((await text.inputValue()).replace('count: 1', 'count: 3'))
      expect(await page.getByLabel('Size of wave 1').inputValue()).toBe('3')
      await page.getByText('sensor (is not there)').waitFor({ state: 'attached' })
      await page.getByRole('button', { name: 'Check' }).click()
      await page.getByText('will be created').waitFor()
      await text.fill('kind: Deployment')
      expect(await page.getByText('As a form').count()).toBe(0)
    })
  })

  it('save the list that is seen, with its filter, as a file', async () => {
    await signedIn(async (page) => {
      await page.goto(served.at('/devices?q=state%3Aoffline'))
      await page.getByRole('rowheader').first().waitFor()
      const saved = page.waitForEvent('download')
      await page.getByRole('button', { name: 'Save as CSV' }).click()
      const lines = (await readFile(await (await saved).path(), 'utf8')).trimEnd().split('\r\n')
      expect([lines.length, lines[0]?.startsWith('device,state,'), lines[1]?.startsWith('gw-kassel-2,offline,')]).toEqual([2, true, true])
      await page.goto(served.at('/devices?q=state%3Abroken'))
      await page.getByText('state is never broken').waitFor()
      await page.getByRole('button', { name: 'Save as CSV' }).click()
      await page.locator('.title [role=status]', { hasText: 'state is never broken' }).waitFor()
      expect((await served.ask('/api/csv?table=pods', {})).status).toBe(401)
    })
  })

  it('check a manifest field by field, show the difference, and apply just that', async () => {
    await signedIn(async (page) => {
      await page.goto(served.at('/apply?new=deployment'))
      const text = page.getByLabel(/^Manifest/)
      const template = await text.inputValue()
      await text.fill(template.replace('replicas: 1', 'replicas: many'))
      await page.getByRole('button', { name: 'Check' }).click()
      await page.getByText('spec.replicas').waitFor()
      await expectGood(page, 'apply-refused', TWO_LOOKS)
      await page.getByRole('button', { name: 'line 7' }).click()
      await text.fill(template)
      await page.getByRole('button', { name: 'Check' }).click()
      await page.getByText('will be created').waitFor()
      expect(await store.get('deployments.apps', 'default', 'hello')).toBeNull()
      await page.getByRole('button', { name: 'Apply one change' }).click()
      await page.getByText('Applied: Deployment default/hello.').waitFor()
      await page.goto(served.at('/edit/Deployment/default/hello'))
      await text.fill((await text.inputValue()).replace('busybox:1.36', 'busybox:1.37'))
      await page.getByRole('button', { name: 'Check' }).click()
      await page.locator('.diff .add', { hasText: 'busybox:1.37' }).waitFor()
      await expectGood(page, 'edit-diff', TWO_LOOKS)
      await store.update('deployments.apps', { ...deploymentNow(await store.get('deployments.apps', 'default', 'hello')), spec: HELLO_SPEC }, null)
      await page.getByRole('button', { name: 'Apply one change' }).click()
      await page.getByText('Somebody else changed it').waitFor()
    })
  })

  it('are worked by keyboard alone: skip link, list, help', async () => {
    await signedIn(async (page) => {
      await page.goto(served.at('/devices'))
      await page.getByRole('rowheader').first().waitFor()
      await page.keyboard.press('Tab')
      expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the page')
      await page.locator('.vt-body').focus()
      await page.keyboard.press('End')
      await eventually(async () =>
        expect(await page.evaluate('document.activeElement.closest("[aria-rowindex]").getAttribute("aria-rowindex")')).toBe('4'),
      )
      await page.keyboard.press('Enter')
      await page.getByRole('heading', { level: 1, name: /gw-kassel/ }).waitFor()
      await page.keyboard.press('?')
      await page.getByRole('dialog').waitFor()
      await expectGood(page, 'help', TWO_LOOKS)
      await page.keyboard.press('Escape')
      await page.keyboard.press('g')
      await page.keyboard.press('w')
      await page.getByRole('heading', { name: 'Workloads' }).waitFor()
    })
  })

  it('keep the picture while the cloud is away, say how old it is, and catch up', async () => {
    await signedIn(async (page) => {
      await page.getByRole('link', { name: 'Devices', exact: true }).click()
      await page.getByRole('rowheader').first().waitFor()
      await served.stop()
      await page.getByText(/No contact with the cloud, trying again\. Data is \d+ s old\./).waitFor()
      expect(await page.getByRole('rowheader').count()).toBe(3)
      await expectGood(page, 'reconnecting', TWO_LOOKS)
      await page.getByRole('button', { name: 'Save as CSV' }).click()
      await page.getByText('It did not come whole').waitFor()
      await store.create('nodes', node('gw-kassel-4', 'True'))
      await served.start()
      await page.getByRole('rowheader', { name: 'gw-kassel-4' }).waitFor()
      expect(await page.getByText('No contact').count()).toBe(0)
    })
  })

  it('say that the cloud does not answer, also before it ever did', async () => {
    const page = await browser.context.newPage()
    await page.route('**/console/api/stream', (route) => route.fulfill({ status: 503, body: '{}' }))
    await page.goto(served.at(`/devices#token=${TOKEN}`))
    await page.getByText(/^No contact with the cloud, trying again\.$/).waitFor()
    await page.unroute('**/console/api/stream')
    await page.getByRole('rowheader').first().waitFor()
    await page.close()
  })

  it('give their connection back while nobody sees them: more tabs than a browser has connections', async () => {
    const tabs: Page[] = []
    const turn = (page: Page, hidden: boolean): Promise<void> =>
      page.evaluate<void>(`{
        Object.defineProperty(document, 'hidden', { configurable: true, value: ${hidden} })
        document.dispatchEvent(new Event('visibilitychange'))
      }`)
    for (let count = 0; count < 8; count += 1) {
      const page = await browser.context.newPage()
      tabs.push(page)
      await page.goto(served.at(`/devices#token=${TOKEN}`))
      await page.getByRole('rowheader').first().waitFor()
      await turn(page, true)
    }
    const [first] = tabs
    await store.create('nodes', node('gw-kassel-8', 'True'))
    if (first !== undefined) await turn(first, false)
    await first?.getByRole('rowheader', { name: 'gw-kassel-8' }).waitFor()
    await Promise.all(tabs.map((page) => page.close()))
  })

  it('give markup in names and messages no effect', async () => {
    const evil = pod('evil', 'e1', {
      status: { ...RUNNING, phase: 'Pending', conditions: [{ type: 'PodScheduled', status: 'False', message: MARKUP }] },
    })
    await store.create('pods', { ...evil, metadata: { ...evil.metadata, name: MARKUP } })
    await signedIn(async (page) => {
      for (const where of ['/', '/pods', '/events']) {
        await page.goto(served.at(where))
        await page.locator('h1').waitFor()
        if (where !== '/events') await page.getByText('onerror').first().waitFor()
        expect(await page.locator('img').count()).toBe(0)
        expect(await page.evaluate('window.hacked')).toBeUndefined()
      }
    })
  })
})

/** name, address, a text that says that its data is there; every page in every state of a real cloud: console-walk.test.ts */
const PAGES: readonly (readonly [string, string, RegExp | string])[] = [
  ['overview', '/', 'What is wrong, by cause'],
  ['devices', '/devices', 'gw-kassel-2'],
  ['field', '/devices?view=field', 'not-placed'],
  ['device', '/devices/gw-kassel-1', 'Asked of it'],
  ['workloads', '/workloads', 'modbus-bridge'],
  ['workload', '/workloads/Deployment/line-2/vision-qc', '0 of 3 devices'],
  ['why-here', '/why/line-2/vision-qc-7d4b9-x1?on=gw-kassel-1', 'Every rule on this device'],
  ['rollouts', '/rollouts', 'sensor-2'],
  ['rollout', '/rollouts/line-2/sensor-2', 'The same as a table'],
  ['apply', '/apply?new=deployment', 'What it would do'],
]
/** as somebody else left it */
const HELLO_SPEC = {
  replicas: 3,
  selector: { matchLabels: { app: 'hello' } },
  template: { metadata: { labels: { app: 'hello' } }, spec: { containers: [{ name: 'main', image: 'busybox:1.35' }] } },
}

function isThere({ spec, metadata }: Pod, device: string): boolean {
  return spec.nodeName === device && metadata.deletionTimestamp === undefined
}

function deploymentNow(stored: StoredObject | null): KubeObject {
  return JSON.parse(stored?.json ?? '{}') as KubeObject
}

describe('the server', () => {
  it('gives data only to who may read, and no environment values to anybody', async () => {
    for (const where of ['/api/stream', '/api/kinds', '/api/why?pod=x', '/api/none']) expect((await served.ask(where, {})).status, where).toBe(401)
    const tab = await openTab(served)
    const list = (table: 'devices' | 'pods' | 'workloads'): unknown => ({
      part: 'list',
      table,
      query: '',
      sort: '',
      offset: 0,
      limit: 100,
      facets: true,
    })
    await tab.wish({ a: list('devices'), b: list('pods'), c: list('workloads'), d: { part: 'device', name: 'gw-kassel-1' } } as never)
    await eventually(async () => expect(JSON.stringify(tab.messages)).toContain('vision-qc'))
    expect(JSON.stringify(tab.messages)).not.toContain(SECRET)
    expect(await tab.wish({ x: { part: 'all' } } as never)).toBe(400)
    tab.close()
    expect((await fetch(served.at('/'), { method: 'POST' })).status).toBe(405)
  })

  it('serves hashed files for ever, compressed, and the page for every route', async () => {
    const page = await served.ask('/workloads/Deployment/a/b', {})
    const html = await page.text()
    expect(page.headers.get('cache-control')).toBe('no-cache')
    expect(page.headers.get('content-security-policy')).toContain("default-src 'none'; script-src 'self'; style-src 'self'")
    const script = await served.ask(`/${/assets\/[^"]+\.js/.exec(html)?.[0] ?? 'none'}`, { 'accept-encoding': 'gzip' })
    expect(script.status).toBe(200)
    expect(script.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(script.headers.get('content-encoding')).toBe('gzip')
    expect((await served.ask('/assets/..%2f..%2fpackage.json')).status).toBe(404)
    expect((await served.ask('/assets/none.js')).status).toBe(404)
  })

  it('sends a burst of changes as few messages, and only rows of the window', async () => {
    const tab = await openTab(served)
    await tab.wish({ list: { part: 'list', table: 'devices', query: '', sort: 'name', offset: 0, limit: 20, facets: false } })
    await eventually(async () => expect(tab.messages).toHaveLength(1))
    for (let count = 0; count < 200; count += 1) await store.create('nodes', node(`gw-burst-${String(count).padStart(3, '0')}`, 'True'))
    const last = (): ListPart | undefined => tab.messages.at(-1)?.parts['list'] as ListPart | undefined
    await eventually(async () => expect(last()?.total).toBe(203))
    expect(tab.messages.length).toBeLessThan(12)
    for (const { parts } of tab.messages) expect((parts['list'] as ListPart).keys.length).toBeLessThanOrEqual(20)
    const told = tab.messages.length
    await store.update('nodes', node('gw-kassel-3', 'True'), null)
    await store.update('nodes', node('gw-burst-000', 'Unknown'), null)
    await eventually(async () => expect(tab.messages.length).toBeGreaterThan(told))
    // gw-kassel-3 is below the window: only the row that is seen was sent
    expect((last()?.rows ?? []).map((row) => ('name' in row ? row.name : ''))).toEqual(['gw-burst-000'])
    tab.close()
  })
})
