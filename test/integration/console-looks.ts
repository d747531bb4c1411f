/** Looks of the console that tests hold: what every page must be in each of them, and a picture for people. */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { expect } from 'vitest'
import { LOOKS, axeViolations, fitsWidth, look } from './browser.ts'
import type { Look } from './browser.ts'

/** states beside the usual one: a phone by night, a laptop by day */
export const TWO_LOOKS: readonly Look[] = LOOKS.filter(({ width, scheme }) => (width === 360) === (scheme === 'dark'))

/** artefacts for whoever wants to look; not kept */
export const SHOTS = path.resolve('dist/screenshots')

/** Every look of the page as it is: no violation, nothing wider than the screen, and a picture for people. */
export async function expectGood(page: Page, name: string, looks: readonly Look[] = LOOKS): Promise<void> {
  mkdirSync(SHOTS, { recursive: true })
  for (const one of looks) {
    await look(page, one)
    await page.screenshot({ path: path.join(SHOTS, `${name}-${one.width}-${one.scheme}.png`), fullPage: true })
    // by night the same page differs in its colours only
    const again = one.scheme === 'dark' && looks.some(({ width, scheme }) => width === one.width && scheme === 'light')
    expect(await axeViolations(page, again), `${name} ${JSON.stringify(one)}`).toEqual([])
    expect(await fitsWidth(page), `${name} ${JSON.stringify(one)}`).toBe(true)
  }
}
