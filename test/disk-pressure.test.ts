/** A disk that fills up: what is measured, who has to go, and what happens when there is room again. */
import { execFileSync } from 'node:child_process'
import { linkSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { noteSample } from '../edge-agent/core/eviction.ts'
import type { DesiredPod } from '../edge-agent/core/model.ts'
import type { PressureSample } from '../edge-agent/core/pressure-model.ts'
import { hasMoreRoom } from '../edge-agent/core/room.ts'
import { buildReport } from '../edge-agent/core/report.ts'
import { readLayerSizes } from '../edge-agent/engine/from-docker.ts'
import { folderSize } from '../edge-agent/inventory/folder-size.ts'
import { watchPressure } from '../edge-agent/runtime/pressure-watch.ts'
import { LIMITS } from '../protocol/limits.ts'
import { Agent, saved } from './agent-harness.ts'
import { found, pod } from './agent-world.ts'
import { FakeClock } from './fakes/clock.ts'

const MI = 2 ** 20
const GI = 2 ** 30
const full: PressureSample = { levels: { disk: { available: 10 * MI, total: 10 * GI } }, usage: {} }
const roomy: PressureSample = { levels: { disk: { available: 8 * GI, total: 10 * GI } }, usage: {} }

function withVolume(uid: string, sizeLimit: string, priority = 0): DesiredPod {
  const plain = pod({ uid })
  const volumes = [
    { name: 'scratch', emptyDir: { sizeLimit } },
    { name: 'shm', emptyDir: { medium: 'Memory' as const, sizeLimit: '1Mi' } },
  ]
  return { ...plain, spec: { ...plain.spec, priority, volumes } }
}

describe('a folder', () => {
  it('holds what du says, each file once, and nothing behind links', async () => {
    const dir = mkdtempSync(path.join(tmpdir(), 'sksize-'))
    try {
      mkdirSync(path.join(dir, 'a/b/c'), { recursive: true })
      for (const [name, bytes] of [
        ['a/one', 5_000],
        ['a/b/two', 100_000],
        ['a/b/c/three', 1],
      ] as const)
        writeFileSync(path.join(dir, name), 'x'.repeat(bytes))
      linkSync(path.join(dir, 'a/b/two'), path.join(dir, 'again'))
      symlinkSync('/usr', path.join(dir, 'elsewhere'))
      const said = Number(execFileSync('du', ['-s', '--block-size=1', dir], { encoding: 'utf8' }).split('\t')[0])
      const own = Number(execFileSync('stat', ['-c', '%b', dir], { encoding: 'utf8' })) * 512
      expect(await folderSize(dir)).toBe(said - own)
      expect(await folderSize(path.join(dir, 'not there'))).toBe(0)
    } finally {
      rmSync(dir, { recursive: true })
    }
  })

  it('of a container is known from a list with sizes', () => {
    expect(readLayerSizes([{ Id: 'a', SizeRw: 7 }, { Id: 'b' }, { SizeRw: 1 }, null])).toEqual({ a: 7 })
    expect(readLayerSizes('nonsense')).toEqual({})
  })
})

describe('a volume above its limit', () => {
  it('costs its pod, with the cause, and no other; a volume in memory is capped by the kernel', () => {
    const agent = new Agent(saved([withVolume('greedy', '10Mi', 9), withVolume('modest', '10Mi')]))
    agent.observe(found({ pod: 'greedy' }), found({ pod: 'modest' }))
    agent.send({ kind: 'disk-use', volumes: { greedy: { scratch: 11 * MI }, modest: { scratch: 10 * MI, shm: 99 * MI } } })
    expect(agent.state.pressure.evicted).toEqual({
      greedy: { code: 'volume.limit', facts: { volume: 'scratch', has: '11.0 MiB', limit: '10.0 MiB' } },
    })
    expect(buildReport(agent.state, agent.now()).pods.find(({ uid }) => uid === 'greedy')).toMatchObject({ reason: 'Evicted' })
  })

  it('is not acted on while the desired state is not known', () => {
    const agent = new Agent({ kind: 'unknown', floor: null, why: '' })
    agent.observe(found({ pod: 'greedy' }))
    agent.send({ kind: 'disk-use', volumes: { greedy: { scratch: 11 * GI } } })
    expect(agent.state.pressure.evicted).toEqual({})
  })
})

describe('a full disk', () => {
  it('costs the pod of lower priority that holds something, by layer, log and emptyDir together', () => {
    const agent = new Agent(saved([withVolume('high', '1Gi', 9), withVolume('low', '1Gi', 1), withVolume('idle', '1Gi')]))
    agent.observe(found({ pod: 'high' }), found({ pod: 'low' }), found({ pod: 'idle' }))
    agent.send({ kind: 'pressure', sample: full })
    expect(agent.state.pressure.evicted).toEqual({})
    const usage = { 'id-high-a1': { disk: 900 * MI }, 'id-low-a1': { disk: 10 * MI }, 'id-idle-a1': { disk: 1 * MI } }
    agent.send({ kind: 'pressure', sample: { ...full, usage, podDisk: { low: 10 * MI } } })
    expect(Object.keys(agent.state.pressure.evicted)).toEqual(['low'])
  })

  it('is over within half a minute when nobody had to go, else it holds', () => {
    const short = noteSample({}, full, 0)
    expect(noteSample(short, roomy, LIMITS.evictionCalmMs.value, LIMITS.evictionCalmMs.value).disk).toBeUndefined()
    expect(noteSample(short, roomy, LIMITS.evictionCalmMs.value).disk).toBeDefined()
  })

  it('a pull that found no room is tried again as soon as there is more', () => {
    const agent = new Agent(saved([pod({ uid: 'fat' })]))
    const pull = agent.observe().flatMap((effect) => (effect.kind === 'run-wave' ? effect.lanes : []))[0]
    const step = pull?.steps.find(({ kind }) => kind === 'ensure-image')
    if (step === undefined) throw new Error('no pull')
    const cause = { code: 'image.pull.disk-full', facts: { image: 'x', why: 'full' } } as const
    const wave = agent.state.imageWaves[0]?.id ?? agent.state.wave?.id ?? 0
    for (let failure = 0; failure < 6; failure += 1) agent.send({ kind: 'step-done', wave, step, outcome: { ok: false, cause } })
    agent.send({ kind: 'wave-done', wave })
    agent.observe()
    const tries = (effects: ReturnType<Agent['send']>): number => effects.filter(({ kind }) => kind === 'run-wave').length
    const level = (mi: number): PressureSample => ({ levels: { disk: { available: mi * MI, total: 1_000 * GI } }, usage: {} })
    // neither the same room nor a little more
    for (const mi of [2_100, 2_060, 2_090]) expect(tries(agent.after(5_000).send({ kind: 'pressure', sample: level(mi) }))).toBe(0)
    expect(tries(agent.after(5_000).send({ kind: 'pressure', sample: level(6_000) }))).toBe(1)
    expect(hasMoreRoom(0, 31 * MI)).toBe(false)
  })
})

describe('the watch', () => {
  it('removes images before it asks who has to go, and walks files seldom', async () => {
    const clock = new FakeClock()
    const agent = new Agent(saved([withVolume('low', '1Gi')]))
    agent.observe(found({ pod: 'low' }))
    const done: string[] = []
    let level = full
    const stop = watchPressure({
      clock,
      random: { next: () => 0.5 },
      loop: { state: () => agent.state, dispatch: (event) => void agent.send(event) },
      sample: async () => level,
      disk: {
        volumes: async () => {
          done.push('limits')
          return {}
        },
        all: async () => {
          done.push('all')
          return { containers: { 'id-low-a1': 500 * MI }, pods: {} }
        },
        reclaim: async () => {
          done.push('reclaim')
          level = done.length > 4 ? full : roomy
        },
      },
    })
    const pass = async (seconds: number): Promise<void> => {
      for (let passed = 0; passed < seconds; passed += 10) {
        await clock.advance(10_000)
        for (let turn = 0; turn < 50; turn += 1) await Promise.resolve()
      }
    }
    await pass(20)
    // the images were enough
    expect(agent.state.pressure.evicted).toEqual({})
    expect(done.filter((one) => one === 'reclaim')).toHaveLength(1)
    level = full
    await pass(120)
    expect(Object.keys(agent.state.pressure.evicted)).toEqual(['low'])
    expect(done.filter((one) => one === 'all').length).toBeLessThanOrEqual(3)
    expect(done.filter((one) => one === 'reclaim')).toHaveLength(1)
    level = roomy
    await pass(300)
    expect(done.filter((one) => one === 'limits').length).toBeLessThanOrEqual(7)
    stop()
  })
})
