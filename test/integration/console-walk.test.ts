/**
 * The first day of an operator, in a real browser, with a real cloud and two gateways with real engines: sign in, see a device, deploy,
 * watch, roll out, break it, understand why, roll back. Each step leaves a picture; those in the docs were made by this test.
 */
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { openBrowser } from './browser.ts'
import type { Browser } from './browser.ts'
import { buildOnce } from './build-once.ts'
import { whyNoDockerd } from './private-dockerd.ts'
import { whyNoKubectl } from './programs.ts'

const why = whyNoDockerd() ?? whyNoKubectl()
if (why !== null) console.warn(`the walk through the console: not run: ${why}`)

const SHOTS = path.resolve('dist/screenshots/walk')

const SENSOR = `apiVersion: apps/v1
kind: DaemonSet
metadata:
  name: sensor
  namespace: default
  annotations:
    skerry.dev/update-strategy: InPlace
spec:
  selector:
    matchLabels: { app: sensor }
  template:
    metadata:
      labels: { app: sensor }
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - name: main
          image: sensor:1
          command: [sh, -c, 'while true; do echo 21.5 C; sleep 1; done']
`

const rolloutTo = (name: string, image: string): string => `apiVersion: skerry.dev/v1
kind: Rollout
metadata:
  name: ${name}
  namespace: default
spec:
  release:
    - daemonSet: sensor
      images: { main: '${image}' }
  waves:
    - { name: canary, count: 1 }
    - { name: rest }
  gate: { healthyPercent: 100, soakSeconds: 1, maxFailures: 0 }
  deadlineSeconds: 15
`

describe.skipIf(why !== null)('the first day in the console', () => {
  let bed: Testbed
  let browser: Browser
  let page: Page
  let step = 0

  const at = (where: string): string => `http://127.0.0.1:${bed.cloud.ports.http}/console${where}`
  const picture = async (name: string): Promise<void> => {
    step += 1
    await page.screenshot({ path: path.join(SHOTS, `${step}-${name}.png`) })
  }
  const apply = async (text: string): Promise<void> => {
    await page.goto(at('/apply'))
    await page.getByLabel(/^Manifest/).fill(text)
    await page.getByRole('button', { name: 'Check' }).click()
    await page.getByText('will be created').waitFor()
  }
  const doApply = async (): Promise<void> => {
    await page.getByRole('button', { name: 'Apply one change' }).click()
    await page.getByText(/^Applied:/).waitFor()
  }

  beforeAll(async () => {
    mkdirSync(SHOTS, { recursive: true })
    await buildOnce()
    bed = await createTestbed({ gateways: 2, images: ['sensor:1', 'sensor:2'], first: 81 })
    browser = await openBrowser()
    page = await browser.context.newPage()
    await page.setViewportSize({ width: 1280, height: 800 })
  })
  afterAll(async () => {
    await browser?.close()
    await bed?.destroy()
  })

  it('signs in with the token and sees the devices', async () => {
    await page.goto(at('/'))
    await page.getByLabel('Token').waitFor()
    await picture('sign-in')
    await page.getByLabel('Token').fill(bed.cloud.token())
    await page.getByRole('button', { name: 'Open the console' }).click()
    await page.getByRole('heading', { name: 'Everything runs as wanted.' }).waitFor()
    await page.locator('.tiles a', { hasText: 'OK' }).filter({ hasText: 'of 2' }).waitFor()
    await picture('overview')
    await page.getByRole('link', { name: 'Devices', exact: true }).click()
    await page.getByRole('rowheader').first().getByRole('link').click()
    await page.getByText('Nothing is wanted there.').waitFor()
    await picture('device')
  })

  it('deploys, and watches it run', async () => {
    await apply(SENSOR)
    await picture('apply')
    await doApply()
    await page.goto(at('/workloads/DaemonSet/default/sensor'))
    await page.getByText('2 of 2 ready').waitFor()
    await picture('workload')
    await page
      .getByRole('link', { name: /^Logs of/ })
      .first()
      .click()
    await page.getByText('21.5 C').first().waitFor()
    await picture('logs')
  })

  it('rolls a release out in waves, done when it is healthy', async () => {
    await apply(rolloutTo('sensor-2', 'sensor:2'))
    await page.getByText('2 devices would change').waitFor()
    await picture('plan')
    await doApply()
    expect(await bed.cloud.kubectl('get', 'rollout', 'sensor-2', '-o', 'jsonpath={.spec.planId}')).toMatch(/^[a-f0-9]{16}$/)
    await page.goto(at('/rollouts/default/sensor-2'))
    await page.locator('.standing', { hasText: 'completed' }).waitFor({ timeout: 60_000 })
    expect(await page.locator('.wave').count()).toBeGreaterThanOrEqual(2)
    await picture('rollout')
  })

  it('breaks it, is stopped by the gate, understands why, and rolls back', async () => {
    await apply(rolloutTo('sensor-3', 'sensor:none'))
    await doApply()
    await page.goto(at('/rollouts/default/sensor-3'))
    await page.locator('.standing', { hasText: 'paused' }).waitFor({ timeout: 90_000 })
    await page.locator('.failure').first().waitFor()
    await picture('paused-by-rule')
    await page.goto(at('/'))
    await page.getByRole('link', { name: 'Waiting for you (1)' }).waitFor()
    await page.locator('.cause-group').first().waitFor()
    await picture('what-is-wrong')
    await page.getByRole('link', { name: 'Explain' }).first().click()
    await page.locator('.answer').waitFor()
    await picture('why')
    await page.getByRole('link', { name: 'Waiting for you (1)' }).click()
    await page.getByRole('link', { name: /^sensor-3/ }).click()
    await page.getByRole('button', { name: 'Abort and roll back all' }).click()
    await page.getByLabel(/^Why\?/).fill('the image does not exist')
    await picture('roll-back')
    await page.getByRole('dialog').getByRole('button', { name: 'Abort and roll back all' }).click()
    await page.locator('.standing', { hasText: 'aborted' }).waitFor({ timeout: 60_000 })
    await page.goto(at('/'))
    await page.getByRole('heading', { name: 'Everything runs as wanted.' }).waitFor({ timeout: 60_000 })
    await picture('fine-again')
    await eventually('both gateways run the release before', async () => {
      const images = await bed.cloud.kubectl('get', 'pods', '-o', 'jsonpath={.items[*].status.containerStatuses[*].image}')
      return images.split(' ').filter((image) => image.includes('sensor:2')).length === 2 ? null : images
    })
  })
})
