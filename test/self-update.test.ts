import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { chooseStart, firstSlots, installed, proven } from '../edge-agent/core/agent-slots.ts'
import type { Slots } from '../edge-agent/core/agent-slots.ts'
import { install, writeSlots } from '../edge-agent/self-update/install.ts'
import { createSelfUpdate, isWell } from '../edge-agent/self-update/self-update.ts'
import { fileOfSlot, readSlots } from '../edge-agent/self-update/slots-file.ts'
import type { Cause } from '../protocol/causes.ts'
import type { DesiredAgent } from '../protocol/desired-state.ts'
import { LIMITS } from '../protocol/limits.ts'
import { desiredOf } from './agent-world.ts'
import { FakeDisk } from './fakes/disk.ts'
import type { Torn } from './fakes/disk.ts'
import { gateway } from './fixtures/field-state.ts'

const DIR = '/state'
const BASE = '1000 1'
const bytesOf = (version: string): Uint8Array => Buffer.from(`agent ${version}`)
const sha = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')
const agent = (version: string): DesiredAgent => ({ version, sha256: sha(bytesOf(version)), bytes: bytesOf(version).byteLength })
const whole = { base: BASE, sha256Of: (slot: 'a' | 'b') => sha(bytesOf(slot === 'a' ? '2' : '3')) }
const onA = installed(firstSlots(BASE), 'a', agent('2'))
const onB = installed(proven(onA), 'b', agent('3'))

/** What a start after a power cut would run, and whether that file is whole. */
async function start(disk: FakeDisk, before: Slots | null = null): Promise<{ slots: Slots; runs: string }> {
  const text = await disk.read(`${DIR}/agents/slots.json`)
  const files = new Map<string, Uint8Array | null>()
  for (const slot of ['a', 'b'] as const) files.set(slot, await disk.read(fileOfSlot(DIR, slot)))
  const slots = chooseStart(before ?? readSlots(text === null ? null : Buffer.from(text).toString(), BASE), {
    base: BASE,
    sha256Of: (slot) => {
      const bytes = files.get(slot) ?? null
      return bytes === null ? null : sha(bytes)
    },
  })
  return { slots, runs: slots.current === 'base' ? 'base' : Buffer.from(files.get(slots.current) ?? '').toString() }
}

describe('which agent is started', () => {
  it('counts the starts of a new one and returns after three bad ones, for good', () => {
    let slots: Slots = onB
    const ran: string[] = []
    for (let n = 0; n < 5; n += 1) {
      slots = chooseStart(slots, whole)
      ran.push(slots.current)
    }
    expect(ran).toEqual(['b', 'b', 'b', 'a', 'a'])
    expect(slots.failed).toMatchObject([{ version: '3', why: `it did not prove itself in ${LIMITS.agentStarts.value} starts` }])
    expect(slots.trial).toBeNull()
  })

  it('stays with one that proved itself', () => {
    let slots = chooseStart(onB, whole)
    slots = proven(slots)
    for (let n = 0; n < 10; n += 1) slots = chooseStart(slots, whole)
    expect(slots.current).toBe('b')
  })

  it('never starts a damaged file: the one before, then the packaged one', () => {
    const damaged = (...bad: readonly string[]) => ({ ...whole, sha256Of: (slot: 'a' | 'b') => (bad.includes(slot) ? 'x' : whole.sha256Of(slot)) })
    expect(chooseStart(proven(onB), damaged('b'))).toMatchObject({ current: 'a', failed: [{ version: '3' }] })
    expect(chooseStart(onB, damaged('a', 'b'))).toMatchObject({ current: 'base', failed: [{ version: '2' }, { version: '3' }] })
  })

  it('gives way to another packaged agent', () => {
    expect(chooseStart(proven(onB), { ...whole, base: '2000 2' })).toMatchObject({ current: 'base', trial: null, base: '2000 2' })
  })
})

