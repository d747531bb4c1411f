import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nodeResourcesFitFor } from '../cloud/core/scheduler/filters/node-resources-fit.ts'
import type { NodeInfo } from '../cloud/core/scheduler/framework.ts'
import { predictedPeakMilli, reclaimableMilli, widening, withUsage } from '../cloud/core/scheduler/overcommit.ts'
import type { PodUsage } from '../cloud/core/scheduler/overcommit.ts'
import { podInfo } from '../cloud/core/scheduler/pod-info.ts'
import { nodeInfo } from '../cloud/core/scheduler/snapshot.ts'
import type { Pod } from '../cloud/resources/pod.ts'

const podOf = (name: string, cpu: number, priorityClassName: string): Pod => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name, namespace: 'default', uid: `uid-${name}` },
  spec: { priorityClassName, containers: [{ name: 'main', image: 'x', resources: { requests: { cpu: `${cpu}m` } } }] },
})

const BUSY = ['a', 'b', 'c', 'd']

const nodeWith = (cpuEach: number): NodeInfo =>
  nodeInfo(
    { apiVersion: 'v1', kind: 'Node', metadata: { name: 'gw-1' }, status: { allocatable: { cpu: '1', pods: 5, pids: 4096 } } },
    BUSY.map((name) => podInfo(podOf(name, cpuEach, 'other'))),
  )

const steady = (requestMilli: number, used: number, samples = 24): PodUsage => ({
  requestMilli,
  usedMilli: Array.from({ length: samples }, () => used),
})

describe('overcommit', () => {
  test('gives back what steady pods never use, the more of it the more pods there are', () => {
    const of = (pods: number): number => reclaimableMilli(Array.from({ length: pods }, () => steady(1000, 200)))
    expect([of(1), of(4), of(16), of(64)]).toEqual([0, 1600, 9600, 44_800])
  })

  test('gives back nothing of pods without two hours of history', () => {
    expect(reclaimableMilli([steady(1000, 100, 23)])).toBe(0)
    const four = BUSY.map(() => steady(1000, 100))
    expect(reclaimableMilli(four)).toBe(1800)
    expect(reclaimableMilli([steady(1000, 100, 23), ...four])).toBe(1800)
  })

  test('keeps a wider margin for fewer pods with the same habits', () => {
    const bursty: PodUsage = { requestMilli: 1000, usedMilli: Array.from({ length: 24 }, (_, at) => (at % 12 === 0 ? 300 : 100)) }
    const share = (pods: number): number => predictedPeakMilli(Array.from({ length: pods }, () => bursty)) / pods
    expect(share(1)).toBeGreaterThan(share(8))
    expect(share(8)).toBeGreaterThan(share(64))
    expect(widening(1)).toBe(5)
    expect(widening(8)).toBe(1.5)
  })

  test('counts no pod above its request, however much it used', () => {
    expect(predictedPeakMilli([steady(500, 4000)])).toBe(500)
  })

  test('lets only pods of a class that opted in have what others leave', () => {
    const node = withUsage(nodeWith(225), new Map(BUSY.map((name) => [`uid-${name}`, Array.from({ length: 24 }, () => 25)])))
    expect(node.reclaimableCpu).toBe(400)
    const fit = nodeResourcesFitFor({ overcommitClasses: ['best'] })
    for (const [className, taken] of [
      ['best', true],
      ['other', false],
    ] as const) {
      const pod = podInfo(podOf('new', 500, className))
      expect([fit.passes?.(pod, node), fit.filter(pod, node).length === 0]).toEqual([taken, taken])
    }
  })

  test('never predicts more than is asked for, nor less than the mean seen', () => {
    const usage = fc.record({ requestMilli: fc.integer({ min: 1, max: 4000 }), usedMilli: fc.array(fc.nat(4000), { maxLength: 40 }) })
    fc.assert(
      fc.property(fc.array(usage, { maxLength: 12 }), (pods) => {
        const peak = predictedPeakMilli(pods)
        const asked = pods.reduce((total, pod) => total + pod.requestMilli, 0)
        expect(peak).toBeLessThanOrEqual(asked)
        expect(reclaimableMilli(pods)).toBe(asked - peak)
        expect(reclaimableMilli(pods)).toBeGreaterThanOrEqual(0)
      }),
    )
  })
})
