/** Who has to go when a device runs short, when it is over, and what the reducer makes of it. */
import { describe, expect, it } from 'vitest'
import { LIMITS } from '../protocol/limits.ts'
import { chooseVictim, isShort, noteSample, rank } from '../edge-agent/core/eviction.ts'
import type { DesiredPod } from '../edge-agent/core/model.ts'
import type { Effect } from '../edge-agent/core/state.ts'
import type { ContainerUsage, Pressure, PressureSample, Signal } from '../edge-agent/core/pressure-model.ts'
import { buildReport } from '../edge-agent/core/report.ts'
import { createPressureSampler } from '../edge-agent/inventory/pressure-sampler.ts'
import { Agent, saved } from './agent-harness.ts'
import { found, pod } from './agent-world.ts'
import { fakeHost } from './fakes/host.ts'

const MI = 2 ** 20
const GI = 2 ** 30

const NO_USE = { usage: {} }
const sample = (levels: PressureSample['levels'], usage: PressureSample['usage'] = {}): PressureSample => ({ levels, usage })
const memory = (availableMi: number, usage: PressureSample['usage'] = {}): PressureSample =>
  sample({ memory: { available: availableMi * MI, total: 4 * GI } }, usage)

function asking(uid: string, priority: number, requests: Readonly<Record<string, string>> = {}): DesiredPod {
  const plain = pod({ uid })
  return { ...plain, spec: { ...plain.spec, priority, containers: plain.spec.containers.map((one) => ({ ...one, resources: { requests } })) } }
}

describe('thresholds', () => {
  it.each<readonly [string, PressureSample['levels'], boolean]>([
    ['99 MiB of 4 GiB', { memory: { available: 99 * MI, total: 4 * GI } }, true],
    ['101 MiB of 4 GiB', { memory: { available: 101 * MI, total: 4 * GI } }, false],
    ['26 MiB of a small board', { memory: { available: 26 * MI, total: 256 * MI } }, false],
    ['25 MiB of a small board', { memory: { available: 25 * MI, total: 256 * MI } }, true],
    ['4 % of the PIDs', { pids: { available: 40, total: 1_000 } }, true],
    ['5 % of the PIDs', { pids: { available: 50, total: 1_000 } }, false],
    ['9 % of a small disk', { disk: { available: (9 * GI) / 10, total: 10 * GI } }, true],
    ['1 % of a large disk', { disk: { available: 10 * GI, total: 1_000 * GI } }, false],
    ['nothing known', {}, false],
  ])('%s', (_name, levels, short) => {
    expect(isShort({ levels })).toBe(short)
    expect(Object.keys(noteSample({}, sample(levels), 0)).length > 0).toBe(short)
  })

  it('is over only above the threshold by the minimum reclaim, and the condition holds on', () => {
    const first = noteSample({}, memory(99), 0)
    expect(noteSample(first, memory(110), 10_000).memory).toMatchObject({ now: true, lastShortMonoMs: 10_000 })
    const better = noteSample(first, memory(126), 10_000)
    expect(better.memory).toMatchObject({ now: false, lastShortMonoMs: 0 })
    expect(noteSample(better, memory(126), LIMITS.evictionHoldMs.value - 1).memory).toBeDefined()
    expect(noteSample(better, memory(126), LIMITS.evictionHoldMs.value).memory).toBeUndefined()
  })

  it('keeps the numbers of the moment it began, so that it is told once', () => {
    const first = noteSample({}, memory(99), 0)
    expect(noteSample(first, memory(50), 10_000).memory?.cause).toEqual(first.memory?.cause)
    expect(first.memory?.cause).toEqual({ code: 'device.pressure.memory', facts: { has: '99 MiB', total: '4096 MiB', needs: '100 MiB' } })
  })
})

