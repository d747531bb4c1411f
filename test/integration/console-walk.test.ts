/**
 * The console in a real browser with a real cloud, two gateways with real engines, and pretend devices beside them.
 * First the first day of an operator: sign in, see a device, deploy, watch, roll out, break it, understand why, roll back. Each step
 * leaves a picture; those in the docs were made by this test. Then every page in every state.
 */
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { gunzipSync } from 'node:zlib'
import type { Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { CloudApi } from '../../scripts/fleet/cloud-api.ts'
import { PretendDevice } from '../../scripts/fleet/pretend-device.ts'
import { createCloud } from '../../scripts/testbed/cloud-process.ts'
import type { CloudProcess } from '../../scripts/testbed/cloud-process.ts'
import { createTestbed, eventually } from '../../scripts/testbed/testbed.ts'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { Prng } from '../sim/prng.ts'
import { openBrowser } from './browser.ts'
import type { Browser } from './browser.ts'
import { buildOnce } from './build-once.ts'
import { TWO_LOOKS, expectGood } from './console-looks.ts'
import { PAGES, STATES } from './console-states.ts'
import type { PageRow, Shown, State, World } from './console-states.ts'
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

const rolloutTo = (name: string, image: string, deadline: number): string => `apiVersion: skerry.dev/v1
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
  deadlineSeconds: ${deadline}
`

/** more than any device has */
const GREEDY = `apiVersion: apps/v1
kind: Deployment
metadata:
  name: greedy
  namespace: default
spec:
  replicas: 1
  selector:
    matchLabels: { app: greedy }
  template:
    metadata:
      labels: { app: greedy }
    spec:
      containers:
        - name: main
          image: sensor:1
          resources:
            requests: { cpu: '640' }
`

/** A browser has six connections to a cloud over plain HTTP: one a tab, one more for a log, and some to ask with. */
const TABS = 4

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
  /** every device is a dot by now */
  const painted = (): Promise<void> => page.locator('canvas[data-painted="2"]').waitFor()
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
    await painted()
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
    await apply(rolloutTo('sensor-2', 'sensor:2', 120))
    await page.getByText('2 devices would change').waitFor()
    await picture('plan')
    await doApply()
    expect(await bed.cloud.kubectl('get', 'rollout', 'sensor-2', '-o', 'jsonpath={.spec.planId}')).toMatch(/^[a-f0-9]{16}$/)
    await page.goto(at('/rollouts/default/sensor-2'))
    await page.locator('.standing', { hasText: 'completed' }).waitFor({ timeout: 120_000 })
    expect(await page.locator('.wave').count()).toBeGreaterThanOrEqual(2)
    await picture('rollout')
  })

  it('breaks it, is stopped by the gate, understands why, and rolls back', async () => {
    // without a registry the engine needs some ten seconds to say so
    await apply(rolloutTo('sensor-3', 'sensor:none', 45))
    await doApply()
    await page.goto(at('/rollouts/default/sensor-3'))
    await page.locator('.standing', { hasText: 'paused' }).waitFor({ timeout: 150_000 })
    await page.locator('.failure', { hasText: 'could not be pulled' }).waitFor()
    await page.locator('.members', { hasText: 'failed' }).waitFor()
    await picture('paused-by-rule')
    await page.goto(at('/'))
    await page.getByRole('link', { name: 'Waiting for you (1)' }).waitFor()
    await page.locator('.cause-group').first().waitFor()
    await painted()
    await picture('what-is-wrong')
    await page.getByRole('link', { name: 'Explain' }).first().click()
    await page.locator('.answer').waitFor()
    await picture('why')
    await page.getByRole('link', { name: 'Waiting for you (1)' }).click()
    await page.getByRole('link', { name: /^sensor-3/ }).click()
    await page.getByRole('button', { name: 'Abort and roll back all' }).click()
    await page.getByLabel(/^Why\?/).fill('the image does not exist')
    await page.locator('.members', { hasText: 'failed' }).waitFor()
    await picture('roll-back')
    await page.getByRole('dialog').getByRole('button', { name: 'Abort and roll back all' }).click()
    await page.locator('.standing', { hasText: 'aborted' }).waitFor({ timeout: 120_000 })
    await page.goto(at('/'))
    await page.getByRole('heading', { name: 'Everything runs as wanted.' }).waitFor({ timeout: 120_000 })
    await painted()
    await picture('fine-again')
    await eventually('both gateways run the release before', async () => {
      const images = await bed.cloud.kubectl('get', 'pods', '-o', 'jsonpath={.items[*].status.containerStatuses[*].image}')
      return images.split(' ').filter((image) => image.includes('sensor:2')).length === 2 ? null : images
    })
  })

  describe('and every page, in every state', () => {
    const pretend: PretendDevice[] = []
    let world: World

    const shownIn = (state: State): readonly (readonly [PageRow, Shown])[] =>
      PAGES.flatMap((row) => {
        const one = row.states[state]
        return typeof one === 'string' ? [] : [[row, one] as const]
      })
    const show = async (tab: Page, cloud: CloudProcess, one: Shown): Promise<void> => {
      await tab.goto(consoleOf(cloud, one.at(world)))
      if (one.typed !== undefined) {
        await tab.getByLabel(/^Manifest/).fill(one.typed)
        await tab.getByRole('button', { name: 'Check' }).click()
      }
      await tab.getByText(one.says(world)).filter({ visible: true }).first().waitFor()
    }
    const allOf = async (state: State, cloud: CloudProcess): Promise<void> => {
      const tab = await openTab(cloud)
      for (const [row, one] of shownIn(state)) {
        await show(tab, cloud, one)
        await expectGood(tab, `${row.name}-${state}`, TWO_LOOKS)
      }
      await tab.close()
    }
    const consoleOf = (cloud: CloudProcess, where: string): string => `http://127.0.0.1:${cloud.ports.http}/console${where}`
    /** signed in; fails when the page does */
    const openTab = async (cloud: CloudProcess): Promise<Page> => {
      const tab = await browser.context.newPage()
      tab.on('pageerror', (error) => failures.push(error.message))
      tab.on('console', (message) => (message.text().includes('Content Security') ? failures.push(message.text()) : undefined))
      await tab.goto(consoleOf(cloud, `/nowhere#token=${cloud.token()}`))
      await tab.getByText('There is nothing here').waitFor()
      return tab
    }
    const failures: string[] = []
    const podOn = async (device: string): Promise<string> =>
      await bed.cloud.kubectl(
        'get',
        'pods',
        '-l',
        'app=sensor',
        '--field-selector',
        `spec.nodeName=${device}`,
        '-o',
        'jsonpath={.items[*].metadata.name}',
      )

    beforeAll(async () => {
      await page.close()
      const api = new CloudApi(bed.cloud)
      for (const number of [1, 2, 3, 4]) {
        const join = { ...(await api.join(`edge-${number}`)), url: `mqtt://127.0.0.1:${bed.cloud.ports.mqtt}` }
        const temper = { slowMs: 20, pullMs: 50, bad: 'no-image', badImages: ':none$' } as const
        const device = new PretendDevice(`edge-${number}`, join, temper, new Prng(number))
        pretend.push(device)
        device.boot()
        device.connect()
      }
      await eventually('all run the sensor', async () => {
        const ready = await bed.cloud.kubectl('get', 'daemonset', 'sensor', '-o', 'jsonpath={.status.numberReady}')
        return ready === '6' ? null : `${ready} ready`
      })
      const gateway = bed.gateways[0]?.name ?? ''
      const other = bed.gateways[1]?.name ?? ''
      await bed.cloud.kubectl('label', 'nodes', 'edge-1', 'edge-2', gateway, 'site=kassel')
      await bed.cloud.kubectl('label', 'nodes', 'edge-3', 'edge-4', other, 'site=line-2')
      for (const [device, place] of [
        [gateway, '51.31,9.48'],
        ['edge-1', '52.52,13.40'],
        ['edge-4', '48.14,11.58'],
      ] as const)
        await bed.cloud.kubectl('annotate', 'node', device, `skerry.dev/location=${place}`)
      const names = { gateway, pretend: 'edge-1', away: 'edge-4' }
      world = { ...names, realPod: await podOn(gateway), pretendPod: await podOn('edge-1'), greedyPod: '' }
    })
    afterEach(async () => {
      // those of a test that failed would hold connections of the next
      for (const tab of browser.context.pages().slice(1)) await tab.close()
    })
    afterAll(async () => {
      for (const device of pretend) await device.cut()
    })

    it('has each page of the app in the table, with all of its states', () => {
      const app = readFileSync('cloud/console/web/app.tsx', 'utf8')
      const routes = [...app.matchAll(/<Route (?:path="([^"]+)"|(default))/g)].map(([, route, other]) => route ?? other)
      expect(routes.length).toBeGreaterThan(10)
      expect(new Set(PAGES.map(({ route }) => route))).toEqual(new Set(routes))
      for (const { name, states } of PAGES) expect(Object.keys(states).toSorted(), name).toEqual([...STATES].toSorted())
    })

    it('when all is well', async () => {
      await allOf('normal', bed.cloud)
      expect(failures).toEqual([])
    })

    it('before the first device', async () => {
      const cloud = await createCloud(path.join(bed.dir, 'bare'))
      try {
        cloud.child.start()
        await cloud.ready()
        await allOf('empty', cloud)
        expect(failures).toEqual([])
      } finally {
        await cloud.child.stop()
      }
    })

    it('shows devices on a map, by keys too, and leads from a place to its device', async () => {
      const tab = await openTab(bed.cloud)
      await tab.goto(at('/devices?view=map'))
      await tab.getByRole('listbox', { name: 'Map of 3 devices' }).focus()
      await tab.keyboard.press('End')
      const told = await tab.locator('.field-says').innerText()
      expect(told).toMatch(/^(edge-1|edge-4|gw-\d+): 1 ok$/)
      await tab.keyboard.press('Enter')
      await tab.getByRole('heading', { name: told.split(':')[0] ?? '', exact: true }).waitFor()
      await tab.close()
    })

    it('has the diagnostics of a real device, and says why it does not start its agent anew', async () => {
      const tab = await openTab(bed.cloud)
      await tab.goto(at(`/devices/${world.gateway}`))
      const saved = tab.waitForEvent('download')
      await tab.getByRole('button', { name: 'Save diagnostics' }).click()
      expect(JSON.parse(gunzipSync(readFileSync(await (await saved).path())).toString())).toMatchObject({ device: world.gateway })
      await tab.getByText(`skerry device bundle ${world.gateway}`).waitFor()
      await tab.getByRole('button', { name: 'Restart agent' }).click()
      await tab.getByLabel(/^Why\?/).fill('it takes much memory')
      await tab.getByText(`skerry device restart-agent ${world.gateway} --reason 'it takes much memory'`).waitFor()
      await tab.getByRole('dialog').getByRole('button', { name: 'Restart agent' }).click()
      await tab.getByRole('dialog').getByText('started by hand').waitFor()
      await expectGood(tab, 'device-restart', TWO_LOOKS)
      await tab.close()
    })

    it('makes a rollout by form, which waits for approval, goes to its end, and is drawn as what became of the devices', async () => {
      const tab = await openTab(bed.cloud)
      await tab.goto(at('/apply?new=rollout'))
      await tab.getByLabel('Name', { exact: true }).fill('by-form')
      await tab.getByText('now sensor:2').waitFor()
      await tab.getByLabel('Image of main').fill('sensor:1')
      await tab.getByLabel('for, seconds').fill('1')
      await tab.getByLabel('Size of wave 2').fill('50')
      await tab.keyboard.press('Tab')
      await tab.getByRole('button', { name: 'Check' }).click()
      await tab.getByText('6 devices would change').waitFor()
      await expectGood(tab, 'rollout-form', TWO_LOOKS)
      await tab.getByRole('button', { name: 'Apply one change' }).click()
      await tab.getByText(/^Applied:/).waitFor()
      await tab.getByRole('link', { name: 'Waiting for you (1)' }).click({ timeout: 120_000 })
      await tab.getByText('Waits for approval', { exact: true }).waitFor()
      await expectGood(tab, 'inbox-approval', TWO_LOOKS)
      await tab.getByRole('link', { name: /^by-form/ }).click()
      await tab.getByRole('button', { name: 'Approve wave' }).click()
      await tab.getByLabel(/^Why\?/).fill('the canary is well')
      await tab.getByRole('dialog').getByText("skerry rollout approve by-form -n default --reason 'the canary is well'").waitFor()
      await tab.getByRole('dialog').getByRole('button', { name: 'Approve wave' }).click()
      await tab.locator('.standing', { hasText: 'completed' }).waitFor({ timeout: 120_000 })
      const counts = JSON.parse(await bed.cloud.kubectl('get', 'rollout', 'by-form', '-o', 'jsonpath={.status.counts}')) as { readonly done: number }
      expect(counts.done).toBe(6)
      await tab.getByRole('img', { name: 'Of 6 devices 6 have started, 6 are done, 0 failed' }).waitFor()
      await tab.close()
    })

    it('when things are wrong', async () => {
      writeFileSync(path.join(bed.dir, 'greedy.yaml'), GREEDY)
      writeFileSync(path.join(bed.dir, 'sensor-4.yaml'), rolloutTo('sensor-4', 'sensor:none', 10))
      await bed.cloud.kubectl('apply', '-f', path.join(bed.dir, 'greedy.yaml'))
      await bed.cloud.kubectl('apply', '-f', path.join(bed.dir, 'sensor-4.yaml'))
      await pretend[3]?.cut()
      await eventually('a device is silent, a rollout paused, a pod waits', async () => {
        const phase = await bed.cloud.kubectl('get', 'rollout', 'sensor-4', '-o', 'jsonpath={.status.phase}')
        const silent = await bed.cloud.kubectl('get', 'node', 'edge-4', '-o', 'jsonpath={.status.conditions[?(@.type=="Ready")].status}')
        return phase === 'Paused' && silent === 'Unknown' ? null : `${phase}, edge-4 is ${silent}`
      })
      const greedyPod = await bed.cloud.kubectl('get', 'pods', '-l', 'app=greedy', '-o', 'jsonpath={.items[*].metadata.name}')
      world = { ...world, greedyPod }
      await allOf('trouble', bed.cloud)
      await allOf('none', bed.cloud)
      expect(failures).toEqual([])
    })

    it('mutes a problem for a while, and tells of it again', async () => {
      const tab = await openTab(bed.cloud)
      await tab.goto(at('/'))
      const problem = tab.locator('.cause-group', { hasText: '0 of 6 devices can take this pod' })
      await problem.getByRole('button', { name: 'Mute' }).click()
      await tab.getByLabel(/^Why\?/).fill('more CPUs come on Monday')
      await tab.getByRole('dialog').getByRole('button', { name: 'Mute' }).click()
      await tab.getByText('1 muted problem').waitFor()
      expect(await problem.isVisible()).toBe(false)
      expect(await bed.cloud.kubectl('get', 'mutes', '-o', 'jsonpath={.items[*].spec.reason}')).toBe('more CPUs come on Monday')
      await tab.getByText('1 muted problem').click()
      await expectGood(tab, 'muted', TWO_LOOKS)
      await problem.getByRole('button', { name: 'Tell again' }).click()
      await problem.getByRole('button', { name: 'Mute' }).waitFor()
      expect(await bed.cloud.kubectl('get', 'mutes', '-o', 'name')).toBe('')
      await tab.close()
    })

    it('keeps its picture while the cloud is away, says how old it is, and catches up', async () => {
      const rows = PAGES.flatMap((row) => {
        const { normal, trouble } = row.states
        const one = typeof trouble === 'string' ? normal : trouble
        return typeof one === 'string' ? [] : [[row, one] as const]
      })
      for (let from = 0; from < rows.length; from += TABS) {
        const tabs: (readonly [PageRow, Shown, Page])[] = []
        for (const [row, one] of rows.slice(from, from + TABS)) {
          const tab = await openTab(bed.cloud)
          await show(tab, bed.cloud, one)
          tabs.push([row, one, tab])
        }
        await bed.cloud.child.stop('SIGKILL')
        for (const [row, one, tab] of tabs) {
          await tab.bringToFront()
          await tab.getByText(/No contact with the cloud, trying again\. Data is \d+ (s|min) old\./).waitFor()
          expect(await tab.getByText(one.says(world)).count(), row.name).toBeGreaterThan(0)
          await expectGood(tab, `${row.name}-reconnecting`, TWO_LOOKS)
        }
        bed.cloud.child.start()
        await bed.cloud.ready()
        for (const [, , tab] of tabs) {
          await tab.locator('.fresh', { hasText: 'live' }).waitFor()
          await tab.close()
        }
      }
      expect(failures).toEqual([])
    })

    it('ends with a token that is no longer valid, on every page, and goes on there with the new one', async () => {
      const tab = await openTab(bed.cloud)
      const old = bed.cloud.token()
      await tab.goto(at('/devices'))
      await tab.getByRole('link', { name: world.gateway }).waitFor()
      await bed.cloud.child.stop()
      rmSync(path.join(bed.dir, 'cloud', 'admin-token'))
      bed.cloud.child.start()
      await bed.cloud.ready()
      expect(bed.cloud.token()).not.toBe(old)
      await tab.getByText('This token is not valid.').waitFor()
      await expectGood(tab, 'token-expired', TWO_LOOKS)
      for (const [row, one] of shownIn('normal')) {
        await tab.goto(at(`${one.at(world)}#token=${old}`))
        await tab.getByText('This token is not valid.').waitFor()
        expect(await tab.getByText(one.says(world)).count(), row.name).toBe(0)
      }
      await tab.goto(at(`/devices#token=${readFileSync(path.join(bed.dir, 'cloud', 'metrics-token'), 'utf8').trim()}`))
      await tab.getByText('This token is valid, but may not look at the fleet').waitFor()
      await expectGood(tab, 'token-of-another', TWO_LOOKS)
      await tab.getByLabel('Token').fill(bed.cloud.token())
      await tab.getByRole('button', { name: 'Open the console' }).click()
      await tab.getByRole('link', { name: world.gateway }).waitFor()
      await tab.close()
    })
  })
})
