import { describe, expect, it } from 'vitest'
import { mustRestart, noteUse, writtenOf } from '../edge-agent/core/own-use.ts'
import type { OwnUse } from '../edge-agent/core/own-use.ts'
import { sampleOwnUse } from '../edge-agent/keep-own-use.ts'
import { fieldView } from '../edge-agent/local-page/view.ts'
import { textView } from '../edge-agent/local-page/text-view.ts'
import { LIMITS } from '../protocol/limits.ts'
import { parse } from '../protocol/shape.ts'
import { STATUS_REPORT } from '../protocol/status-report.ts'
import { Agent, saved, U1 } from './agent-harness.ts'
import { found } from './agent-world.ts'
import { gateway, NOW } from './fixtures/field-state.ts'

const HOUR = 3_600_000
const MIB = 2 ** 20

describe('what the agent takes of its device', () => {
  it('counts what was written within a day, by what the kernel says', () => {
    let use: OwnUse | null = null
    for (let hour = 0; hour < 48; hour += 0.5) use = noteUse(use, { rssBytes: 50 * MIB, writtenBytes: 1_000 * (hour * 2 + 1) }, hour * HOUR)
    if (use === null) throw new Error('nothing was noted')
    expect(use.hours).toHaveLength(24)
    expect(writtenOf(use, 47.5 * HOUR)).toEqual({ bytes: 48_000, overMs: 24 * HOUR })
    expect(writtenOf(noteUse(null, { rssBytes: 1, writtenBytes: null }, 5), 5)).toBeNull()
    // another process starts at nothing
    expect(writtenOf(noteUse(null, { rssBytes: 1, writtenBytes: 700 }, HOUR / 2), HOUR / 2)).toEqual({ bytes: 700, overMs: HOUR / 2 })
  })

  it('starts anew only when it takes too much for long', () => {
    const look = (use: OwnUse | null, mib: number): OwnUse => noteUse(use, { rssBytes: mib * MIB, writtenBytes: 0 }, 0)
    let use = look(null, 60)
    for (let n = 0; n < LIMITS.ownRssLooks.value - 1; n += 1) use = look(use, 400)
    expect(mustRestart(use)).toBe(false)
    expect(mustRestart(look(look(use, 60), 400))).toBe(false)
    expect(mustRestart(look(use, 400))).toBe(true)
  })

  it('is told with other news, and is none of its own', () => {
    const agent = new Agent(saved([U1]))
    agent.observe(found({ pod: 'u1' }))
    agent.send({ kind: 'own-use', sample: { rssBytes: 60 * MIB, writtenBytes: 4096 } })
    expect(
      agent
        .after(60_000)
        .send({ kind: 'tick' })
        .filter(({ kind }) => kind === 'publish-status'),
    ).toEqual([])
    agent.send({ kind: 'report-asked' })
    expect(agent.state.report.last?.own).toMatchObject({ rssBytes: 60 * MIB, writtenBytes: 4096 })
    expect(parse(STATUS_REPORT, agent.state.report.last, 'refuse')).toMatchObject({ ok: true })
  })

  it('stands on the page', () => {
    const own = noteUse(null, { rssBytes: 60 * MIB, writtenBytes: 3 * MIB }, NOW.monoMs)
    const view = fieldView(gateway({ own }), NOW)
    expect(view.own).toMatchObject({ rssBytes: 60 * MIB, writtenBytes: 3 * MIB })
    expect(textView(view)).toContain('60 MiB memory, 3072 KiB written')
  })

  it('is read from this process', async () => {
    const { rssBytes } = await sampleOwnUse()
    expect(rssBytes).toBeGreaterThan(10 * MIB)
  })
})
