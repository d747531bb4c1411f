/** The console with a hundred thousand devices: what the cloud needs for it, and how smoothly a real browser shows it. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'vite'
import { fleetTables } from '../../cloud/console/fleet-tables.ts'
import { RowView } from '../../cloud/console/row-view.ts'
import { layoutField } from '../../cloud/console/web/field/layout.ts'
import { paintField } from '../../cloud/console/web/field/paint.ts'
import { deviceName, largeFleet } from '../../test/fakes/large-fleet.ts'
import type { LargeFleet } from '../../test/fakes/large-fleet.ts'
import { pretendDevice } from '../../test/fixtures/console-devices.ts'
import { openTab, serveConsole } from '../../test/integration/console-harness.ts'
import type { Served } from '../../test/integration/console-harness.ts'
import { benchBrowser } from './console-browser.ts'

const DEVICES = 100_000
const say = (text: string): void => void process.stdout.write(`${text}\n`)
const ms = (value: number): string => `${value.toFixed(1)} ms`

export async function benchConsole(): Promise<void> {
  benchQueries()
  benchPaint()
  const assetsDir = await mkdtemp(path.join(tmpdir(), 'skerry-bench-console-'))
  await build({ configFile: 'cloud/console/web/vite.config.ts', logLevel: 'warn', build: { outDir: assetsDir, emptyOutDir: true } })
  const fleet = await largeFleet(DEVICES)
  const served = await serveConsole({ store: fleet.store, assetsDir, facts: (device) => fleet.facts(device) })
  try {
    const from = performance.now()
    const first = await openTab(served)
    say(`first tab: the picture of ${DEVICES} devices was made in ${ms(performance.now() - from)}`)
    first.close()
    await benchTabs(fleet, served, 50, 1000)
    await benchBrowser(fleet, served)
  } finally {
    await served.stop()
    await rm(assetsDir, { recursive: true, force: true })
  }
}

/** A new question to a fleet in memory: filter, order, window and facets. */
function benchQueries(): void {
  const { devices } = fleetTables(() => 0)
  for (let at = 0; at < DEVICES; at += 1)
    devices.put(
      pretendDevice(deviceName(at), { labels: { site: `site-${at % 40}` }, agent: `v1.${at % 6}.0`, standing: at % 97 === 0 ? 'failed' : 'ok' }),
    )
  const queries = ['', 'state:failed', 'site:site-7', 'agent<1.4', 'gw-0999', 'site:site-7 agent<1.4 -state:failed']
  const times: number[] = []
  const cpuMs = (): number => (process.cpuUsage().user + process.cpuUsage().system) / 1000
  for (let round = 0; round < 8; round += 1)
    for (const query of queries) {
      const from = cpuMs()
      const view = new RowView(devices, query, 'trouble')
      view.refresh(() => performance.now())
      view.window(0, 100)
      view.facets(['site'])
      if (round > 0) times.push(cpuMs() - from)
    }
  say(`query of ${DEVICES} devices with facets: CPU time p50 ${ms(quantile(times, 0.5))}, p95 ${ms(quantile(times, 0.95))} (aim 150)`)
}

function benchPaint(): void {
  const layout = layoutField(
    Array.from({ length: 40 }, () => DEVICES / 40),
    860,
  )
  const palette = { failed: 1, 'not-placed': 2, offline: 3, degraded: 4, updating: 5, 'never-seen': 6, ok: 7 }
  const bytes = new Uint8Array(DEVICES).map((_, at) => at % 7)
  const [width, height] = [860, Math.ceil(layout.height)]
  const pixels = new Uint32Array(width * height)
  const times = Array.from({ length: 60 }, () => {
    const from = performance.now()
    pixels.fill(0)
    paintField(pixels, { layout, bytes, top: 0, ratio: 1, width, height }, palette)
    return performance.now() - from
  })
  say(`field: all ${DEVICES} dots painted in p50 ${ms(quantile(times, 0.5))}, p95 ${ms(quantile(times, 0.95))} (aim 8)`)
}

/** Tabs that look at different windows while the fleet changes. */
async function benchTabs(fleet: LargeFleet, served: Served, count: number, perSecond: number): Promise<void> {
  const tabs = await Promise.all(Array.from({ length: count }, () => openTab(served)))
  await Promise.all(
    tabs.map((tab, at) =>
      tab.wish({
        list: {
          part: 'list',
          table: 'devices',
          query: `site:site-${String(at % 40).padStart(2, '0')}`,
          sort: '',
          offset: 0,
          limit: 100,
          facets: true,
        },
        sum: { part: 'summary' },
      }),
    ),
  )
  const before = tabs.map((tab) => tab.messages.length)
  const cpu = process.cpuUsage()
  const from = performance.now()
  const timer = setInterval(() => {
    for (const name of fleet.churn(perSecond / 20)) served.changed(name)
  }, 50)
  await new Promise((resolve) => setTimeout(resolve, 6000))
  clearInterval(timer)
  const seconds = (performance.now() - from) / 1000
  const used = process.cpuUsage(cpu)
  const rates = tabs.map((tab, at) => (tab.messages.length - (before[at] ?? 0)) / seconds)
  const load = (((used.user + used.system) / 1e6 / seconds) * 100).toFixed(0)
  const most = Math.max(...rates).toFixed(2)
  say(`${count} tabs, ${perSecond} changes/s: at most ${most} messages/s a tab; ${load} % of a CPU (with the tabs)`)
  for (const tab of tabs) tab.close()
}

function quantile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? 0
}
