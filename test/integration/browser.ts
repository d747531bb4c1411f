/** A real Chromium for tests, and axe-core inside its pages. */
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { chromium } from 'playwright-core'
import type { BrowserContext, Page } from 'playwright-core'

export interface Browser {
  readonly context: BrowserContext
  close(): Promise<void>
}

/** Debian's Chromium with a profile of its own that is thrown away. */
export async function openBrowser(): Promise<Browser> {
  const profile = await mkdtemp(path.join(tmpdir(), 'skerry-browser-'))
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
  })
  context.setDefaultTimeout(90_000)
  return {
    context,
    close: async () => {
      await context.close()
      // a process of it may still write
      await rm(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 })
    },
  }
}

export interface Look {
  readonly width: number
  readonly scheme: 'light' | 'dark'
}

/** Phone and laptop, by day and by night. */
export const LOOKS: readonly Look[] = [360, 1280].flatMap((width) => (['light', 'dark'] as const).map((scheme) => ({ width, scheme })))

/** Applies a width and a colour scheme. */
export async function look(page: Page, { width, scheme }: Look): Promise<void> {
  await page.setViewportSize({ width, height: 800 })
  await page.emulateMedia({ colorScheme: scheme })
}

interface AxeResult {
  readonly violations: readonly { readonly id: string; readonly nodes: readonly { readonly html: string; readonly failureSummary?: string }[] }[]
}

/** What axe-core finds wrong with the page as it is now, one line each. `colors` = only its rules of colour: the rest was looked at already. */
export async function axeViolations(page: Page, colors = false): Promise<readonly string[]> {
  // once a page: it is half a megabyte of script
  if (!(await page.evaluate<boolean>('typeof axe === "object"')))
    await page.evaluate(await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8'))
  const result = await page.evaluate<AxeResult>(
    `axe.run(document, { resultTypes: ['violations'] ${colors ? ", runOnly: { type: 'rule', values: ['color-contrast', 'link-in-text-block'] }" : ''} })`,
  )
  return result.violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.html.slice(0, 160)} ${node.failureSummary ?? ''}`))
}

/** True when nothing is wider than the screen. */
export async function fitsWidth(page: Page): Promise<boolean> {
  return page.evaluate<boolean>('document.documentElement.scrollWidth <= window.innerWidth')
}
