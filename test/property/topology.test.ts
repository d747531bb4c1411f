import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { GpuAsk, GpuNode } from '../../cloud/core/scheduler/gpu/gpu-shape.ts'
import { gpuFits, withAsk } from '../../cloud/core/scheduler/gpu/gpu-shape.ts'
import {
  BEST_FIT,
  DOT_PRODUCT,
  GPU_CLUSTERING,
  GPU_PACKING,
  fragmentationGradient,
  gradientThenUse,
} from '../../cloud/core/scheduler/gpu/policies.ts'
import { typicalPods } from '../../cloud/core/scheduler/gpu/typical-pods.ts'
import { assignCpus } from '../../cloud/core/scheduler/numa/assign-cpus.ts'
import { cpuTopology } from '../../cloud/core/scheduler/numa/cpu-topology.ts'
import type { CpuTopology } from '../../cloud/core/scheduler/numa/cpu-topology.ts'
import type { Hint } from '../../cloud/core/scheduler/numa/hints.ts'
import { formatIdList, parseIdList } from '../../protocol/id-list.ts'
import { isBetter, mergeHints, widestNeed } from '../../cloud/core/scheduler/numa/merge-hints.ts'
import { intersect, nodeSet, sameSet } from '../../cloud/core/scheduler/numa/node-set.ts'
import type { NodeSet } from '../../cloud/core/scheduler/numa/node-set.ts'
import { selectDevices } from '../../cloud/core/scheduler/numa/select-devices.ts'

const machines = fc
  .record({
    ids: fc.uniqueArray(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 4 }),
    cores: fc.integer({ min: 1, max: 4 }),
    threads: fc.integer({ min: 1, max: 2 }),
    perSocket: fc.integer({ min: 1, max: 2 }),
  })
  .map(({ ids, cores, threads, perSocket }): CpuTopology =>
    cpuTopology(
      ids.flatMap((numa, at) =>
        Array.from({ length: cores * threads }, (_, n) => ({
          cpu: at * cores * threads + n,
          core: at * cores + Math.floor(n / threads),
          socket: Math.floor(at / perSocket),
          numa,
          cache: at,
        })),
      ),
    ),
  )
const options = fc.record({
  fullCores: fc.boolean(),
  acrossNodes: fc.boolean(),
  acrossCores: fc.boolean(),
  alignBySocket: fc.boolean(),
  alignByCache: fc.boolean(),
})

test('containers never share a CPU, and each gets as many as it asked for', () => {
  fc.assert(
    fc.property(machines, options, fc.array(fc.integer({ min: 1, max: 9 }), { maxLength: 8 }), fc.nat(3), (machine, chosen, asks, at) => {
      let free: readonly number[] = [...machine.seats.keys()]
      const taken = new Set<number>()
      for (const count of asks) {
        const near = machine.numaNodes[at % machine.numaNodes.length] ?? 0
        const cpus = assignCpus(machine, free, count, [near], chosen)
        if (cpus === null) {
          // without whole cores to keep, only want of CPUs may refuse
          if (!chosen.fullCores) expect(free.length).toBeLessThan(count)
          continue
        }
        expect(new Set(cpus).size).toBe(count)
        for (const cpu of cpus) {
          expect(free).toContain(cpu)
          expect(taken.has(cpu)).toBe(false)
          taken.add(cpu)
        }
        free = free.filter((cpu) => !taken.has(cpu))
      }
      expect(taken.size + free.length).toBe(machine.seats.size)
    }),
  )
})

test('whole cores stay whole', () => {
  fc.assert(
    fc.property(machines, fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 6 }), (machine, asks) => {
      let free: readonly number[] = [...machine.seats.keys()]
      for (const count of asks) {
        const cpus = assignCpus(machine, free, count, null, { fullCores: true })
        if (cpus === null) continue
        const cores = new Set(cpus.map((cpu) => machine.seats.get(cpu)?.core))
        expect(cpus.length).toBe(cores.size * machine.threadsPerCore)
        free = free.filter((cpu) => !cpus.includes(cpu))
      }
    }),
  )
})

const NODES = [0, 3, 8, 250]
const hint = fc.record({ nodes: fc.option(fc.subarray(NODES, { minLength: 1 }), { nil: null }), preferred: fc.boolean() })
const resources = fc.array(fc.option(fc.array(hint, { maxLength: 4 }), { nil: null }), { maxLength: 4 })

