/**
 * GPU placement against the published study: each of its five policies must make every decision it made there, and the default
 * policy must fill at least as many GPUs as the best of them, however the devices are named and listed.
 */
import { createHash } from 'node:crypto'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { WHOLE_GPU } from '../../cloud/core/scheduler/gpu/gpu-shape.ts'
import {
  BEST_FIT,
  DOT_PRODUCT,
  GPU_CLUSTERING,
  GPU_PACKING,
  fragmentationGradient,
  gradientThenUse,
} from '../../cloud/core/scheduler/gpu/policies.ts'
import type { GpuPolicy } from '../../cloud/core/scheduler/gpu/policies.ts'
import { typicalPods } from '../../cloud/core/scheduler/gpu/typical-pods.ts'
import { Replay } from './openb-replay.ts'
import type { Placed } from './openb-replay.ts'
import { readGolden } from './openb-trace.ts'
import type { Golden, SeedRun } from './openb-trace.ts'
import { Tally } from './suite.ts'
import type { Suite } from './suite.ts'

/** Points of GPU allocation that the default policy may stay below the published one, mean over the seeds given. */
const SLACK = 0.05

export const suite: Suite = {
  name: 'openb',
  needs: ['openb/golden'],
  run(fixtures) {
    const folder = join(fixtures, 'openb')
    const tally = new Tally()
    const notes: string[] = []
    for (const file of readdirSync(join(folder, 'golden')).sort()) {
      if (!file.endsWith('.json')) continue
      const golden = readGolden(folder, file)
      checkTypicalPods(tally, golden)
      for (const policy of publishedPolicies(golden)) checkPlacements(tally, golden, policy)
      notes.push(...checkDefault(tally, golden))
    }
    return tally.result(notes)
  },
}

function publishedPolicies(golden: Golden): readonly GpuPolicy[] {
  return [BEST_FIT, DOT_PRODUCT, GPU_PACKING, GPU_CLUSTERING, fragmentationGradient(golden.typical)]
}

function checkTypicalPods(tally: Tally, golden: Golden): void {
  const own = typicalPods(golden.pods.map((pod) => pod.ask))
  tally.equal(`${golden.workload}: usual pods`, own, golden.typical)
}

function checkPlacements(tally: Tally, golden: Golden, policy: GpuPolicy): void {
  const replay = new Replay(policy)
  for (const [seed, run] of golden.seeds) {
    const expected = run.expected[policy.name]
    if (expected === undefined) continue
    const placed = replay.run(golden.nodes, run.nodeOrder, arrivals(golden, run))
    tally.equal(`${golden.workload}, seed ${seed}, ${policy.name}: placements`, placementsHash(golden, placed), expected.placementsSha256)
  }
}

/** Three ways to name the devices: as the trace does, backwards, and as each published run did. */
function checkDefault(tally: Tally, golden: Golden): readonly string[] {
  const notes: string[] = []
  const replay = new Replay(gradientThenUse(typicalPods(golden.pods.map((pod) => pod.ask))))
  const byName = golden.nodes.map((_, row) => row).sort((a, b) => compare(golden.nodes[a]?.name ?? '', golden.nodes[b]?.name ?? ''))
  const orders: readonly (readonly [string, (run: SeedRun) => readonly number[]])[] = [
    ['named as in the trace', () => byName],
    ['named backwards', () => [...byName].reverse()],
    ['named as published', (run) => run.nodeOrder],
  ]
  const published = [meanOf(golden, (run) => run.expected['FGD']?.published100), meanOf(golden, (run) => run.expected['FGD']?.published130)]
  for (const [naming, order] of orders) {
    const reached = [...golden.seeds.values()].map((run) => allocation(golden, run, replay.run(golden.nodes, order(run), arrivals(golden, run))))
    ;[100, 130].forEach((load, index) => {
      const floor = published[index]
      if (floor === undefined || floor === null) return
      const mean = reached.reduce((sum, both) => sum + (both[index] ?? 0), 0) / reached.length
      const name = `${golden.workload}, default policy at ${load} %, devices ${naming}`
      notes.push(`${name}: ${mean.toFixed(2)} % of the GPUs, published ${floor.toFixed(2)} %`)
      tally.check(name, mean >= floor - SLACK, () => `${mean.toFixed(3)} % of the GPUs, published ${floor.toFixed(3)} %`)
    })
  }
  return notes
}

function arrivals(golden: Golden, run: SeedRun): Golden['pods'] {
  return run.arrivals.map((row) => {
    const pod = golden.pods[row]
    if (pod === undefined) throw new Error(`${golden.workload}: arrival names pod row ${row}, the list has ${golden.pods.length} rows`)
    return pod
  })
}

/** Allocated GPUs in percent when 100 % were asked for, and at the end. */
function allocation(golden: Golden, run: SeedRun, placed: readonly Placed[]): readonly [number, number] {
  const total = golden.nodes.reduce((sum, node) => sum + node.gpu.gpuLeft.length * WHOLE_GPU, 0)
  let [asked, used, usedAtFull] = [0, 0, 0]
  arrivals(golden, run).forEach(({ ask }, index) => {
    asked += ask.milli * ask.count
    used += ask.milli * (placed[index]?.gpus.length ?? 0)
    if (asked <= total) usedAtFull = used
  })
  return [(100 * usedAtFull) / total, (100 * used) / total]
}

function placementsHash(golden: Golden, placed: readonly Placed[]): string {
  const lines = placed.map(({ node, gpus }) => {
    if (node === -1) return ''
    const name = golden.nodes[node]?.name ?? ''
    return gpus.length === 0 ? name : `${name}:${gpus.join('-')}`
  })
  return createHash('sha256').update(lines.join('\n')).digest('hex')
}

function meanOf(golden: Golden, read: (run: SeedRun) => number | undefined): number | null {
  const values = [...golden.seeds.values()].map(read).filter((value) => value !== undefined)
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}
