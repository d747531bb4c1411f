/** Limits of downloads: from a Rollout to the bytes of a device. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { buildDesired } from '../cloud/core/desired.ts'
import { imagesBeside } from '../cloud/core/images-beside.ts'
import { imagesAhead } from '../cloud/core/rollout/ahead.ts'
import { describePlan } from '../cloud/core/rollout/plan.ts'
import type { PlannedDevice } from '../cloud/core/rollout/plan.ts'
import { resolveRelease } from '../cloud/core/rollout/templates.ts'
import type { DaemonSet } from '../cloud/resources/daemon-set.ts'
import type { Pod } from '../cloud/resources/pod.ts'
import { annotatedRate, bandwidthIssues, PULL_RATE_ANNOTATION, pullRateIssues, pullRateOf, rateAnnotation } from '../cloud/resources/pull-rate.ts'
import type { ReleaseTemplates, RolloutMember } from '../cloud/resources/rollout-members.ts'
import { defaultRolloutSpec } from '../cloud/resources/rollout-spec.ts'
import { grantBytes, pieceOf, ratesOn } from '../edge-agent/core/pull-rate.ts'
import type { Effect } from '../edge-agent/core/state.ts'
import { createPullPace } from '../edge-agent/engine/pull-pace.ts'
import { desiredDigest } from '../protocol/desired-state.ts'
import { Agent, saved, U1 } from './agent-harness.ts'
import { smallDevice } from './agent-world.ts'
import { FakeClock } from './fakes/clock.ts'
import { daemonSet } from './fakes/fleet.ts'

const KI = 1024
const annotated = (text: string): Readonly<Record<string, string>> => ({ [PULL_RATE_ANNOTATION]: text })

describe('what an operator writes', () => {
  it('is a quantity of bytes a second for each class of link', () => {
    expect(pullRateOf({ metered: '200Ki', unmetered: 2_000_000 })).toEqual({ metered: 200 * KI, unmetered: 2_000_000 })
    expect([pullRateOf(undefined), pullRateOf({})]).toEqual([null, null])
    const text = rateAnnotation({ metered: '200Ki', unmetered: '2Mi' })
    expect([text, annotatedRate(annotated(text))]).toEqual(['metered=200Ki,unmetered=2Mi', { metered: 200 * KI, unmetered: 2048 * KI }])
    expect(annotatedRate(annotated(' unmetered=1Mi '))).toEqual({ unmetered: 1024 * KI })
    expect(annotatedRate(undefined)).toBeNull()
  })

  it.each([
    ['metered', '"metered" is not "metered=200Ki,unmetered=2Mi"'],
    ['cellular=1Mi', '"cellular=1Mi" is not "metered=200Ki,unmetered=2Mi"'],
    ['metered=fast', 'metered must be bytes a second from 1Ki to 1024Gi, such as 200Ki, is fast'],
    ['unmetered=10', 'unmetered must be bytes a second from 1Ki to 1024Gi, such as 200Ki, is 10'],
  ])('%s is refused where it stands', (text, message) => {
    expect(pullRateIssues(annotated(text), 'metadata')).toEqual([{ path: 'metadata.annotations["skerry.dev/pull-rate"]', kind: 'invalid', message }])
    expect(annotatedRate(annotated(text))).toBeNull()
  })

  it('is refused in a Rollout by its field', () => {
    expect(bandwidthIssues({})).toMatchObject([{ path: 'spec.bandwidth', message: 'needs metered, unmetered, or both' }])
    expect(bandwidthIssues({ metered: '1', unmetered: '1Mi' })).toMatchObject([{ path: 'spec.bandwidth.metered' }])
    expect(bandwidthIssues(undefined)).toEqual([])
  })
})

const running = (name: string, image: string, text?: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: name, ...(text === undefined ? {} : { annotations: annotated(text) }) },
  spec: { nodeName: 'gw-1', containers: [{ name: 'main', image }] },
})

describe('what a device is told', () => {
  it('is the slowest rate of each image, and nothing where nobody limits: those documents keep their digest', () => {
    const pods = [running('a', 'web:2', 'metered=100Ki'), running('b', 'web:2', 'metered=50Ki,unmetered=1Mi'), running('c', 'db:1')]
    const beside = imagesBeside(pods, () => undefined, [], [], [{ image: 'web:3', metered: 9 * KI }])
    expect(beside.rates).toEqual([
      { image: 'web:2', metered: 50 * KI, unmetered: 1024 * KI },
      { image: 'web:3', metered: 9 * KI },
    ])
    expect(imagesBeside([running('c', 'db:1')], () => undefined, [])).toEqual({})
    const [limited, plain] = [buildDesired(pods, [], beside), buildDesired(pods, [])]
    expect(plain.digest).toBe(desiredDigest(plain.pods))
    expect([limited.digest === plain.digest, limited.pods]).toEqual([false, plain.pods])
  })

  it('comes from a Rollout by its pods, and before their time beside what is fetched ahead', () => {
    const bandwidth = { metered: '100Ki' }
    const spec = defaultRolloutSpec({ release: [{ daemonSet: 'web', images: { main: 'web:2' } }], bandwidth, prefetch: 'AllWaves' })
    const resolved = resolveRelease(spec, 'default', () => daemonSet('web', 'web:1') as unknown as DaemonSet)
    if (!resolved.ok) throw new Error(resolved.cause.code)
    expect(resolved.parts[0]?.next.metadata?.annotations).toEqual(annotated('metered=100Ki'))
    const member: RolloutMember = { node: 'gw-1', wave: 2, verdict: 'pending', since: 0, template: 'own' }
    const rollout = { apiVersion: 'skerry.dev/v1', kind: 'Rollout', metadata: {}, spec, status: { phase: 'Running', releasedWave: 1 } } as const
    expect(imagesAhead({ rollout, parts: resolved.parts, memberOf: () => member }, 'gw-1')).toEqual({
      images: ['web:2'],
      rates: [{ image: 'web:2', metered: 100 * KI }],
    })
  })
})

it('a plan counts downloads that are limited, by the link of each device, where images are not there before', () => {
  const template = { metadata: {}, spec: { containers: [{ name: 'main', image: 'web:2' }] } }
  const parts: readonly ReleaseTemplates[] = [{ daemonSet: 'web', daemonSetUid: 'u', previous: template, next: template }]
  const members = ['gw-1', 'gw-2', 'gw-3'].map((node, index): RolloutMember => ({
    node, wave: index === 0 ? 1 : 2, verdict: 'pending', since: 0, template: 'own',
  })) // prettier-ignore
  const planned = (more: object, size: number | null = 1000 * KI): ReturnType<typeof describePlan> =>
    describePlan(
      {
        name: 'web-2', namespace: 'default', parts, members, madeAt: '',
        spec: defaultRolloutSpec({ release: [], gate: { soakSeconds: 10 }, ...more }),
      },
      {
        isSilent: () => false, imagesOn: () => new Set(), sizeOf: () => size, startSeconds: 5,
        linkClassOf: (node) => (node === 'gw-3' ? 'metered' : 'unmetered'),
      },
    ) // prettier-ignore
  const seconds = ({ waves }: ReturnType<typeof describePlan>): readonly (number | null)[] => waves.map(({ expectedSeconds }) => expectedSeconds)
  const both = { bandwidth: { metered: '10Ki', unmetered: '100Ki' } }
  expect(seconds(planned({}))).toEqual([15, 15])
  expect(planned({}).totals.notCounted).toEqual(['downloads'])
  expect(seconds(planned(both))).toEqual([25, 115])
  expect(planned(both).totals.notCounted).toEqual(['links that are slower than bandwidth'])
  expect(planned(both).devices.map(({ pullSeconds }: PlannedDevice) => pullSeconds)).toEqual([10, 10, 100])
  expect(seconds(planned({ ...both, prefetch: 'AllWaves' }))).toEqual([25, 15])
  expect(planned({ bandwidth: { metered: '10Ki' } }).totals.notCounted).toEqual(['downloads', 'links that are slower than bandwidth'])
  expect(planned(both, null).totals.notCounted).toEqual(['downloads'])
})

describe('what a device does', () => {
  const rates = [
    { image: 'web:2', metered: 10 * KI, unmetered: 100 * KI },
    { image: 'web:2', metered: 20 * KI },
    { image: 'db:1', unmetered: 5 * KI },
  ]

  it('takes the rates of the link that it has', () => {
    expect(ratesOn('metered', rates)).toEqual({ 'web:2': 10 * KI })
    expect(ratesOn('unmetered', rates)).toEqual({ 'web:2': 100 * KI, 'db:1': 5 * KI })
  })

  it('follows when the link becomes another one', () => {
    const plain = saved([U1])
    if (plain.kind !== 'state' || plain.state.desired === null) throw new Error('nothing was saved')
    const agent = new Agent({ ...plain, state: { ...plain.state, desired: { ...plain.state.desired, rates } } })
    const limits = (effects: readonly Effect[]): readonly unknown[] =>
      effects.flatMap((effect) => (effect.kind === 'want-images' ? [effect.wanted.limits] : []))
    expect(limits(agent.effects)).toEqual([{ 'web:2': 100 * KI, 'db:1': 5 * KI }])
    const inventory = { ...smallDevice(), networkClass: 'cellular' as const }
    expect(limits(agent.send({ kind: 'inventory', inventory, hostIp: null }))).toEqual([{ 'web:2': 10 * KI }])
    expect(limits(agent.send({ kind: 'inventory', inventory, hostIp: null }))).toEqual([])
  })

  it('never lets more pass than the rate, in any span, however the bytes come', () => {
    const step = fc.record({ bytes: fc.integer({ min: 1, max: 5_000 }), pauseMs: fc.integer({ min: 0, max: 3_000 }) })
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 60 }), fc.integer({ min: 1024, max: 20_000 }), (steps, rate) => {
        let [now, next] = [0, 0]
        const passed: { at: number; bytes: number }[] = []
        for (const { bytes, pauseMs } of steps) {
          now += pauseMs
          const grant = grantBytes(next, now, bytes, rate)
          next = grant.nextMs
          now += grant.waitMs
          passed.push({ at: now, bytes })
        }
        for (let from = 0; from < passed.length; from += 1) {
          let sum = 0
          for (let to = from; to < passed.length - 1; to += 1) {
            sum += passed[to]?.bytes ?? 0
            expect(sum).toBeLessThanOrEqual((((passed[to + 1]?.at ?? 0) - (passed[from]?.at ?? 0)) * rate) / 1000 + 1e-6)
          }
        }
      }),
      { numRuns: 60 },
    )
  })

  it('paces two downloads as one, lets go when the limit does, and says when it is the one that waits', async () => {
    const clock = new FakeClock()
    const pace = createPullPace(clock)
    let rate: number | null = 4 * KI
    let got = 0
    let holds = 0
    const bytes = Buffer.alloc(64 * KI)
    const download = async (): Promise<void> => {
      const source = (async function* () { yield bytes })() // prettier-ignore
      for await (const piece of pace.pass(
        source,
        () => rate,
        (isHeld) => (holds += isHeld ? 1 : -1),
      ))
        got += piece.length
    }
    const both = Promise.all([download(), download()])
    await clock.advance(10_000)
    expect(got).toBeGreaterThan(9 * 4 * KI)
    expect(got).toBeLessThanOrEqual(10 * 4 * KI + 2 * pieceOf(4 * KI))
    expect(holds).toBe(2)
    rate = null
    await clock.advance(2_000)
    await both
    expect([got, holds]).toEqual([2 * bytes.length, 0])
  })
})
