/** `skerry schedule`: where would these pods go on these nodes? No cluster is asked. */
import { readFileSync } from 'node:fs'
import { parseAllDocuments } from 'yaml'
import { isRecord } from '../../protocol/shape.ts'
import { podInfo } from '../core/scheduler/pod-info.ts'
import { DEFAULT_PROFILE } from '../core/scheduler/profile.ts'
import { Engine } from '../core/scheduler/schedule.ts'
import { buildSnapshot, holdsResources, withPod } from '../core/scheduler/snapshot.ts'
import { answerWhy } from '../core/scheduler/why.ts'
import { World } from '../core/scheduler/world.ts'
import { NODES } from '../resources/node.ts'
import type { Node } from '../resources/node.ts'
import { PODS } from '../resources/pod.ts'
import type { Pod } from '../resources/pod.ts'

export interface ScheduleOptions {
  readonly nodes: string
  readonly pods: string
  readonly json: boolean
  readonly nowMs: number
}

/** Pods with spec.nodeName already run; the others are placed in the order of the file. Exit 7 when one finds no node, 2 for bad input. */
export function scheduleFiles(options: ScheduleOptions): number {
  let nodes: readonly Node[]
  let pods: readonly Pod[]
  try {
    nodes = readObjects(options.nodes, 'Node').map((object) => NODES.defaults(object as unknown as Node))
    pods = readObjects(options.pods, 'Pod').map((object, index) => wholePod(object as unknown as Pod, index))
  } catch (error) {
    process.stderr.write(`skerry schedule: ${error instanceof Error ? error.message : String(error)}\n`)
    return 2
  }
  const world = new World(buildSnapshot(nodes, pods.filter(holdsResources)).values())
  const engine = new Engine(DEFAULT_PROFILE, world)
  const results = pods.filter((pod) => pod.spec.nodeName === undefined).map((pod) => place(pod, engine, world, options.nowMs))
  if (options.json) process.stdout.write(`${JSON.stringify({ pods: results }, null, 2)}\n`)
  else for (const one of results) process.stdout.write(`${one.pod}: ${one.node ?? `not placed: ${one.sentence}`}\n`)
  return results.every((one) => one.node !== null) ? 0 : 7
}

function place(pod: Pod, engine: Engine, world: World, nowMs: number) {
  const info = podInfo(pod)
  const decision = engine.decide(info)
  if (decision.kind === 'none') {
    const { sentence, funnel, nodes, suggestions } = answerWhy({ profile: engine.profile, world, pod, held: null, nowMs, node: null })
    return { pod: info.key, node: null, sentence, funnel, nodes, suggestions }
  }
  const node = world.get(decision.node)
  if (node !== undefined) world.set(withPod(node, info))
  return { pod: info.key, node: decision.node, sentence: '', score: decision.score, feasible: decision.feasible, placement: decision.placement }
}

/** Objects of one kind from JSON or YAML: single, several documents, or lists as kubectl prints them. Throws with file and place. */
function readObjects(file: string, kind: string): readonly Readonly<Record<string, unknown>>[] {
  const documents = parseAllDocuments(readFileSync(file, 'utf8'))
  const found = documents.flatMap((document) => {
    const [fault] = document.errors
    if (fault !== undefined) throw new Error(`${file}: ${fault.message}`)
    return flatten(document.toJS({ maxAliasCount: 0 }))
  })
  for (const [index, object] of found.entries()) {
    if (object['kind'] !== undefined && object['kind'] !== kind)
      throw new Error(`${file}: object ${index + 1} is a ${JSON.stringify(object['kind'])}, not a ${kind}`)
    if (!isRecord(object['metadata'])) throw new Error(`${file}: object ${index + 1} has no metadata`)
    if (kind === 'Pod' && (!isRecord(object['spec']) || !Array.isArray(object['spec']['containers'])))
      throw new Error(`${file}: object ${index + 1} has no spec.containers`)
  }
  return found
}

function flatten(value: unknown): readonly Readonly<Record<string, unknown>>[] {
  if (Array.isArray(value)) return value.flatMap(flatten)
  if (!isRecord(value)) return []
  return Array.isArray(value['items']) ? value['items'].flatMap(flatten) : [value]
}

function wholePod(pod: Pod, index: number): Pod {
  const metadata = { ...pod.metadata, namespace: pod.metadata.namespace ?? 'default', uid: pod.metadata.uid ?? `pod-${index}` }
  return PODS.defaults({ ...pod, apiVersion: 'v1', kind: 'Pod', metadata })
}
