import { describe, expect, test } from 'vitest'
import { fakeNode, RolloutWorld, START_MS } from './fakes/rollout-world.ts'
import type { FakeNode } from './fakes/rollout-world.ts'
import { REVISION_HASH_LABEL } from '../cloud/core/pod-template.ts'
import { REVISION_APPLIED, podFacts } from '../cloud/core/rollout/facts.ts'
import { judgeNext, judgeRules } from '../cloud/core/rollout/judge.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import type { RolloutMember } from '../cloud/resources/rollout-members.ts'
import type { RolloutSpec } from '../cloud/resources/rollout-spec.ts'
import { causeSentence } from '../protocol/causes.ts'

const GATE = { soakSeconds: 10, healthyPercent: 100 }
const fleet = (count: number, facts: (index: number) => Partial<FakeNode> = () => ({})): readonly FakeNode[] =>
  Array.from({ length: count }, (_, index) => fakeNode(`gw-${String(index).padStart(2, '0')}`, facts(index)))
const world = (count: number, spec: Partial<RolloutSpec> = {}, facts?: (index: number) => Partial<FakeNode>): RolloutWorld =>
  new RolloutWorld({ gate: GATE, ...spec }, fleet(count, facts))
const onNew = (here: RolloutWorld): number => [...here.nodes.values()].filter(({ runs }) => runs.startsWith('new')).length
const actions = (here: RolloutWorld): readonly string[] =>
  (here.status.decisions ?? []).map(({ action, wave }) => (wave === undefined ? action : `${action} ${wave}`))

