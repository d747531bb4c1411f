/** Rollouts with the real controllers, a memory store and devices that obey at once unless told otherwise. */
import { afterEach, describe, expect, test } from 'vitest'
import { UPDATE_STRATEGY_ANNOTATION } from '../cloud/resources/update-annotations.ts'
import { ROLLOUT_MEMBERS } from '../cloud/resources/rollout-members.ts'
import type { RolloutMember, RolloutMembers } from '../cloud/resources/rollout-members.ts'
import type { Rollout } from '../cloud/resources/rollout.ts'
import type { DaemonSet } from '../cloud/resources/daemon-set.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import type { KubeObject } from '../cloud/resources/object.ts'
import { daemonSet, FakeFleet } from './fakes/fleet.ts'

let fleet = new FakeFleet()
afterEach(async () => {
  await fleet.controllers?.stop()
  expect(fleet.logs.filter((line) => line.level === 'warn' && line.msg.startsWith('work failed'))).toEqual([])
})

const NAMES = ['gw-1', 'gw-2', 'gw-3', 'gw-4', 'gw-5']
async function fresh(...names: readonly string[]): Promise<void> {
  fleet = new FakeFleet()
  await fleet.start()
  await fleet.join(...names)
  const set = daemonSet('web', 'web:1')
  await fleet.create({ ...set, metadata: { ...set.metadata, annotations: { [UPDATE_STRATEGY_ANNOTATION]: 'InPlace' } } })
  await fleet.clock.advance(1000)
}
const rollout = (spec: Readonly<Record<string, unknown>> = {}, name = 'web-2'): KubeObject => ({
  apiVersion: 'skerry.dev/v1',
  kind: 'Rollout',
  metadata: { name },
  spec: { release: [{ daemonSet: 'web', images: { main: 'web:2' } }], gate: { soakSeconds: 10 }, ...spec },
})
const status = async (name = 'web-2'): Promise<NonNullable<Rollout['status']>> => {
  const found = (await fleet.list<Rollout>('rollouts.skerry.dev')).find(({ metadata }) => metadata.name === name)
  return found?.status ?? {}
}
const members = async (): Promise<readonly RolloutMember[]> => (await fleet.list<RolloutMembers>(ROLLOUT_MEMBERS)).flatMap(({ spec }) => spec.members)
const edit = (change: Readonly<Record<string, unknown>>): Promise<void> =>
  fleet.edit('rollouts.skerry.dev', 'web-2', (object) => Object.assign(object.spec, change))
const images = async (): Promise<Readonly<Record<string, string | undefined>>> =>
  Object.fromEntries((await fleet.list<Pod>('pods')).map((pod) => [pod.spec.nodeName, pod.spec.containers[0]?.image] as const).toSorted())
const onNew = async (): Promise<readonly string[]> =>
  Object.entries(await images())
    .filter(([, image]) => image === 'web:2')
    .map(([node]) => node)

