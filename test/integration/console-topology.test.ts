/** The topology page of the console in a real browser. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { build } from 'vite'
import type { TopologyAnswer } from '../../cloud/core/topology-answer.ts'
import { openMemoryStore } from '../../cloud/store/memory-store.ts'
import { topologyFacts } from '../../protocol/topology-facts.ts'
import type { PlaceFacts } from '../../protocol/topology-facts.ts'
import { fillStore } from '../fixtures/console-fleet.ts'
import { LOOKS, axeViolations, fitsWidth, look, openBrowser } from './browser.ts'
import type { Browser } from './browser.ts'
import { serveConsole, TOKEN } from './console-harness.ts'
import type { Served } from './console-harness.ts'

const GIB = 2 ** 30
const place = (name: string, cpus: string, when: PlaceFacts['when'], memoryNodes = ''): PlaceFacts => ({
  name,
  cpus,
  memoryNodes,
  gpus: when === 'both' ? ['GPU-1'] : [],
  memoryBytes: GIB,
  pids: when === 'both' ? '812 main; 4 in all; at most 64' : 'at most 64',
  when,
})

const SMALL = topologyFacts(
  {
    onlineCpus: '0-7',
    numaNodes: [0, 1].map((id) => ({ id, cpus: `${4 * id}-${4 * id + 3}`, memoryBytes: 8 * GIB })),
    distances: [
      [10, 21],
      [21, 10],
    ],
    coreCpus: ['0-1', '2-3', '4-5', '6-7'],
    cacheCpus: ['0-3', '4-7'],
    accelerators: [{ id: 'GPU-1', kind: 'gpu', model: 'NVIDIA L4', numaNode: 1 }],
    pciNics: [{ address: '0000:3b:00.0', class: '0200', numaNode: 0 }],
  },
  7_000,
  [place('line/vision', '4-5', 'both', '1'), place('line/wrong', '2', 'both', '1'), place('line/next', '6-7', 'plan', '1')],
)
const LARGE = topologyFacts(
  {
    onlineCpus: '0-255',
    numaNodes: [0, 1].map((id) => ({ id, cpus: `${128 * id}-${128 * id + 127}` })),
    coreCpus: Array.from({ length: 128 }, (_, core) => `${2 * core}-${2 * core + 1}`),
  },
  null,
  [],
)
const NULLS = { nodes: [null, { id: null, cpus: null, distances: null }], onlineCpus: null, cores: null, devices: [null], places: [{ name: null }] }
const ANSWERS: Readonly<Record<string, unknown>> = { 'gw-kassel-1': SMALL, large: LARGE, nulls: NULLS, nothing: null }

let browser: Browser
let served: Served
let assetsDir: string

beforeAll(async () => {
  assetsDir = await mkdtemp(path.join(tmpdir(), 'skerry-console-'))
  await build({ configFile: 'cloud/console/web/vite.config.ts', logLevel: 'warn', build: { outDir: assetsDir, emptyOutDir: true } })
  const store = openMemoryStore()
  await fillStore(store)
  const topologyOf = (device: string): TopologyAnswer | null =>
    Object.hasOwn(ANSWERS, device) ? { device, toldAt: '2026-03-04T10:00:00Z', facts: ANSWERS[device] as TopologyAnswer['facts'] } : null
  served = await serveConsole({ store, assetsDir, topologyOf })
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await served?.stop()
  await rm(assetsDir, { recursive: true, force: true })
})

async function opened(device: string, use: (page: Page) => Promise<void>): Promise<void> {
  const page = await browser.context.newPage()
  const failures: string[] = []
  page.on('pageerror', (error) => failures.push(error.message))
  page.on('console', (message) => (message.text().includes('Content Security') ? failures.push(message.text()) : undefined))
  try {
    await page.goto(served.at(`/devices/${device}/topology#token=${TOKEN}`))
    await page.getByRole('heading', { name: `Topology of ${device}` }).waitFor()
    await use(page)
    expect(failures).toEqual([])
  } finally {
    await page.close()
  }
}

async function cleanInEveryLook(page: Page, what: string): Promise<void> {
  for (const one of LOOKS) {
    await look(page, one)
    await page.screenshot({ path: path.join(assetsDir, `topology-${what}-${one.width}-${one.scheme}.png`), fullPage: true })
    expect(await axeViolations(page), `${what} ${JSON.stringify(one)}`).toEqual([])
    expect(await fitsWidth(page), `${what} ${JSON.stringify(one)}`).toBe(true)
  }
}

it('draws what is, what would be and what changes, tells each square by tap and key, and dims what is not asked for', async () => {
  await opened('gw-kassel-1', async (page) => {
    const second = page.getByRole('listbox', { name: /^node 1/ })
    await second.getByRole('option', { name: /^CPU 4,/ }).click()
    expect(await page.locator('.said').innerText()).toBe('CPU 4, node 1; A = line/vision, PIDs 812 main; 4 in all; at most 64')
    const wrong = page.getByRole('option', { name: /VIOLATION: the memory of B is on node 1/ })
    expect(await wrong.textContent()).toContain('B!')
    expect(await second.getByRole('option', { name: /line\/next/ }).count()).toBe(0)
    await page.getByRole('button', { name: 'Plan', exact: true }).click()
    expect(await second.getByRole('option', { name: /line\/next \(would go here\)/ }).count()).toBe(2)
    await second.focus()
    await page.keyboard.press('Home')
    await page.keyboard.press('ArrowRight')
    expect(await page.locator('.said').innerText()).not.toBe('')
    await page.getByRole('button', { name: 'A line/vision' }).click()
    expect(await page.locator('.topo .dim').count()).toBeGreaterThan(4)
    await page.getByText('Topology as a table').click()
    expect(await page.locator('table').innerText()).toMatch(/4-5\s+A line\/vision\s+812 main; 4 in all; at most 64/)
    await cleanInEveryLook(page, 'small')
  })
})

it('draws two sockets of 128 threads, and a device that says nothing at all', async () => {
  await opened('large', async (page) => {
    await page.getByRole('option', { name: 'CPU 255, node 1' }).waitFor()
    expect(await page.getByRole('option', { name: /^CPU / }).count()).toBe(256)
    await cleanInEveryLook(page, 'large')
  })
  for (const device of ['nulls', 'nothing']) {
    await opened(device, async (page) => {
      await page.getByText('Topology as a table').waitFor()
      await cleanInEveryLook(page, device)
    })
  }
})
