/** From readings of devices to room that a class of pods may have: the way through the cloud's own controllers. */
import { afterEach, describe, expect, it } from 'vitest'
import { profilesOf } from '../cloud/core/scheduler/profile-config.ts'
import { DEFAULT_PROFILE } from '../cloud/core/scheduler/profile.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import { LIMITS } from '../protocol/limits.ts'
import type { Telemetry } from '../protocol/telemetry.ts'
import { deployment, FakeFleet } from './fakes/fleet.ts'

const SPAN_MS = LIMITS.telemetryCpuSpanMs.value
const DAEMONS = ['a', 'b', 'c', 'd'] as const

function overcommitting(): ReturnType<typeof profilesOf> & { readonly ok: true } {
  const made = profilesOf({
    profiles: [{ schedulerName: 'default-scheduler', pluginConfig: [{ name: 'NodeResourcesFit', args: { overcommitClasses: ['spare'] } }] }],
  })
  if (!made.ok) throw new Error(made.faults.join())
  return made
}

describe('overcommit of CPU', () => {
  let fleet = new FakeFleet()
  afterEach(() => fleet.controllers?.stop())

  /** A device of 1 CPU on which four pods ask for 225m each. */
  const crowded = async (profiles = overcommitting().profiles): Promise<void> => {
    fleet = new FakeFleet()
    await fleet.start(1, profiles)
    fleet.device('gw-1').cpuMilli = 1_000
    await fleet.join('gw-1')
    for (const name of DAEMONS) await fleet.create(deployment(name, 1, `${name}:1`, {}, { resources: { requests: { cpu: '225m' } } }))
    await fleet.clock.advance(1_000)
    expect((await bound()).length).toBe(4)
  }
  const bound = async (): Promise<readonly Pod[]> => (await fleet.list<Pod>('pods')).filter(({ spec }) => spec.nodeName !== undefined)
  const ask = (name: string, priorityClassName: string | undefined): Promise<unknown> => {
    const spec = { containers: [{ name: 'main', image: `${name}:1`, resources: { requests: { cpu: '400m' } } }] }
    const classed = priorityClassName === undefined ? spec : { ...spec, priorityClassName }
    return fleet.create({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec: classed })
  }
  const isBound = async (name: string): Promise<boolean> => (await bound()).some(({ metadata }) => metadata.name === name)
  /** a reading a minute for so many five-minute spans, as an agent sends them */
  const measure = async (spans: number, usedMilli: (at: number) => number): Promise<void> => {
    const uids = (await bound()).map(({ metadata }) => metadata.uid ?? '')
    for (let at = 0; at < spans * 5; at += 1) {
      const pods = Object.fromEntries(uids.map((uid) => [uid, { cpuMilli: usedMilli(at), memory: 8 * 2 ** 20, pids: 4 }]))
      const sample = { at: new Date(fleet.clock.nowMs()).toISOString(), spanSeconds: 60, device: { cpuMilli: 200 }, pods }
      const body: Telemetry = { device: 'gw-1', dropped: 0, samples: [sample] }
      fleet.device('gw-1').send('telemetry', body)
      await fleet.clock.advance(SPAN_MS / 5)
      fleet.device('gw-1').report()
    }
  }

  it('asks every device for readings where a class opted in, and nowhere else', async () => {
    await crowded()
    expect(fleet.device('gw-1').held?.telemetry).toEqual({ everySeconds: LIMITS.usageEverySeconds.value })
    await fleet.controllers?.stop()
    await crowded([DEFAULT_PROFILE])
    expect(fleet.device('gw-1').held?.telemetry).toBeUndefined()
  })

  it('gives a pod of that class what others were measured not to use, after two hours of it, and others nothing', async () => {
    await crowded()
    await ask('batch', 'spare')
    await ask('web', undefined)
    await measure(20, () => 25)
    expect([await isBound('batch'), await isBound('web')]).toEqual([false, false])
    await measure(6, () => 25)
    expect([await isBound('batch'), await isBound('web')]).toEqual([true, false])
    const waiting = (await fleet.list<Pod>('pods')).find(({ metadata }) => metadata.name === 'web')
    expect(waiting?.status?.conditions?.find(({ type }) => type === 'PodScheduled')?.message).toBe(
      '0 of 1 devices can take this pod: 1 too little cpu (needs 400m, most free 0).',
    )
  })

  it('gives nothing of pods that use what they ask for', async () => {
    await crowded()
    await ask('batch', 'spare')
    await measure(30, (at) => (at % 7 === 0 ? 220 : 180))
    expect(await isBound('batch')).toBe(false)
  })

  it('gives nothing by readings that are old, though the device is there', async () => {
    await crowded()
    await measure(26, () => 25)
    for (let minutes = 0; minutes < LIMITS.usageFreshMs.value / 60_000 + 1; minutes += 1) {
      await fleet.clock.advance(60_000)
      fleet.device('gw-1').report()
    }
    await ask('batch', 'spare')
    await fleet.clock.advance(1_000)
    expect(await isBound('batch')).toBe(false)
  })

  it('takes back what a pod left unused when that pod goes', async () => {
    await crowded()
    await measure(26, () => 25)
    for (const name of ['a', 'b']) await fleet.edit('deployments.apps', name, (object) => Object.assign(object.spec, { replicas: 0 }))
    await fleet.clock.advance(1_000)
    // 550m are free by requests now; of the two that are left 225m each less their own peak
    await ask('batch', 'spare')
    await ask('greedy', 'spare')
    await fleet.clock.advance(1_000)
    expect([await isBound('batch'), await isBound('greedy')]).toEqual([true, false])
  })
})