describe('a rollout', () => {
  test('goes wave by wave: the canary alone until it was healthy for the soak time', () => {
    const here = world(5)
    here.run(1, 5_000)
    expect(here.members.filter(({ template }) => template === 'next').map(({ node }) => node)).toEqual(['gw-00'])
    here.run(2, 5_000)
    expect([onNew(here), here.status.releasedWave]).toEqual([1, 1])
    here.run(2, 5_000)
    expect(here.status.releasedWave).toBe(2)
    here.run(6, 5_000)
    expect(here.status).toMatchObject({ phase: 'Completed', adopted: true, counts: { members: 5, done: 5 } })
    expect([onNew(here), here.own]).toEqual([5, 'new'])
    expect(actions(here)).toEqual(['released 1', 'gate-passed 1', 'released 2', 'completed'])
  })

  test('a bad canary pauses it by rule, and abort takes everybody back', () => {
    const here = world(5, {}, (index) => ({ bad: index === 0 }))
    here.run(8)
    expect(here.status).toMatchObject({ phase: 'Paused', pausedBy: 'rule', pauses: 1, releasedWave: 1, cause: { code: 'rollout.failures.percent' } })
    expect(here.verdicts()['gw-00']).toBe('rolledBackByDevice')
    expect(here.status.failures).toEqual([
      {
        code: 'rollout.rolled-back',
        sentence: 'The device went back to its last healthy revision: it did not become ready in time.',
        count: 1,
        examples: ['gw-00'],
      },
    ])
    here.edit({ abort: 'Return' })
    here.run(4)
    expect(here.status).toMatchObject({ phase: 'Aborted', counts: { members: 5, returned: 1, skipped: 4 } })
    expect([onNew(here), here.own, here.status.adopted]).toEqual([0, 'old', undefined])
  })

  test('excluding the bad group and resuming ends it with skips, and those keep the old revision', () => {
    const bad = (index: number): Partial<FakeNode> => (index % 4 === 0 ? { bad: true, labels: { model: 'a' } } : {})
    const here = world(8, { waves: [{ names: ['gw-01'] }, {}], gate: { ...GATE, maxFailures: 1 } }, bad)
    here.run(10)
    expect(here.status).toMatchObject({ phase: 'Paused', cause: { code: 'rollout.failures.number' } })
    here.edit({ exclude: [{ selector: { matchLabels: { model: 'a' } }, reason: 'model a' }], acknowledgedPauses: 1 })
    here.run(10)
    expect(here.status).toMatchObject({ phase: 'CompletedWithSkips', adopted: true, counts: { members: 8, done: 6, skipped: 2 } })
    here.run(4)
    expect([here.nodes.get('gw-00')?.runs, here.nodes.get('gw-04')?.runs, onNew(here)]).toEqual(['old', 'old', 6])
  })

  test('silent devices are not failures, do not hold up the others, and finish when they return', () => {
    const here = world(10, { waves: [{ count: 4 }, {}] }, (index) => (index > 7 ? { silentSinceMs: START_MS - 3_600_000 } : {}))
    here.run(12)
    expect(here.status).toMatchObject({ phase: 'CompletedWithSkips', counts: { done: 8, offline: 2 } })
    for (const node of here.nodes.values()) node.silentSinceMs = null
    here.run(6)
    expect(here.status).toMatchObject({ phase: 'Completed', counts: { done: 10 } })
  })

  test('silence proves nothing: a silent canary lets nobody follow, whatever the policy', () => {
    for (const policy of ['Ignore', 'Count'] as const) {
      const here = world(3, { silence: { policy, afterSeconds: 60 }, waves: [{ names: ['gw-00'] }, {}] }, (index) =>
        index === 0 ? { silentSinceMs: START_MS - 3_600_000 } : {},
      )
      here.run(20)
      expect([here.status.releasedWave, here.status.phase, here.verdicts()['gw-00']]).toEqual([1, 'Running', 'offline'])
    }
    const failing = world(3, { silence: { policy: 'Fail', afterSeconds: 60 }, waves: [{ names: ['gw-00'] }, {}] }, (index) =>
      index === 0 ? { silentSinceMs: START_MS - 3_600_000 } : {},
    )
    failing.run(20)
    expect(failing.status).toMatchObject({ phase: 'Paused', failures: [{ code: 'rollout.silent-failed', count: 1 }] })
  })

  test('a device that does not get there in time has failed; when it does get there later it is done', () => {
    const here = world(1, { deadlineSeconds: 30, gate: { ...GATE, maxFailurePercent: 100 } }, () => ({ slowMs: 60_000 }))
    here.run(8)
    expect(here.verdicts()).toEqual({ 'gw-00': 'failed' })
    expect(here.status).toMatchObject({ phase: 'Paused', failures: [{ code: 'rollout.deadline' }] })
    here.run(12)
    expect(here.verdicts()).toEqual({ 'gw-00': 'done' })
  })

  test('a device that runs the old revision because the new image cannot be had says so, not only that time is over', () => {
    const message = 'Image app:2 could not be pulled: no such host.'
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'app-1', namespace: 'default', labels: { [REVISION_HASH_LABEL]: 'new' } },
      spec: { containers: [] },
      status: {
        phase: 'Running',
        containerStatuses: [],
        conditions: [
          { type: 'Ready', status: 'True' },
          { type: REVISION_APPLIED, status: 'False', reason: 'Downloading', message },
        ],
      },
    } as unknown as Pod
    const member: RolloutMember = { node: 'gw-00', wave: 1, verdict: 'downloading', template: 'next', startedAt: 0 } as unknown as RolloutMember
    const rules = judgeRules({ release: [], waves: [], deadlineSeconds: 30 }, 10, () => 'new')
    const judged = judgeNext(member, { silentSinceMs: null, pods: [podFacts(pod)] }, rules, 31_000)
    expect(judged.cause === undefined ? '' : causeSentence(judged.cause)).toBe(
      'Not healthy on the new revision 30 s after its start: Image app:2 could not be pulled: no such host.',
    )
  })

  test('waits for approval, is promoted past gates, pauses and resumes', () => {
    const here = world(6, { waves: [{ count: 1 }, { count: 2, approval: true }, {}] })
    here.run(8)
    expect(here.status).toMatchObject({ phase: 'WaitingApproval', releasedWave: 1, waves: [{ state: 'Passed' }, { state: 'WaitingApproval' }, {}] })
    here.edit({ approvedWave: 2 })
    here.run(1)
    expect(here.status.releasedWave).toBe(2)
    here.edit({ paused: true })
    here.run(10)
    expect(here.status).toMatchObject({ phase: 'Paused', pausedBy: 'user', releasedWave: 2, counts: { done: 3 } })
    here.edit({ paused: false, promotedWave: 3 })
    here.run(1)
    expect(here.status.releasedWave).toBe(3)
    here.run(8)
    expect(here.status.phase).toBe('Completed')
  })

  test('retry asks a failed device once more, and only that often', () => {
    const here = world(2, { gate: { ...GATE, maxFailures: 0 } }, (index) => ({ bad: index === 1 }))
    here.run(12)
    expect(here.verdicts()['gw-01']).toBe('rolledBackByDevice')
    here.edit({ retries: 1, acknowledgedPauses: 1 })
    here.run(1, 0)
    expect([here.verdicts()['gw-01'], here.members.find(({ node }) => node === 'gw-01')?.attempt]).toEqual(['updating', 1])
    here.run(12)
    expect(here.members.find(({ node }) => node === 'gw-01')).toMatchObject({ verdict: 'rolledBackByDevice', attempt: 1 })
    expect(here.status).toMatchObject({ phase: 'Paused', pauses: 2 })
  })

  test('one wave goes back while the others stay; later waves wait', () => {
    const here = world(6, { waves: [{ count: 2 }, { count: 2 }, { count: 2, approval: true }] })
    here.run(14)
    here.edit({ rolledBackWaves: [2] })
    here.run(5)
    expect(here.verdicts()).toEqual({
      'gw-00': 'done',
      'gw-01': 'done',
      'gw-02': 'returned',
      'gw-03': 'returned',
      'gw-04': 'pending',
      'gw-05': 'pending',
    })
    expect([onNew(here), here.status.releasedWave, here.status.waves?.[1]?.state]).toEqual([2, 2, 'RolledBack'])
  })

  test('never more at one time than maxParallel, and starts are spread over the window', () => {
    const here = world(12, { waves: [{}], maxParallel: 3 })
    let most = 0
    for (let round = 0; round < 60; round += 1) {
      here.run(1, 2_000)
      most = Math.max(most, here.members.filter(({ verdict }) => ['updating', 'soaking', 'downloading'].includes(verdict)).length)
    }
    expect([most, here.status.phase]).toEqual([3, 'Completed'])
    const spread = world(40, { waves: [{}], startWindowSeconds: 1000, maxParallel: 100 })
    spread.run(1, 500_000)
    const early = spread.members.filter(({ template }) => template === 'next').length
    spread.run(1, 0)
    const half = spread.members.filter(({ template }) => template === 'next').length
    expect(early).toBeLessThan(5)
    expect(half).toBeGreaterThan(10)
    expect(half).toBeLessThan(30)
  })

  test('abort that lets the done ones stay takes back only who is half-way', () => {
    const here = world(6, { waves: [{ count: 2 }, {}] }, (index) => (index > 1 ? { slowMs: 60_000 } : {}))
    here.run(8)
    expect(here.status.counts).toMatchObject({ done: 2, updating: 4 })
    here.edit({ abort: 'Stay' })
    here.run(4)
    expect(here.status).toMatchObject({ phase: 'Aborted', counts: { done: 2, returned: 4 } })
    expect(onNew(here)).toBe(2)
  })
})

test('failures that come before the soak time is over are not taken for the share of all', () => {
  const here = new RolloutWorld(
    { waves: [{}], gate: { ...GATE, healthyPercent: 90, maxFailurePercent: 5, minMembers: 10 }, maxParallel: 500 },
    fleet(500, (index) => ({ bad: index % 50 === 0 })),
  )
  here.run(12)
  expect(here.status).toMatchObject({ phase: 'CompletedWithSkips', counts: { done: 490, rolledBackByDevice: 10 } })
  expect(here.status.pauses).toBe(undefined)
})
