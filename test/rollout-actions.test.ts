/** What operators do over the API: steer a rollout, and read who takes part. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { planText } from '../cloud/cli/plan.ts'
import { pictureOf } from '../cloud/cli/rollout.ts'
import { chunkName, ROLLOUT_MEMBERS } from '../cloud/resources/rollout-members.ts'
import type { WaveStatus } from '../cloud/resources/rollout-status.ts'
import type { Rollout } from '../cloud/resources/rollout.ts'
import { ADMIN, startApiServer } from './fakes/api-server.ts'
import type { TestServer } from './fakes/api-server.ts'

let server: TestServer
const PATH = '/apis/skerry.dev/v1/namespaces/default/rollouts'
beforeAll(async () => {
  server = await startApiServer()
})
afterAll(() => server.close())

interface Body {
  readonly message?: string
  readonly spec?: Rollout['spec']
  readonly history?: Rollout['history']
  readonly metadata?: Rollout['metadata'] & { readonly total?: number }
  readonly items?: readonly Readonly<Record<string, unknown>>[]
}
async function ask(
  method: string,
  path: string,
  body?: unknown,
  type = 'application/json',
): Promise<{ readonly status: number; readonly body: Body }> {
  const answer = await fetch(`http://127.0.0.1:${server.port}${path}`, {
    method,
    headers: { authorization: `Bearer ${ADMIN}`, ...(body === undefined ? {} : { 'content-type': type }) },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  return { status: answer.status, body: (await answer.json()) as Body }
}
async function make(name: string, status: Rollout['status'] = {}, spec: Readonly<Record<string, unknown>> = {}): Promise<void> {
  const rollout = {
    apiVersion: 'skerry.dev/v1',
    kind: 'Rollout',
    metadata: { name },
    spec: { release: [{ daemonSet: 'web', images: { main: 'web:2' } }], waves: [{ count: 1 }, { count: 2, approval: true }, {}], ...spec },
  }
  expect((await ask('POST', PATH, rollout)).status).toBe(201)
  const stored = await ask('GET', `${PATH}/${name}`)
  expect((await ask('PUT', `${PATH}/${name}/status`, { ...rollout, metadata: stored.body.metadata, status })).status).toBe(200)
}
const act = (name: string, body: unknown) => ask('POST', `${PATH}/${name}/actions`, body)

describe('actions', () => {
  test('promote goes past the gate of the last wave only where it measures', async () => {
    const gate = { healthyPercent: 100, wantedPercent: 95, base: 1, failures: 0, ended: 1, soakSeconds: 0 }
    const metric = { says: 'podPids at most 9', base: 1, within: 0, outside: 1, unknown: 0, wantedPercent: 95, forSeconds: 60 }
    const waves = (state: 'Missed' | 'Passed'): readonly WaveStatus[] =>
      [1, 2, 3].map((number) => ({ number, name: `w${number}`, state: 'Running', counts: {}, gate: { ...gate, metrics: [{ ...metric, state }] } }))
    await make('p', { phase: 'Paused', pausedBy: 'rule', releasedWave: 3, waves: waves('Missed') })
    expect((await act('p', { action: 'promote' })).body.spec?.promotedWave).toBe(4)
    await make('q', { phase: 'Running', releasedWave: 3, waves: waves('Passed') })
    expect((await act('q', { action: 'promote' })).body.message).toContain('its last wave has started')
  })

  test('are fields of the spec, with who and why', async () => {
    await make('a', { phase: 'Paused', pausedBy: 'rule', pauses: 2, releasedWave: 1, counts: { members: 9, failed: 2 }, waves: [] })
    await act('a', { action: 'resume', reason: 'seen' })
    await act('a', { action: 'approve' })
    await act('a', { action: 'retry' })
    const { body } = await act('a', { action: 'exclude', selector: { matchLabels: { model: 'x' } }, reason: 'model x', resume: true })
    expect(body.spec).toMatchObject({
      paused: false,
      acknowledgedPauses: 2,
      approvedWave: 2,
      retries: 1,
      exclude: [{ selector: { matchLabels: { model: 'x' } }, reason: 'model x' }],
    })
    expect(body.history?.map(({ by, actions, reason }) => [by, actions, reason])).toEqual([
      ['admin', ['created'], undefined],
      ['admin', ['resumed'], 'seen'],
      ['admin', ['approved'], undefined],
      ['admin', ['retried'], undefined],
      ['admin', ['excluded'], 'model x'],
    ])
    expect(body.metadata?.annotations).toEqual({})
  })

  test('by kubectl patch are kept with their reason, too', async () => {
    await make('b')
    const patch = { metadata: { annotations: { 'skerry.dev/reason': 'lunch' } }, spec: { paused: true } }
    const { body } = await ask('PATCH', `${PATH}/b`, patch, 'application/merge-patch+json')
    expect(body.history?.at(-1)).toMatchObject({ by: 'admin', actions: ['paused'], reason: 'lunch', generation: 2 })
  })

  test.each([
    [{ phase: 'Running' } as const, { action: 'resume' }, 'cannot resume rollout c: it is not paused (Running)'],
    [
      { phase: 'Running' } as const,
      { action: 'approve', wave: 3 },
      'cannot approve rollout c: wave 3 needs no approval; to start it without waiting for its gate, promote it',
    ],
    [{ releasedWave: 3, waves: [] } as const, { action: 'promote', wave: 2 }, 'cannot promote rollout c: there are 0 waves'],
    [{ counts: { members: 3 } } as const, { action: 'retry' }, 'cannot retry rollout c: no device has failed'],
    [{}, { action: 'exclude' }, 'cannot exclude rollout c: say which devices: names or a selector'],
    [{ releasedWave: 1 } as const, { action: 'rollback', wave: 2 }, 'cannot rollback rollout c: wave 2 has not started'],
    [
      { phase: 'Completed', adopted: true } as const,
      { action: 'abort' },
      'cannot abort rollout c: it has ended (Completed); the DaemonSets have the new template: make another Rollout to go back',
    ],
  ])('%j: %j is refused with the reason', async (status, action, says) => {
    await make('c', status)
    const answer = await act('c', action)
    expect([answer.status, answer.body.message]).toEqual([409, says])
    await ask('DELETE', `${PATH}/c`)
  })

  test('a word that is none is refused', async () => {
    await make('d')
    const answer = await act('d', { action: 'explode' })
    expect(answer.status).toBe(400)
    expect(answer.body.message).toContain('action')
    expect((await ask('GET', `${PATH}/d/actions`)).status).toBe(405)
    expect((await ask('GET', `${PATH}/d/nothing`)).status).toBe(404)
  })
})

test('members are read by wave, verdict, cause and name, a page at a time', async () => {
  await make('m', { chunks: 2 })
  const { body } = await ask('GET', `${PATH}/m`)
  const rolloutUid = body.metadata?.uid ?? ''
  for (const index of [0, 1]) {
    const members = Array.from({ length: 3 }, (_, at) => ({
      node: `gw-${index * 3 + at}`,
      wave: index + 1,
      verdict: at === 0 ? 'failed' : 'done',
      since: 0,
      template: 'next',
      ...(at === 0 ? { cause: { code: 'rollout.silent', facts: { since: 'noon' } } } : {}),
    }))
    const metadata = { name: chunkName('m', index), namespace: 'default' }
    await server.store.create(ROLLOUT_MEMBERS, { apiVersion: 'skerry.dev/v1', kind: 'RolloutPart', metadata, spec: { rolloutUid, index, members } })
  }
  const read = async (query: string): Promise<unknown> => {
    const answer = await ask('GET', `${PATH}/m/members${query}`)
    return [answer.body.metadata?.total, answer.body.items?.map(({ node }) => node)]
  }
  expect(await read('')).toEqual([6, ['gw-0', 'gw-1', 'gw-2', 'gw-3', 'gw-4', 'gw-5']])
  expect(await read('?wave=2&verdict=done')).toEqual([2, ['gw-4', 'gw-5']])
  expect(await read('?cause=rollout.silent&limit=1&offset=1')).toEqual([2, ['gw-3']])
  expect(await read('?name=w-5')).toEqual([1, ['gw-5']])
  const first = await ask('GET', `${PATH}/m/members?limit=1`)
  expect(first.body.items?.[0]).toMatchObject({ since: '1970-01-01T00:00:00Z', sentence: 'Silent since noon.' })
  expect((await ask('GET', `${PATH}/m/members?verdict=happy`)).body.message).toContain('"happy" is not one of pending')
})

test('the picture for a terminal', () => {
  const counted = { base: 2, within: 1, outside: 0, unknown: 1, wantedPercent: 95, forSeconds: 60 }
  const metrics = [{ says: 'podMemory at most 200Mi', state: 'Waits', ...counted, value: '81.5Mi' }] as const
  const gate = { healthyPercent: 50, wantedPercent: 95, base: 2, failures: 1, ended: 2, soakSeconds: 60, metrics }
  const text = pictureOf({
    apiVersion: 'skerry.dev/v1',
    kind: 'Rollout',
    metadata: { name: 'web-2' },
    spec: { release: [] },
    status: {
      phase: 'Paused',
      message: 'Paused by rule in wave 1 of 2.',
      summary: { web: 'main: web:1 -> web:2' },
      waves: [{ number: 1, name: 'canary', state: 'Running', counts: { members: 2, done: 1, failed: 1 }, gate }],
      failures: [{ code: 'x', sentence: 'Not healthy.', count: 1, examples: ['gw-1'] }],
      decisions: [{ at: '2026-01-01T00:00:00Z', by: 'ann', action: 'approved', wave: 1, reason: 'ok' }],
    },
  })
  expect(text.split('\n')).toEqual([
    'web-2: Paused',
    'Paused by rule in wave 1 of 2.',
    '  web  main: web:1 -> web:2',
    '',
    'WAVE   NAME     STATE     DONE   HEALTHY        OTHERS',
    '1      canary   Running   1/2    50 % of 95 %   1 failed',
    '',
    'WAVE   METRIC                    STATE   WITHIN   WANTED   OUTSIDE   NOT KNOWN   VALUE',
    '1      podMemory at most 200Mi   Waits   1/2      95 %     0         1           81.5Mi',
    '',
    'failures by cause',
    '  1 x Not healthy. (gw-1)',
    '',
    'WHEN                   WHO   WHAT              WHY',
    '2026-01-01T00:00:00Z   ann   approved wave 1   ok',
    '',
  ])
})

test('the text of a plan', () => {
  const text = planText({
    apiVersion: 'skerry.dev/v1',
    kind: 'RolloutPlan',
    planId: '0123456789abcdef',
    madeAt: '2026-01-01T00:00:00Z',
    rollout: 'web-2',
    namespace: 'default',
    releases: [{ daemonSet: 'web', summary: '', changes: [{ path: 'spec.containers[main].image', from: 'web:1', to: 'web:2' }] }],
    waves: [
      { number: 1, name: 'canary', members: 2, skipped: 1, silent: 0, approval: false, healthyPercent: 95, soakSeconds: 60, expectedSeconds: 63 },
      { number: 2, name: 'rest', members: 9, skipped: 0, silent: 1, approval: true, healthyPercent: 95, soakSeconds: 60, expectedSeconds: null },
    ],
    totals: {
      members: 11,
      skipped: 1,
      silent: 1,
      bytesToPull: 12_000_000,
      devicesWithUnknownBytes: 3,
      expectedSeconds: null,
      downtimeSeconds: { from: 3, to: 33 },
      notCounted: ['downloads'],
    },
    devices: [{ node: 'gw-1', wave: 1, verdict: 'skipped', sentence: 'Left out.', silent: false, pulls: [], bytesToPull: 0, pullSeconds: null }],
  })
  expect(text.split('\n')).toEqual([
    'plan 0123456789abcdef for rollout web-2',
    '',
    'DaemonSet web',
    '  spec.containers[main].image: web:1 -> web:2',
    '',
    'WAVE   NAME     CHANGE   LEFT OUT   SILENT   GATE                            EXPECTED',
    '1      canary   1        1          0        95 % for 60 s                   63 s',
    '2      rest     9        0          1        95 % for 60 s, after approval   unknown',
    '',
    'in all: 10 devices, unknown time (not counted: downloads)',
    'to pull: at least 12 MB (no size is known for 3 devices)',
    'downtime on a device: 3 to 33 s',
    '',
    'left out',
    '  gw-1: Left out.',
    '',
    'start it with exactly these devices: put planId: 0123456789abcdef into its spec and apply it',
    '',
  ])
})