describe('a new agent comes in', () => {
  const deps = (disk: FakeDisk, says = 'skerry-agent 3\n') => ({ disk, stateDir: DIR, ask: () => Promise.resolve(says) })

  async function withTwo(): Promise<FakeDisk> {
    const disk = new FakeDisk()
    await install(deps(disk, 'skerry-agent 2'), firstSlots(BASE), agent('2'), bytesOf('2'))
    await writeSlots(disk, DIR, proven(onA))
    return disk.afterCut(0, 'whole')
  }

  it('a power cut after each operation leaves one that can be started, and the old or the new one', async () => {
    let cuts = 0
    for (let cutAfter = 0; ; cutAfter += 1) {
      const disk = await withTwo()
      disk.operations = 0
      disk.cutAfter = cutAfter
      const done = await install(deps(disk), proven(onA), agent('3'), bytesOf('3')).then(
        () => true,
        () => false,
      )
      for (const torn of ['empty', 'half', 'zeros', 'whole'] as const satisfies readonly Torn[]) {
        for (let kept = 0; kept < 2 ** Math.min(disk.pendingNames, 6); kept += 1) {
          cuts += 1
          const { slots, runs } = await start(disk.afterCut(kept, torn))
          expect(['agent 2', 'agent 3'], `cut after ${cutAfter}, ${torn}, names ${kept}`).toContain(runs)
          if (done) expect(runs).toBe('agent 3')
          expect(slots.failed).toEqual([])
        }
      }
      if (done) break
    }
    expect(cuts).toBeGreaterThan(30)
  })

  it.each([
    ['other bytes', agent('3'), bytesOf('4'), 'skerry-agent 3', /sha256/],
    ['another version', agent('3'), bytesOf('3'), 'skerry-agent 7', /asked for its version/],
    ['no agent', agent('3'), bytesOf('3'), 'Usage: busybox', /asked for its version/],
  ])('%s is refused, and nothing changes', async (_what, wanted, bytes, says, why) => {
    const disk = await withTwo()
    await expect(install(deps(disk, says), proven(onA), wanted, bytes)).rejects.toThrow(why)
    expect((await start(disk)).slots).toMatchObject({ current: 'a', trial: null })
  })
})

describe('following the cloud', () => {
  function world(slots: Slots, slot: string | null = 'a') {
    const disk = new FakeDisk()
    const seen = { told: [] as (Cause | null)[], restarts: 0, fetched: 0, monoMs: 0 }
    const update = createSelfUpdate({
      disk,
      stateDir: DIR,
      slots,
      slot,
      settleMs: 45_000,
      clock: { now: () => ({ monoMs: seen.monoMs, wallMs: 0 }), at: () => () => {} },
      log: { info: () => {}, warn: () => {}, error: () => {} },
      ask: () => Promise.resolve('skerry-agent 3'),
      fetch: (wanted) => {
        seen.fetched += 1
        return wanted.version === '3' ? Promise.resolve(bytesOf('3')) : Promise.reject(new Error('the cloud answered 404'))
      },
      tell: (why) => void seen.told.push(why),
      restart: () => void (seen.restarts += 1),
    })
    const state = (version: string | null) =>
      gateway({
        agentVersion: '2',
        link: { kind: 'up', sinceWallMs: 0 },
        desired: { ...desiredOf([]), ...(version === null ? {} : { agent: agent(version) }) },
      })
    return { disk, seen, update, state }
  }

  it('fetches what is wanted, puts it in place and ends', async () => {
    const { disk, seen, update, state } = world(proven(onA))
    await update.look(state('2'))
    await update.look(state(null))
    expect(seen).toMatchObject({ fetched: 0, restarts: 0 })
    await update.look(state('3'))
    expect(seen).toMatchObject({ fetched: 1, restarts: 1 })
    expect(await start(disk)).toMatchObject({ slots: { current: 'b', previous: 'a', trial: 1 }, runs: 'agent 3' })
  })

  it('says why it cannot, waits, and tries again', async () => {
    const { seen, update, state } = world(proven(onA))
    for (let n = 0; n < 4; n += 1) await update.look(state('5'))
    expect(seen.fetched).toBe(1)
    expect(seen.told.at(-1)).toMatchObject({ code: 'agent.update.failed', facts: { version: '5', why: 'the cloud answered 404' } })
    seen.monoMs += LIMITS.agentRetryMs.value
    await update.look(state('5'))
    expect(seen.fetched).toBe(2)
    await update.look(state('2'))
    expect(seen.told.at(-1)).toBeNull()
  })

  it('does not try again what failed here, nor without a launcher', async () => {
    const failed = world({ ...proven(onA), failed: [{ ...agent('3'), why: 'it did not prove itself in 3 starts' }] })
    await failed.update.look(failed.state('3'))
    expect(failed.seen).toMatchObject({ fetched: 0, told: [{ code: 'agent.returned' }] })
    const byHand = world(firstSlots(BASE), null)
    await byHand.update.look(byHand.state('3'))
    expect(byHand.seen).toMatchObject({ fetched: 0, told: [{ code: 'agent.update.failed' }] })
  })

  it('is good after it ran for a while in contact, not sooner', async () => {
    const { disk, seen, update, state } = world(onA)
    await writeSlots(disk, DIR, onA)
    const trial = async () => readSlots(Buffer.from((await disk.read(`${DIR}/agents/slots.json`)) ?? '').toString(), BASE).trial
    seen.monoMs = 30_000
    await update.look(state(null))
    expect(await trial()).toBe(0)
    seen.monoMs = 60_000
    await update.look({ ...state(null), link: { kind: 'down', sinceWallMs: 0, why: '', nextTryInMs: null } })
    expect(await trial()).toBe(0)
    await update.look(state(null))
    expect(await trial()).toBeNull()
    expect(isWell({ ...state(null), knowledge: 'loading' })).toBe(false)
    expect(isWell({ ...state(null), observed: null })).toBe(false)
  })
})