describe('a Rollout of a DaemonSet', () => {
  test('changes the canary in place, then the others, and becomes the template of the DaemonSet', async () => {
    await fresh(...NAMES)
    const before = new Map((await fleet.list<Pod>('pods')).map((pod) => [pod.spec.nodeName, pod.metadata.uid]))
    await fleet.create(rollout())
    await fleet.clock.advance(5_000)
    expect(await onNew()).toEqual(['gw-1'])
    expect(await status()).toMatchObject({ phase: 'Running', releasedWave: 1, chunks: 1, summary: { web: 'main: web:1 -> web:2' } })
    await fleet.clock.advance(30_000)
    expect(await status()).toMatchObject({ phase: 'Completed', adopted: true, counts: { members: 5, done: 5 } })
    expect(await onNew()).toEqual(NAMES)
    const after = new Map((await fleet.list<Pod>('pods')).map((pod) => [pod.spec.nodeName, pod.metadata.uid]))
    expect(after).toEqual(before)
    const [set] = await fleet.list<DaemonSet>('daemonsets.apps')
    expect(set?.spec.template.spec.containers[0]?.image).toBe('web:2')
  })

  test('a cloud that is killed in the middle goes on at the same step', async () => {
    await fresh(...NAMES)
    await fleet.create(rollout({ waves: [{ count: 1 }, { count: 2 }, {}] }))
    for (let round = 0; round < 12; round += 1) {
      await fleet.clock.advance(3_700)
      const [stored, list] = [await status(), await members()]
      expect(list.filter(({ wave, template }) => template === 'next' && wave > (stored.releasedWave ?? 0))).toEqual([])
      await fleet.restart()
    }
    await fleet.clock.advance(60_000)
    const end = await status()
    expect(end).toMatchObject({ phase: 'Completed', counts: { done: 5 } })
    expect(end.decisions?.map(({ action, wave }) => [action, wave ?? 0])).toEqual([
      ['released', 1],
      ['gate-passed', 1],
      ['released', 2],
      ['gate-passed', 2],
      ['released', 3],
      ['completed', 0],
    ])
  })

  test('a gate that measures asks the canary for readings, over a restart of the cloud, and waits until it knows', async () => {
    await fresh(...NAMES)
    await fleet.create(rollout({ gate: { soakSeconds: 10, metrics: [{ reading: 'podMemory', max: '100Mi', forSeconds: 30 }] } }))
    const tell = async (seconds: number): Promise<void> => {
      for (let passed = 0; passed < seconds; passed += 10) {
        await fleet.clock.advance(10_000)
        for (const device of fleet.devices.values()) {
          const pods = Object.fromEntries((device.held?.pods ?? []).map(({ uid }) => [uid, { memory: 50 * 2 ** 20 }]))
          const sample = { at: new Date(fleet.clock.nowMs()).toISOString(), spanSeconds: 10, pods }
          device.send('telemetry', { device: device.name, dropped: 0, samples: [sample] })
        }
      }
    }
    await fleet.clock.advance(90_000)
    expect(await status()).toMatchObject({ phase: 'Running', releasedWave: 1, waves: [{ waitsFor: { code: 'rollout.gate.measuring' } }, {}] })
    expect([...new Set(fleet.looked)]).toEqual(['gw-1'])
    await tell(20)
    fleet.looked.length = 0
    await fleet.restart()
    await tell(20)
    // what the cloud knew before is gone, and it does not go on by half of what it wants to know
    expect(await status()).toMatchObject({ releasedWave: 1 })
    expect([...new Set(fleet.looked)]).toEqual(['gw-1'])
    await tell(30)
    expect(await status()).toMatchObject({ releasedWave: 2, waves: [{ state: 'Passed', gate: { metrics: [{ within: 1, value: '50Mi' }] } }, {}] })
    await tell(70)
    expect(await status()).toMatchObject({ phase: 'Completed', counts: { done: 5 } })
    fleet.looked.length = 0
    await fleet.clock.advance(180_000)
    expect(fleet.looked).toEqual([])
  })

  test('tells devices how fast the new images may come, already when they fetch them ahead', async () => {
    await fresh(...NAMES)
    await fleet.create(rollout({ bandwidth: { metered: '200Ki' }, prefetch: 'AllWaves', gate: { soakSeconds: 30 } }))
    await fleet.clock.advance(5_000)
    const rates = [{ image: 'web:2', metered: 200 * 1024 }]
    const told = NAMES.map((name) => fleet.device(name).held)
    expect(told.map((held) => held?.rates)).toEqual(NAMES.map(() => rates))
    expect(told.map((held) => held?.prefetch)).toEqual([undefined, ...NAMES.slice(1).map(() => ['web:2'])])
    await fleet.clock.advance(120_000)
    expect(await status()).toMatchObject({ phase: 'Completed' })
    expect(NAMES.map((name) => fleet.device(name).held?.rates)).toEqual(NAMES.map(() => rates))
  })

  test('a canary that is not ready in time pauses it; abort takes it back and nobody else ever had it', async () => {
    await fresh(...NAMES)
    fleet.device('gw-1').neverReady.add('web:2')
    await fleet.create(rollout({ deadlineSeconds: 60 }))
    await fleet.clock.advance(120_000)
    expect(await status()).toMatchObject({ phase: 'Paused', pausedBy: 'rule', failures: [{ code: 'rollout.deadline', examples: ['gw-1'] }] })
    await edit({ abort: 'Return' })
    await fleet.clock.advance(10_000)
    expect(await status()).toMatchObject({ phase: 'Aborted', counts: { returned: 1, skipped: 4 } })
    expect(await onNew()).toEqual([])
  })

  test('a device that is away is not a failure, and changes when it is back', async () => {
    await fresh(...NAMES)
    fleet.device('gw-4').cut()
    await fleet.clock.advance(400_000)
    await fleet.create(rollout())
    await fleet.clock.advance(60_000)
    expect(await status()).toMatchObject({ phase: 'CompletedWithSkips', counts: { done: 4, offline: 1 } })
    fleet.device('gw-4').boot('gw-4-s2')
    await fleet.clock.advance(60_000)
    expect(await status()).toMatchObject({ phase: 'Completed', counts: { done: 5 } })
  })

  test('one with a target keeps its devices, and leaves the DaemonSet and all others alone', async () => {
    await fresh(...NAMES)
    await fleet.create(rollout({ target: { names: ['gw-2', 'gw-5'] }, waves: [{}] }))
    await fleet.clock.advance(30_000)
    expect(await status()).toMatchObject({ phase: 'Completed', counts: { members: 2, done: 2 } })
    expect(await onNew()).toEqual(['gw-2', 'gw-5'])
    await fleet.clock.advance(60_000)
    expect(await onNew()).toEqual(['gw-2', 'gw-5'])
  })

  test('a device that joins while it runs comes last', async () => {
    await fresh('gw-1', 'gw-2')
    await fleet.create(rollout({ gate: { soakSeconds: 100 } }))
    await fleet.clock.advance(5_000)
    await fleet.join('gw-0')
    await fleet.clock.advance(20_000)
    expect((await members()).map(({ node, wave, verdict }) => [node, wave, verdict])).toEqual([
      ['gw-1', 1, 'soaking'],
      ['gw-2', 2, 'pending'],
      ['gw-0', 3, 'pending'],
    ])
    await fleet.clock.advance(400_000)
    expect(await status()).toMatchObject({ phase: 'Completed', counts: { done: 3 }, waves: [{}, {}, { name: 'late' }] })
  })

  test('a device without room for the new revision is left out, and says why', async () => {
    await fresh('gw-1', 'gw-2')
    fleet.device('gw-2').memoryBytes = 64 * 1024 ** 3
    fleet.device('gw-2').inventory()
    await fleet.clock.advance(1000)
    const big = { spec: { containers: [{ name: 'main', image: 'web:2', resources: { requests: { memory: '16Gi' } } }] } }
    await fleet.create(rollout({ release: [{ daemonSet: 'web', templatePatch: big }], waves: [{}] }))
    await fleet.clock.advance(60_000)
    const [small] = (await members()).filter(({ node }) => node === 'gw-1')
    expect(small).toMatchObject({ verdict: 'skipped', cause: { code: 'rollout.no-room' } })
    expect(await status()).toMatchObject({ phase: 'CompletedWithSkips', counts: { done: 1, skipped: 1 } })
    expect(await onNew()).toEqual(['gw-2'])
  })

  test('it begins when the first device comes, also when that has not told its hardware yet: nothing is known against it', async () => {
    fleet = new FakeFleet()
    await fleet.start()
    await fleet.create(daemonSet('web', 'web:1'))
    await fleet.create(rollout())
    await fleet.clock.advance(5_000)
    expect(await status()).toMatchObject({ phase: 'Blocked', cause: { code: 'rollout.no-members' } })
    fleet.device('gw-1').tellsHardware = false
    await fleet.join('gw-1')
    await fleet.clock.advance(5_000)
    expect(await members()).toMatchObject([{ node: 'gw-1', verdict: 'updating', template: 'next' }])
    fleet.device('gw-1').tellsHardware = true
    fleet.device('gw-1').inventory()
    await fleet.clock.advance(30_000)
    expect(await status()).toMatchObject({ phase: 'Completed', counts: { members: 1, done: 1 } })
    expect(await onNew()).toEqual(['gw-1'])
  })

  test.each([
    [{ release: [{ daemonSet: 'none', images: { main: 'x' } }] }, 'There is no DaemonSet none in namespace default.'],
    [
      { release: [{ daemonSet: 'web', images: { other: 'x' } }] },
      'The change of DaemonSet web does not give a valid pod template: images["other"] names no container; there are main.',
    ],
    [
      { release: [{ daemonSet: 'web', images: { main: 'web:1' } }] },
      'The release changes nothing: its templates are those that DaemonSet web has already.',
    ],
    [{ target: { names: ['gw-9'] } }, 'No device matches: 1 devices are known, 1 of them run the DaemonSets.'],
  ])('%j is blocked with a reason', async (spec, says) => {
    await fresh('gw-1')
    await fleet.create(rollout(spec))
    await fleet.clock.advance(2_000)
    expect(await status()).toMatchObject({ phase: 'Blocked', message: says })
    await edit({ abort: 'Return' })
    await fleet.clock.advance(1_000)
    expect(await status()).toMatchObject({ phase: 'Aborted', message: 'Aborted before it began.' })
  })

  test('a second rollout of the same DaemonSet waits for the first', async () => {
    await fresh('gw-1', 'gw-2')
    await fleet.create(rollout())
    await fleet.clock.advance(5_000)
    await fleet.create(rollout({ release: [{ daemonSet: 'web', images: { main: 'web:3' } }] }, 'web-3'))
    await fleet.clock.advance(5_000)
    expect(await status('web-3')).toMatchObject({ phase: 'Blocked', cause: { code: 'rollout.busy' } })
    await fleet.clock.advance(90_000)
    expect([(await status()).phase, (await status('web-3')).phase]).toEqual(['Completed', 'Completed'])
    expect(Object.values(await images())).toEqual(['web:3', 'web:3'])
  })

  test('a deleted rollout leaves nothing, and devices go back to the DaemonSet', async () => {
    await fresh(...NAMES)
    await fleet.create(rollout({ gate: { soakSeconds: 1000 } }))
    await fleet.clock.advance(5_000)
    expect(await onNew()).toEqual(['gw-1'])
    await fleet.store.delete('rollouts.skerry.dev', 'default', 'web-2', null)
    await fleet.clock.advance(5_000)
    expect([await onNew(), await members()]).toEqual([[], []])
  })

  test('a plan shows who would change and writes nothing that acts; starting from it takes exactly those', async () => {
    await fresh(...NAMES)
    fleet.device('gw-4').cut()
    await fleet.clock.advance(4000)
    const spec = { waves: [{ count: 2 }, {}], exclude: [{ names: ['gw-1'], reason: 'demo' }] }
    const answer = await fleet.controllers?.planRollout('default', rollout(spec))
    if (answer?.ok !== true) throw new Error(JSON.stringify(answer))
    const { plan } = answer
    expect(plan.waves.map(({ members: count, skipped, silent }) => [count, skipped, silent])).toEqual([
      [3, 1, 0],
      [2, 0, 1],
    ])
    expect(plan.releases).toEqual([
      { daemonSet: 'web', summary: 'main: web:1 -> web:2', changes: [{ path: 'spec.containers[main].image', from: 'web:1', to: 'web:2' }] },
    ])
    expect(plan.devices.find(({ node }) => node === 'gw-1')?.sentence).toBe('Left out by an operator: demo.')
    // nobody has it, and nobody knows its size: that is said
    expect(plan.devices.find(({ node }) => node === 'gw-2')).toMatchObject({ pulls: ['web:2'], bytesToPull: null })
    expect(fleet.controllers?.shownPlan('default', plan.planId)?.devices).toEqual(plan.devices)
    await fleet.clock.advance(10_000)
    expect(await onNew()).toEqual([])
    await fleet.join('gw-0')
    await fleet.create(rollout({ ...spec, planId: plan.planId }))
    await fleet.clock.advance(1000)
    const own = (await fleet.list<RolloutMembers>(ROLLOUT_MEMBERS)).filter(({ metadata }) => metadata.name?.startsWith('web-2.'))
    expect(own.flatMap(({ spec: chunk }) => chunk.members).map(({ node, wave }) => [node, wave])).toEqual([
      ...plan.devices.map(({ node, wave }) => [node, wave]),
      ['gw-0', 3],
    ])
    expect((await status()).planId).toBe(plan.planId)
  })

  test('a Rollout takes the place of no plan, whatever it is called', async () => {
    await fresh(...NAMES)
    const answer = await fleet.controllers?.planRollout('default', rollout())
    if (answer?.ok !== true) throw new Error('no plan was made')
    const { planId, devices } = answer.plan
    await fleet.create(rollout({ waves: [{ name: 'all' }] }, `plan-${planId}`))
    await fleet.clock.advance(2_000)
    expect((await status(`plan-${planId}`)).waves).toHaveLength(1)
    expect(fleet.controllers?.shownPlan('default', planId)?.devices).toEqual(devices)
  })

  test('a plan that no longer holds starts nothing', async () => {
    await fresh('gw-1')
    const answer = await fleet.controllers?.planRollout('default', rollout())
    if (answer?.ok !== true) throw new Error(JSON.stringify(answer))
    const { planId } = answer.plan
    await fleet.create(rollout({ planId, waves: [{}] }))
    await fleet.create(rollout({ planId: '0123456789abcdef' }, 'web-3'))
    await fleet.clock.advance(1000)
    expect((await status()).message).toBe(`Plan ${planId} does not hold: it was made for another release, target or other waves.`)
    await fleet.store.delete('rollouts.skerry.dev', 'default', 'web-2', null)
    await fleet.clock.advance(1000)
    expect((await status('web-3')).cause).toMatchObject({ code: 'rollout.no-plan' })
    const bad = await fleet.controllers?.planRollout('default', rollout({ maxParallel: 0 }))
    expect(bad).toMatchObject({
      ok: false,
      code: 422,
      message: 'spec.maxParallel: must not be 0: nothing would ever change; use paused: true to stop',
    })
  })

  test('later waves fetch the images ahead when it says so, and only while they wait', async () => {
    await fresh(...NAMES)
    await fleet.create(rollout({ waves: [{ count: 1 }, { count: 1 }, {}], gate: { soakSeconds: 100 }, prefetch: 'NextWave' }))
    await fleet.clock.advance(5_000)
    const ahead = (): readonly (string | undefined)[] => NAMES.map((name) => fleet.device(name).held?.prefetch?.join())
    expect(ahead()).toEqual([undefined, 'web:2', undefined, undefined, undefined])
    await fleet.clock.advance(105_000)
    expect(ahead()).toEqual([undefined, undefined, 'web:2', 'web:2', 'web:2'])
    await edit({ abort: 'Return' })
    await fleet.clock.advance(5_000)
    expect(ahead()).toEqual([undefined, undefined, undefined, undefined, undefined])
  })
})
