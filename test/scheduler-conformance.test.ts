/** Our plugins beside what kube-scheduler's own tables say. The cases lie outside the repository; without them this suite is not run. */
import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { nodeName } from '../cloud/core/scheduler/filters/node-name.ts'
import { nodePorts } from '../cloud/core/scheduler/filters/node-ports.ts'
import { nodeResourcesFit } from '../cloud/core/scheduler/filters/node-resources-fit.ts'
import { nodeUnschedulable } from '../cloud/core/scheduler/filters/node-unschedulable.ts'
import { taintToleration } from '../cloud/core/scheduler/filters/taint-toleration.ts'
import type { FilterPlugin, ScorePlugin } from '../cloud/core/scheduler/framework.ts'
import { podInfo } from '../cloud/core/scheduler/pod-info.ts'
import { balancedAllocation } from '../cloud/core/scheduler/scores/balanced-allocation.ts'
import { leastAllocated } from '../cloud/core/scheduler/scores/least-allocated.ts'
import { taintPreference } from '../cloud/core/scheduler/scores/taint-preference.ts'
import { buildSnapshot } from '../cloud/core/scheduler/snapshot.ts'
import type { Node } from '../cloud/resources/node.ts'
import type { Pod } from '../cloud/resources/pod.ts'

interface Case {
  readonly id: string
  readonly plugin?: string
  readonly kind?: 'filter' | 'score'
  readonly semantics?: string
  readonly args?: Readonly<Record<string, unknown>>
  readonly pod: Pod
  readonly nodes: readonly Node[]
  readonly existingPods: readonly Pod[]
  readonly filteredNodes?: readonly string[]
  readonly expect: {
    readonly filter?: Readonly<Record<string, { readonly code: string }>>
    readonly scores?: Readonly<Record<string, unknown>>
    readonly scoresModern?: Readonly<Record<string, Readonly<Record<string, number>>>>
    readonly rejected?: Readonly<Record<string, Readonly<Record<string, unknown>>>>
    readonly feasible?: readonly string[]
  }
}

const FOLDER = new URL('../../shared/fixtures/scheduler/', import.meta.url)
const FILTERS: Readonly<Record<string, FilterPlugin>> = {
  NodeResourcesFit: nodeResourcesFit,
  NodeName: nodeName,
  NodePorts: nodePorts,
  NodeUnschedulable: nodeUnschedulable,
  TaintToleration: taintToleration,
}
const SCORES: Readonly<Record<string, ScorePlugin>> = {
  NodeResourcesLeastAllocated: leastAllocated,
  NodeResourcesBalancedAllocation: balancedAllocation,
  TaintToleration: taintPreference,
}

const read = (name: string): readonly Case[] => JSON.parse(readFileSync(new URL(name, FOLDER), 'utf8')) as readonly Case[]

/** Pod fields that Skerry refuses at admission: their cases say nothing about it. */
function usesRefusedFields({ pod, existingPods }: Case): boolean {
  return [pod, ...existingPods].some(({ spec }) => ['initContainers', 'overhead'].some((field) => field in spec))
}

function isForUs(one: Case): boolean {
  const { args, semantics, plugin, kind } = one
  const ordinary =
    args === undefined ||
    JSON.stringify(args)
      .toLowerCase()
      .replace(/"name":"|"weight":|[^a-z0-9:,]/g, '') === 'resources:cpu,1,memory,1'
  if (usesRefusedFields(one) || !(ordinary || Object.keys(args ?? {}).length === 0)) return false
  if (semantics?.startsWith('>=1.35') === true) return false
  if (plugin === 'NodeResourcesBalancedAllocation') return semantics === '1.23'
  return kind === 'filter' ? plugin !== undefined && plugin in FILTERS : plugin !== undefined && plugin in SCORES
}

function worldOf({ pod, nodes, existingPods }: Case) {
  const whole = (one: Pod, uid: string): Pod => ({
    ...one,
    metadata: { ...one.metadata, uid },
    spec: { ...one.spec, containers: one.spec.containers ?? [] },
  })
  const info = podInfo(whole(pod, 'incoming'))
  // an upstream table has no PID limits: what a pod costs there is what it asks for
  const requests = Object.fromEntries(Object.entries(info.requests).filter(([name]) => name !== 'pids'))
  return {
    pod: { ...info, requests },
    snapshot: buildSnapshot(
      nodes,
      existingPods.map((one, index) => whole(one, `existing-${index}`)),
    ),
  }
}

function scoresOf(plugin: ScorePlugin, one: Case, names: readonly string[]): Readonly<Record<string, number>> {
  const { pod, snapshot } = worldOf(one)
  const nodes = names.map((name) => snapshot.get(name)).filter((node) => node !== undefined)
  const raw = nodes.map((node) => plugin.score(pod, node))
  const scores = plugin.normalizeScore?.(raw) ?? raw
  return Object.fromEntries(nodes.map((node, index) => [node.name, scores[index] ?? -1]))
}

describe.skipIf(!existsSync(FOLDER))('kube-scheduler tables', () => {
  const files = ['noderesources-fit.json', 'noderesources-score.json', 'tainttoleration.json', 'nodename-ports-unschedulable.json']
  const cases = existsSync(FOLDER) ? files.flatMap(read).filter(isForUs) : []

  test('there are enough of them', () => {
    expect(cases.length).toBeGreaterThanOrEqual(40)
  })

  test.each(cases.map((one) => [one.id, one] as const))('%s', (_, one) => {
    const { pod, snapshot } = worldOf(one)
    if (one.kind === 'filter') {
      const plugin = FILTERS[one.plugin ?? '']
      const verdicts = Object.fromEntries([...snapshot].map(([name, node]) => [name, plugin?.filter(pod, node).length === 0]))
      expect(verdicts).toEqual(Object.fromEntries(Object.entries(one.expect.filter ?? {}).map(([name, { code }]) => [name, code === 'Success'])))
    } else {
      const plugin = SCORES[one.plugin ?? ''] ?? leastAllocated
      expect(scoresOf(plugin, one, one.filteredNodes ?? one.nodes.map((node) => node.metadata.name ?? ''))).toEqual(one.expect.scores)
    }
  })

  test('random clusters give the same verdict on every node', () => {
    let verdicts = 0
    for (const one of read('fuzz-1.20.2.json').filter((scenario) => !usesRefusedFields(scenario))) {
      const { pod, snapshot } = worldOf(one)
      const own = { ...pod, requiredNode: one.pod.spec.nodeName ?? null }
      for (const [name, plugin] of Object.entries(FILTERS)) {
        for (const node of snapshot.values()) {
          const accepted = one.expect.rejected?.[name]?.[node.name] === undefined
          expect([one.id, name, node.name, plugin.filter(own, node).length === 0]).toEqual([one.id, name, node.name, accepted])
          verdicts += 1
        }
      }
    }
    expect(verdicts).toBeGreaterThan(5000)
  })
})