describe('who goes first', () => {
  const order = (signal: Signal, pods: readonly DesiredPod[], usage: Readonly<Record<string, ContainerUsage>>): readonly string[] =>
    rank(
      signal,
      pods,
      pods.map(({ uid }) => found({ pod: uid })),
      Object.fromEntries(Object.entries(usage).map(([uid, used]) => [`id-${uid}-a1`, used])),
    ).map(({ uid }) => uid)
  const mem = (mi: number): ContainerUsage => ({ memory: mi * MI })

  it.each<readonly [string, Signal, readonly DesiredPod[], Readonly<Record<string, ContainerUsage>>, readonly string[]]>([
    ['the lower priority', 'memory', [asking('high', 100), asking('low', 1)], { high: mem(900), low: mem(1) }, ['low', 'high']],
    [
      'of equals the one that holds more than it asked for',
      'memory',
      [asking('a', 0, { memory: '500Mi' }), asking('b', 0, { memory: '10Mi' })],
      { a: mem(505), b: mem(20) },
      ['b', 'a'],
    ],
    [
      'one above its request before one within, whatever their priority',
      'memory',
      [asking('within', 0, { memory: '500Mi' }), asking('above', 50, { memory: '10Mi' })],
      { within: mem(400), above: mem(11) },
      ['above', 'within'],
    ],
    ['never a critical one', 'memory', [asking('critical', 2_000_000_000), asking('a', 0)], { critical: mem(900), a: mem(1) }, ['a']],
    [
      'for PIDs priority, then how many',
      'pids',
      [asking('a', 0), asking('b', 0), asking('c', 5)],
      { a: { pids: 3 }, b: { pids: 500 }, c: { pids: 900 } },
      ['b', 'a', 'c'],
    ],
    [
      'for disk only who is known to hold what is worth it',
      'disk',
      [asking('a', 0), asking('b', 9)],
      { a: { disk: 15 * MI }, b: { disk: 16 * MI } },
      ['b'],
    ],
    ['a fixed order when nothing is known', 'memory', [asking('b', 0), asking('a', 0)], {}, ['a', 'b']],
  ])('%s', (_name, signal, pods, usage, uids) => {
    expect(order(signal, pods, usage)).toEqual(uids)
  })

  it('nobody who does not run, and nobody when nothing is short', () => {
    const short: Pressure['short'] = noteSample({}, memory(10), 0)
    expect(chooseVictim(short, [asking('a', 0)], [found({ pod: 'a', state: 'exited' })], NO_USE)).toBeNull()
    expect(chooseVictim({}, [asking('a', 0)], [found({ pod: 'a' })], NO_USE)).toBeNull()
  })
})

const steps = (effects: readonly Effect[]): readonly object[] =>
  effects.flatMap((effect) => (effect.kind === 'run-wave' ? effect.lanes.flatMap((lane) => lane.steps) : []))
const waveDone = (agent: Agent): void => void agent.send({ kind: 'wave-done', wave: agent.state.wave?.id ?? 0 })

describe('an eviction', () => {
  const low = asking('low', 1)
  const high = asking('high', 9)
  const start = (): Agent => {
    const agent = new Agent(saved([high, low]))
    agent.observe(found({ pod: 'high' }), found({ pod: 'low' }))
    return agent
  }

  it('takes one pod at a time, and the next only after the last has gone and it is still short', () => {
    const agent = start()
    expect(steps(agent.send({ kind: 'pressure', sample: memory(10) }))).toMatchObject([
      { kind: 'stop', target: 'id-low-a1' },
      { kind: 'remove', target: 'id-low-a1' },
    ])
    expect(steps(agent.after(10_000).send({ kind: 'pressure', sample: memory(10) }))).toEqual([])
    expect(Object.keys(agent.state.pressure.evicted)).toEqual(['low'])
    waveDone(agent)
    agent.observe(found({ pod: 'high' }))
    expect(steps(agent.after(10_000).send({ kind: 'pressure', sample: memory(900) }))).toEqual([])
    expect(steps(agent.after(10_000).send({ kind: 'pressure', sample: memory(10) }))).toMatchObject([
      { kind: 'stop', target: 'id-high-a1' },
      { kind: 'remove' },
    ])
  })

  it('is told: Failed and Evicted when it is gone, the device level while it is short', () => {
    const agent = start()
    agent.send({ kind: 'pressure', sample: memory(10) })
    const report = () => buildReport(agent.state, agent.now())
    const reported = () => report().pods.find(({ uid }) => uid === 'low')
    expect(reported()).toMatchObject({ phase: 'Running', reason: 'Evicted', cause: { code: 'device.pressure.memory' } })
    waveDone(agent)
    agent.observe(found({ pod: 'high' }))
    expect(reported()).toMatchObject({ phase: 'Failed', ready: false, reason: 'Evicted', containers: [], cause: { code: 'device.pressure.memory' } })
    expect(report().causes).toMatchObject([{ code: 'device.pressure.memory' }])
    expect(report().converged).toBe(true)
    agent.after(LIMITS.evictionHoldMs.value).send({ kind: 'pressure', sample: memory(2_000) })
    expect(report().causes).toEqual([])
    expect(reported()?.phase).toBe('Failed')
  })

  it('is not undone by a restart of the agent, and forgotten when the pod is no longer asked for', () => {
    const agent = start()
    agent.send({ kind: 'pressure', sample: memory(10) })
    agent.after(60_000).send({ kind: 'tick' })
    const kept = agent.saves().at(-1)?.state
    expect(kept?.evicted).toMatchObject({ low: { code: 'device.pressure.memory' } })
    const next = new Agent(saved([high, low], { evicted: kept?.evicted ?? {} }))
    expect(steps(next.observe(found({ pod: 'high' })))).toEqual([])
    const desired = saved([high])
    if (desired.kind !== 'state' || desired.state.desired === null) throw new Error('no desired state')
    next.send({ kind: 'target', desired: { ...desired.state.desired, generation: 2 } })
    next.send({ kind: 'saved', epoch: 1, generation: 2 })
    expect(next.state.pressure.evicted).toEqual({})
  })

  it('holds its condition as long as ever when the cloud no longer asks for the pod that had to go', () => {
    const agent = start()
    agent.send({ kind: 'pressure', sample: memory(10) })
    waveDone(agent)
    agent.observe(found({ pod: 'high' }))
    const desired = saved([high])
    if (desired.kind !== 'state' || desired.state.desired === null) throw new Error('no desired state')
    agent.send({ kind: 'target', desired: { ...desired.state.desired, generation: 2 } })
    // the write of the eviction itself, then that of the document
    for (const generation of [1, 2]) agent.send({ kind: 'saved', epoch: 1, generation })
    expect(agent.state.pressure.evicted).toEqual({})
    const causes = () => buildReport(agent.state, agent.now()).causes
    agent.after(LIMITS.evictionCalmMs.value).send({ kind: 'pressure', sample: memory(2_000) })
    expect(causes()).toMatchObject([{ code: 'device.pressure.memory' }])
    agent.after(LIMITS.evictionHoldMs.value).send({ kind: 'pressure', sample: memory(2_000) })
    expect(causes()).toEqual([])
  })

  it('lets nothing new begin while it is short, but what is critical', () => {
    const agent = start()
    agent.send({ kind: 'pressure', sample: memory(10) })
    waveDone(agent)
    const critical = asking('critical', 2_000_000_000)
    const fresh = new Agent(saved([asking('new', 5), critical]))
    fresh.send({ kind: 'pressure', sample: memory(10) })
    const made = steps(fresh.observe()).filter((step) => 'kind' in step && step.kind === 'create')
    expect(made).toMatchObject([{ plan: { identity: { podUid: 'critical' } } }])
    expect(buildReport(fresh.state, fresh.now()).pods[0]?.cause).toMatchObject({ code: 'device.pressure.memory' })
  })

  it('does not happen while the desired state is not known, or the engine does not answer', () => {
    const unknown = new Agent({ kind: 'unknown', floor: null, why: '' })
    unknown.observe(found({ pod: 'low' }))
    expect(steps(unknown.send({ kind: 'pressure', sample: memory(10) }))).toEqual([])
    const agent = start()
    agent.send({ kind: 'observe-failed', cause: { code: 'engine.timeout', facts: {} } })
    agent.send({ kind: 'pressure', sample: memory(10) })
    expect(agent.state.pressure.evicted).toEqual({})
  })
})

