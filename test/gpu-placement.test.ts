import { describe, expect, test } from 'vitest'
import { fragmentation } from '../cloud/core/scheduler/gpu/fragmentation.ts'
import type { GpuAsk, GpuNode } from '../cloud/core/scheduler/gpu/gpu-shape.ts'
import { gpuFits, withAsk } from '../cloud/core/scheduler/gpu/gpu-shape.ts'
import { pickReplicas } from '../cloud/core/scheduler/gpu/gpu-replicas.ts'
import { BEST_FIT, GPU_CLUSTERING, GPU_PACKING, fragmentationGradient, gradientThenUse } from '../cloud/core/scheduler/gpu/policies.ts'
import { bestFitGpus } from '../cloud/core/scheduler/gpu/select-gpus.ts'
import { typicalPods } from '../cloud/core/scheduler/gpu/typical-pods.ts'
import { kubeletPidRule, lowestLimit, pidsOfPod, POD_PID_RULE, podPidLimit } from '../protocol/pids.ts'

const node = (gpuLeft: readonly number[], cpuLeft = 64_000, model = 'T4'): GpuNode => ({ cpuLeft, gpuLeft, model, kinds: new Set() })
const share = (milli: number): GpuAsk => ({ cpu: 1000, milli, count: 1, models: [] })
const whole = (count: number): GpuAsk => ({ cpu: 1000, milli: 1000, count, models: [] })

describe('fragmentation', () => {
  const halves = [{ ask: share(500), share: 1 }]

  test('is the idle GPU that usual pods cannot use', () => {
    expect(fragmentation(node([1000, 400]), halves)).toBe(400)
    expect(fragmentation(node([1000, 1000], 500), halves)).toBe(2000)
    expect(fragmentation(node([1000]), [{ ask: { ...share(500), models: ['A10'] }, share: 1 }])).toBe(1000)
    expect(fragmentation(node([1000]), [{ ask: { cpu: 1, milli: 0, count: 0, models: [] }, share: 1 }])).toBe(1000)
  })

  test('the gradient puts a share where no remainder is left', () => {
    const policy = fragmentationGradient(halves)
    expect(policy.rate(node([1000, 600]), share(500)).gpus).toEqual([0])
    expect(policy.rate(node([1000, 500]), share(500)).score).toBeGreaterThanOrEqual(policy.rate(node([1000, 600]), share(600)).score - 1)
  })

  test('of equal gradients a used device comes before an idle one', () => {
    const policy = gradientThenUse([{ ask: whole(1), share: 1 }])
    expect(policy.rate(node([1000, 0]), whole(1)).score).toBeGreaterThan(policy.rate(node([1000, 1000]), whole(1)).score)
  })

  test('usual pods are the commonest, until they cover enough', () => {
    const seen = [...Array.from({ length: 19 }, () => share(500)), whole(8)]
    expect(typicalPods(seen)).toEqual([{ ask: share(500), share: 1 }])
    expect(typicalPods(seen, 1)).toHaveLength(2)
    expect(typicalPods([])).toEqual([])
  })
})

describe('other policies', () => {
  test('best fit leaves the least', () => {
    expect(bestFitGpus([1000, 300, 200], share(200))).toEqual([2])
    expect(bestFitGpus([1000, 900, 1000], whole(2))).toEqual([0, 2])
    expect(bestFitGpus([900, 900], whole(1))).toEqual([])
    expect(BEST_FIT.rate(node([200], 2000), share(200)).score).toBeGreaterThan(BEST_FIT.rate(node([1000], 64_000), share(200)).score)
  })

  test('packing opens idle devices last, clustering keeps kinds together', () => {
    expect(GPU_PACKING.rate(node([500, 1000]), share(200)).score).toBeGreaterThan(GPU_PACKING.rate(node([1000, 1000]), share(200)).score)
    const shared = withAsk(node([1000, 1000]), share(500), [0])
    expect(GPU_CLUSTERING.rate(shared, share(200)).score).toBeGreaterThan(GPU_CLUSTERING.rate(shared, whole(1)).score)
  })

  test('a model that is not allowed does not fit', () => {
    expect(gpuFits(node([1000]), { ...share(1), models: ['A10', 'T4'] })).toBe(true)
    expect(gpuFits(node([1000]), { ...share(1), models: ['A10'] })).toBe(false)
  })

  test('replicas that run out are refused', () => {
    expect(pickReplicas('packed', { replicas: 2, available: new Map([['a', 2]]) }, 3)).toBeNull()
  })
})

describe('PID limits', () => {
  test('0 is a limit, max is none', () => {
    expect(lowestLimit(['max', '0\n', null])).toBe(0)
    expect(lowestLimit(['max', '9223372036854771712', null])).toBeNull()
  })

  test('a pod may have less than the device gives, never more', () => {
    expect(podPidLimit(kubeletPidRule(4096), 2048)).toEqual({ kind: 'limit', pids: 2048, capped: false })
    expect(podPidLimit(kubeletPidRule(4096), 8192)).toEqual({ kind: 'limit', pids: 4096, capped: true })
    expect(podPidLimit(kubeletPidRule(4096), 10)).toMatchObject({ kind: 'refused' })
  })

  test('ours is a fence for pods that name none, and no cap on what a pod names', () => {
    expect([pidsOfPod(null), pidsOfPod(8), pidsOfPod(40_000)]).toEqual([1024, 8, 40_000])
    expect(podPidLimit(POD_PID_RULE, 5_000_000)).toMatchObject({ kind: 'refused' })
  })
})
