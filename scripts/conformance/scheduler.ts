/**
 * Our scheduler plugins beside kube-scheduler's own tables and random clusters. Verdicts are compared as taken or refused,
 * scores as numbers. Where today's formula differs from that of the version a case was run with, the older formula is
 * applied to our own inputs (scheduler-older.ts), so that each case still tests what it is about.
 */
import { readFileSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { partsFor, scoresOf, stageOf, verdictsOf } from './scheduler-case.ts'
import type { Scene } from './scheduler-case.ts'
import { olderScores } from './scheduler-older.ts'
import { Tally } from './suite.ts'
import type { Suite } from './suite.ts'

interface TableCase extends Scene {
  readonly id: string
  readonly plugin: string
  readonly kind: 'filter' | 'score'
  readonly semantics: string
  readonly args?: unknown
  readonly filteredNodes?: readonly string[]
  readonly expect: {
    readonly filter?: Readonly<Record<string, { readonly code: string }>>
    readonly scores?: Readonly<Record<string, number>>
  }
}

interface FuzzCase extends Scene {
  readonly id: string
  readonly versionSensitive?: readonly string[]
  readonly expect: {
    readonly rejected: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    readonly feasible: readonly string[]
    readonly scores?: Readonly<Record<string, Readonly<Record<string, number>>>>
    readonly scoresModern?: Readonly<Record<string, Readonly<Record<string, number>>>>
  }
}

const FUZZ_FILTERS = [
  'NodeResourcesFit',
  'NodeAffinity',
  'TaintToleration',
  'NodeName',
  'NodePorts',
  'NodeUnschedulable',
  'PodTopologySpread',
  'InterPodAffinity',
] as const
const FUZZ_RATIO = {
  shape: [
    { utilization: 0, score: 0 },
    { utilization: 70, score: 10 },
    { utilization: 100, score: 2 },
  ],
}

export const suite: Suite = {
  name: 'scheduler',
  needs: ['scheduler'],
  run(fixtures) {
    const folder = path.join(fixtures, 'scheduler')
    const tally = new Tally()
    let [tables, clusters, older] = [0, 0, 0]
    for (const file of readdirSync(folder).sort()) {
      if (!file.endsWith('.json')) continue
      for (const one of JSON.parse(readFileSync(path.join(folder, file), 'utf8')) as readonly (TableCase | FuzzCase)[]) {
        if ('plugin' in one) {
          tables += 1
          if (checkTable(tally, one)) older += 1
        } else {
          clusters += 1
          checkCluster(tally, one)
        }
      }
    }
    return tally.result([`${tables} table cases (${older} of them by the formula of their version), ${clusters} random clusters`])
  },
}

/** True when the case asked for a formula that is no longer today's. */
function checkTable(tally: Tally, one: TableCase): boolean {
  const stage = stageOf(one)
  const parts = partsFor(one.plugin, one.args)
  if (one.kind === 'filter') {
    const expected = Object.fromEntries(Object.entries(one.expect.filter ?? {}).map(([name, { code }]) => [name, code === 'Success']))
    tally.equal(one.id, sorted(verdictsOf(parts, stage)), sorted(expected))
    return false
  }
  // upstream compares the nodes that its table names
  const wanted = one.expect.scores ?? {}
  const names = (one.filteredNodes ?? one.nodes.map((node) => node.metadata.name ?? '')).filter((name) => name in wanted)
  const today = sorted(scoresOf(parts, stage, names))
  const older = one.semantics === '1.20' ? olderScores(one.plugin, one.args, stage, names) : null
  tally.equal(one.id, older === null ? today : sorted(older), sorted(wanted))
  return older !== null && JSON.stringify(sorted(older)) !== JSON.stringify(today)
}

/** One check a cluster: all verdicts of all filters, and all scores by today's formulas. */
function checkCluster(tally: Tally, one: FuzzCase): void {
  const stage = stageOf(one)
  const misses: string[] = []
  for (const plugin of FUZZ_FILTERS) {
    const refused = one.expect.rejected[plugin] ?? {}
    for (const [node, taken] of Object.entries(verdictsOf(partsFor(plugin, undefined), stage))) {
      const expected = refused['*prefilter'] === undefined && refused[node] === undefined
      if (taken !== expected && !isNoted(one, plugin)) misses.push(`${plugin} ${node}: ${taken ? 'taken' : 'refused'}`)
    }
  }
  for (const [plugin, ran] of Object.entries(one.expect.scores ?? {})) {
    const parts = partsFor(plugin, plugin === 'RequestedToCapacityRatio' ? FUZZ_RATIO : undefined)
    const own = scoresOf(parts, stage, one.expect.feasible)
    for (const [node, score] of Object.entries({ ...ran, ...one.expect.scoresModern?.[plugin] })) {
      if (own[node] !== score) misses.push(`${plugin} ${node}: scores ${String(own[node])}, not ${score}`)
    }
  }
  tally.equal(one.id, misses, [])
}

/** The fixture itself says that versions differ here; its note names the first node only. */
function isNoted({ versionSensitive = [] }: FuzzCase, plugin: string): boolean {
  return versionSensitive.some((note) => note.startsWith(`${plugin} `))
}

function sorted<T>(of: Readonly<Record<string, T>>): readonly (readonly [string, T])[] {
  return Object.entries(of).sort(([a], [b]) => (a < b ? -1 : 1))
}