/** The merge by its definition: every combination of one hint per resource. */
function mergeByDefinition(lists: readonly (readonly Hint[])[]): { readonly nodes: NodeSet; readonly preferred: boolean } {
  let best: { readonly nodes: NodeSet; readonly preferred: boolean } | null = null
  const walk = (at: number, chosen: readonly Hint[]): void => {
    const list = lists[at]
    if (list !== undefined) {
      for (const one of list) walk(at + 1, [...chosen, one])
      return
    }
    const sets = chosen.map((one) => one.nodes).filter((nodes) => nodes !== null)
    const nodes = sets.reduce<NodeSet>((all, set) => intersect(all, set), NODES)
    const preferred = chosen.every((one) => one.preferred) && sets.every((set) => sameSet(set, sets[0] ?? []))
    if (nodes.length > 0 && (best === null || isBetter(null, widestNeed(lists), best, { nodes, preferred }))) best = { nodes, preferred }
  }
  walk(0, [])
  return best ?? { nodes: NODES, preferred: false }
}

test('the merge is what its definition says, in whatever order resources are named', () => {
  fc.assert(
    fc.property(resources, (lists) => {
      const named = lists.map((list) => list?.map((one) => ({ ...one, nodes: one.nodes === null ? null : nodeSet(one.nodes) })) ?? null)
      const merged = mergeHints({ nodes: NODES, closest: null }, named)
      const spelled = named.map((list): readonly Hint[] =>
        list === null ? [{ nodes: null, preferred: true }] : list.length === 0 ? [{ nodes: null, preferred: false }] : list,
      )
      expect(merged).toEqual(mergeByDefinition(spelled))
      expect(mergeHints({ nodes: NODES, closest: null }, named.toReversed())).toEqual(merged)
    }),
  )
})

test('devices are given once, near ones first', () => {
  const devices = fc.uniqueArray(fc.record({ id: fc.string({ minLength: 1 }), nodes: fc.option(fc.subarray([0, 1, 2]), { nil: null }) }), {
    selector: (one) => one.id,
  })
  fc.assert(
    fc.property(devices, fc.nat(5), fc.subarray([0, 1, 2], { minLength: 1 }), (all, count, nodes) => {
      const chosen = selectDevices({ count, devices: all, taken: new Set(), reusable: [], nodes, prefer: null })
      if (chosen === null) expect(all.length).toBeLessThan(count)
      else {
        expect(new Set(chosen).size).toBe(count)
        const near = all.filter((one) => one.nodes?.some((node) => nodes.includes(node)) === true).map((one) => one.id)
        expect(chosen.filter((id) => near.includes(id)).length).toBe(Math.min(count, near.length))
      }
    }),
  )
})

const ask: fc.Arbitrary<GpuAsk> = fc.oneof(
  fc.record({ cpu: fc.nat(8000), milli: fc.integer({ min: 1, max: 1000 }), count: fc.constant(1), models: fc.constant([]) }),
  fc.record({ cpu: fc.nat(8000), milli: fc.constant(1000), count: fc.integer({ min: 1, max: 4 }), models: fc.constant([]) }),
  fc.record({ cpu: fc.nat(8000), milli: fc.constant(0), count: fc.constant(0), models: fc.constant([]) }),
)

test('no policy gives away more of a GPU than there is', () => {
  fc.assert(
    fc.property(fc.array(ask, { maxLength: 30 }), fc.integer({ min: 0, max: 4 }), (asks, gpus) => {
      const usual = typicalPods(asks)
      for (const policy of [BEST_FIT, DOT_PRODUCT, GPU_PACKING, GPU_CLUSTERING, fragmentationGradient(usual), gradientThenUse(usual)]) {
        let node: GpuNode = { cpuLeft: 64_000, gpuLeft: Array.from({ length: gpus }, () => 1000), model: 'T4', kinds: new Set() }
        for (const one of asks) {
          if (!gpuFits(node, one)) continue
          const { score, gpus: chosen } = policy.rate(node, one)
          expect(score).toBeGreaterThanOrEqual(0)
          expect(score).toBeLessThanOrEqual(100.5)
          expect(new Set(chosen).size).toBe(one.count)
          node = withAsk(node, one, chosen)
          expect(Math.min(0, node.cpuLeft, ...node.gpuLeft)).toBe(0)
        }
      }
    }),
  )
})

test('usual pods add up to all', () => {
  fc.assert(
    fc.property(fc.array(ask, { minLength: 1, maxLength: 40 }), (asks) => {
      expect(typicalPods(asks).reduce((sum, one) => sum + one.share, 0)).toBeCloseTo(1, 9)
    }),
  )
})

test('lists of ids say what they were made from', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.nat(2000)), (ids) => {
      expect(parseIdList(formatIdList(ids))).toEqual(ids.toSorted((a, b) => a - b))
    }),
  )
})
