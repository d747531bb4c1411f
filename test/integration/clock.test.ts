/** Clocks that are wrong, on the real agent and a real engine: schedules fire at the right local times, and nothing else is disturbed. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { openStateStore } from '../../edge-agent/store/state-store.ts'
import { desiredDigest, podSpecHash } from '../../protocol/desired-state.ts'
import type { DesiredPod, DesiredState } from '../../protocol/desired-state.ts'
import type { DesiredSchedule } from '../../protocol/schedule.ts'
import { eventually } from '../../scripts/testbed/testbed.ts'
import { FalseClockAgent, whyNoFalseClock } from './agent-under-false-clock.ts'
import { buildOnce } from './build-once.ts'
import { createPrivateDockerd, whyNoDockerd } from './private-dockerd.ts'
import type { PrivateDockerd } from './private-dockerd.ts'

const why = whyNoDockerd() ?? whyNoFalseClock()
if (why !== null) console.warn(`clock: not run: ${why}`)

const DEVICE = 'gw-clock'
const DAY = 86_400_000
const YEAR = 365.25 * DAY
const LOG = { info: () => {}, warn: () => {}, error: () => {} }

function document(): DesiredState {
  const container = { name: 'main', image: 'busybox:1', imagePullPolicy: 'IfNotPresent' as const }
  const spec: DesiredPod['spec'] = { containers: [{ ...container, command: ['sleep', '86400'] }], terminationGracePeriodSeconds: 0 }
  const pods = [{ uid: 'uid-steady', namespace: 'default', name: 'steady', specHash: podSpecHash(spec, undefined), spec }]
  const job: DesiredPod['spec'] = { restartPolicy: 'Never', containers: [{ ...container, command: ['true'] }] }
  const schedules: readonly DesiredSchedule[] = [
    {
      uid: 'uid-night',
      namespace: 'default',
      name: 'night',
      schedule: '30 3 * * *',
      startingDeadlineSeconds: 0,
      concurrency: 'Allow',
      sinceMs: 0,
      keepComplete: 10,
      keepFailed: 1,
      backoffLimit: 0,
      pod: { specHash: podSpecHash(job, { pids: 64 }), spec: job, pids: 64 },
    },
  ]
  return { device: DEVICE, epoch: 1, generation: 1, issuedAt: '2026-01-01T00:00:00Z', digest: desiredDigest(pods, { schedules }), pods, schedules }
}

describe.skipIf(why !== null)('the agent with a clock that is wrong', () => {
  let engine: PrivateDockerd
  let agent: FalseClockAgent
  let dir: string
  beforeAll(async () => {
    await buildOnce()
    dir = mkdtempSync(path.join(tmpdir(), 'skerry-clock-'))
    engine = await createPrivateDockerd()
    await engine.importBusybox('busybox:1')
    agent = new FalseClockAgent(dir, engine.socketPath, DEVICE)
    await openStateStore(agent.stateDir, { log: LOG }).save(
      { desired: document(), floor: { epoch: 1, generation: 1 }, ledger: {} },
      { epoch: 1, generation: 1 },
    )
  })
  afterAll(async () => {
    await agent?.kill()
    await engine?.destroy()
    rmSync(dir, { recursive: true, force: true })
  })

  /** local times at which runs were due, as their containers tell by name */
  const runs = async (): Promise<readonly string[]> => {
    const names = (await engine.docker('ps', '-a', '--format', '{{.Names}}')).split('\n').filter((name) => name.includes('-night-'))
    return names.map((name) => localTime(Number(/-night-(\d+)-/.exec(name)?.[1]) * 60_000)).toSorted()
  }
  const steady = async (): Promise<string> => engine.docker('ps', '--no-trunc', '--filter', 'name=steady', '--format', '{{.ID}} {{.CreatedAt}}')
  const cause = async (): Promise<string | null> => (await agent.page()).clock.cause?.code ?? null
  const shows = (...codes: readonly (string | null)[]): Promise<void> =>
    eventually(`the page says ${codes.map((code) => code ?? 'that the clock is right').join(' or ')}`, async () => {
      const found = await cause().catch((error: unknown) => String(error))
      return codes.includes(found) ? null : String(found)
    })
  const ran = (...expected: readonly string[]): Promise<void> =>
    eventually(`runs of ${expected.join(', ')}`, async () => {
      const found = await runs()
      return JSON.stringify(found) === JSON.stringify(expected) ? null : `${JSON.stringify(found)}\n${agent.log.split('\n').slice(-12).join('\n')}`
    })

  it('offline, a schedule fires at its local times across a reboot and a step of the clock, each once', async () => {
    // midsummer: 03:30 in Berlin is 01:30 in UTC
    const night = Date.parse('2027-07-01T01:30:00Z')
    agent.set(night - 12_000)
    agent.confirm()
    await agent.start()
    await shows(null)
    await ran('07-01 03:30')
    // power cut in the day; the board comes up some seconds before the next time, and nobody confirms its clock yet
    await agent.kill()
    await engine.stop()
    await engine.start()
    agent.set(night + DAY - 20_000)
    agent.boot()
    await agent.start()
    await shows('clock.unproven')
    agent.confirm()
    await ran('07-01 03:30', '07-02 03:30')
    // the clock is put ahead to just before the third time: that nobody vouches for it holds the run, and then it is had
    agent.set(night + 2 * DAY - 2_000)
    await shows('clock.jumped')
    await sleep(3_000)
    expect(await runs()).toHaveLength(2)
    agent.set(night + 2 * DAY - 14_000)
    agent.confirm()
    await ran('07-01 03:30', '07-02 03:30', '07-03 03:30')
    // put back behind it: that time is over
    agent.set(night + 2 * DAY - 5_000)
    agent.confirm()
    await sleep(7_000)
    expect(await runs()).toHaveLength(3)
  })

  it('1970, ten years ahead, and jumping every second: up, nothing disturbed, page at once, the right cause, no storm', async () => {
    const before = await steady()
    expect(before).not.toBe('')
    const count = (await runs()).length
    for (const [off, code] of [
      [-Date.now(), 'clock.behind'],
      [10 * YEAR, 'clock.jumped'],
    ] as const) {
      agent.off(off)
      // it was moved before: one more step soon after those is one too many
      await shows(code, 'clock.unsteady')
    }
    const [cpu, since] = [agent.cpuMs(), performance.now()]
    for (let second = 0; second < 8; second += 1) {
      agent.off(second % 2 === 0 ? -10 * YEAR : 10 * YEAR)
      await sleep(1_000)
      await agent.page()
    }
    await shows('clock.unsteady')
    // a storm would take all of one
    expect((agent.cpuMs() - cpu) / (performance.now() - since), 'share of a processor').toBeLessThan(0.5)
    expect(agent.isUp()).toBe(true)
    expect(await steady()).toBe(before)
    expect(await runs()).toHaveLength(count)
    // it may also start with such a clock
    for (const off of [-Date.now(), 10 * YEAR]) {
      await agent.kill()
      agent.off(off)
      agent.boot()
      await agent.start()
      await shows(off < 0 ? 'clock.behind' : 'clock.unproven')
      await eventually('the page shows what runs', async () => {
        const word = (await agent.page()).workloads.find(({ name }) => name === 'steady')?.word
        return word === 'running' ? null : String(word)
      })
    }
    expect(await steady()).toBe(before)
    expect(await runs()).toHaveLength(count)
  })
})

function localTime(ms: number): string {
  const text = new Intl.DateTimeFormat('sv-SE', { timeZone: 'Europe/Berlin', dateStyle: 'short', timeStyle: 'short' }).format(ms)
  return text.slice(5)
}
