/** Measures of a page by the browser itself: how the first picture came, how often it jumped, what is kept. */
import type { CDPSession, Page } from 'playwright-core'

/** A small phone on a poor line. */
export async function loadOnSlowLine(cdp: CDPSession): Promise<void> {
  await cdp.send('Network.enable')
  await cdp.send('Network.emulateNetworkConditions', { offline: false, latency: 150, downloadThroughput: 200_000, uploadThroughput: 200_000 })
  await cdp.send('Emulation.setCPUThrottlingRate', { rate: 4 })
}

/** Milliseconds; `cls` is the browser's measure of jumps. */
export interface LoadSeen {
  readonly lcp: number
  readonly tbt: number
  readonly cls: number
}

/** Before the page is opened: `loadSeen()` in it then answers LCP, TBT and CLS so far. */
export async function watchLoad(page: Page): Promise<void> {
  await page.addInitScript(`{
    const seen = { lcp: 0, tbt: 0, cls: 0 }
    const watch = (type, take) => new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true })
    watch('largest-contentful-paint', (one) => { seen.lcp = one.startTime })
    watch('longtask', (one) => { seen.tbt += Math.max(0, one.duration - 50) })
    watch('layout-shift', (one) => { if (!one.hadRecentInput) seen.cls += one.value })
    window.loadSeen = () => seen
  }`)
}

/** Bytes that scripts of the page hold after everything that nobody holds was given back. */
export async function heapAfterCollection(cdp: CDPSession): Promise<number> {
  await cdp.send('HeapProfiler.enable')
  for (let round = 0; round < 3; round += 1) await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  return usedSize
}