describe('the sampler', () => {
  const FILES = {
    '/proc/meminfo': 'MemTotal:        4194304 kB\nMemFree:           10240 kB\nMemAvailable:      51200 kB\n',
    '/proc/loadavg': '0.10 0.20 0.30 2/950 4711\n',
    '/proc/sys/kernel/pid_max': '4194304\n',
    '/proc/sys/kernel/threads-max': '1000\n',
    '/sys/fs/cgroup/system.slice/docker-a.scope/memory.current': '5000\n',
    '/sys/fs/cgroup/system.slice/docker-a.scope/memory.stat': 'anon 1\ninactive_file 1000\n',
    '/sys/fs/cgroup/system.slice/docker-a.scope/pids.current': '7\n',
    '/sys/fs/cgroup/memory/docker/b/memory.usage_in_bytes': '900\n',
    '/sys/fs/cgroup/memory/docker/b/memory.stat': 'total_inactive_file 100\n',
    '/sys/fs/cgroup/pids/docker/b/pids.current': '3\n',
  }
  it('reads what is left, and who holds it when it is short', async () => {
    const { levels, usage } = await createPressureSampler(fakeHost(FILES)).sample(['a', 'b', 'c'], '/does/not/exist')
    expect(levels).toEqual({ memory: { available: 50 * MI, total: 4 * GI }, pids: { available: 50, total: 1_000 } })
    expect(usage).toEqual({ a: { memory: 4_000, pids: 7 }, b: { memory: 800, pids: 3 }, c: {} })
  })
  it('reads nothing of containers while there is enough', async () => {
    const files = { ...FILES, '/proc/meminfo': 'MemTotal: 4194304 kB\nMemAvailable: 2097152 kB\n' }
    expect((await createPressureSampler(fakeHost(files)).sample(['a'], '/')).usage).toEqual({})
  })
  it('leaves out what it cannot read', async () => {
    expect(await createPressureSampler(fakeHost({})).sample(['a'], '/does/not/exist')).toEqual({ levels: {}, usage: {} })
  })
})
