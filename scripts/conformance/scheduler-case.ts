/** kube-scheduler's cases as our words: pods, nodes and plugins by name and arguments. */
import type { FilterPlugin, NodeInfo, PodInfo, ScorePlugin, WorldFilterPlugin, WorldScorePlugin } from '../../cloud/core/scheduler/framework.ts'
import { podInfo } from '../../cloud/core/scheduler/pod-info.ts'
import { PLUGIN_TABLE } from '../../cloud/core/scheduler/plugin-table.ts'
import type { PluginParts } from '../../cloud/core/scheduler/plugin-table.ts'
import { buildSnapshot } from '../../cloud/core/scheduler/snapshot.ts'
import { World } from '../../cloud/core/scheduler/world.ts'
import type { Node } from '../../cloud/resources/node.ts'
import type { Namespace } from '../../cloud/resources/namespace.ts'
import type { Pod } from '../../cloud/resources/pod.ts'

export interface Scene {
  readonly pod: Pod
  readonly nodes: readonly Node[]
  readonly existingPods: readonly Pod[]
  readonly namespaces?: readonly Namespace[]
}

export interface Stage {
  readonly pod: PodInfo
  readonly world: World
}

/** Upstream's tables leave out what admission would have filled in. */
export function stageOf({ pod, nodes, existingPods, namespaces = [] }: Scene): Stage {
  const snapshot = buildSnapshot(
    nodes,
    existingPods.map((one, index) => whole(one, `existing-${index}`)),
  )
  const own = podInfo(whole(pod, 'incoming'))
  // an upstream table has no PID limits: what a pod costs there is what it asks for
  const requests = Object.fromEntries(Object.entries(own.requests).filter(([name]) => name !== 'pids'))
  return {
    pod: { ...own, requests },
    world: new World(
      snapshot.values(),
      namespaces.map((one) => [one.metadata.name ?? '', one.metadata.labels ?? {}] as const),
    ),
  }
}

function whole(pod: Pod, uid: string): Pod {
  const containers = (pod.spec.containers ?? []).map((one) => ({ ...one, image: one.image ?? '' }))
  return { ...pod, metadata: { ...pod.metadata, uid }, spec: { ...pod.spec, containers } }
}

/** The plugin of our table that answers for upstream's; the resource scores of 1.20 were plugins of their own. */
export function partsFor(plugin: string, args: unknown): PluginParts {
  const own = lowerFirst(args ?? {}) as Readonly<Record<string, unknown>>
  const strategy = STRATEGIES[plugin]
  if (strategy !== undefined) {
    const { shape, resources } = own
    const ratio = shape === undefined ? {} : { requestedToCapacityRatio: { shape } }
    return make('NodeResourcesFit', { scoringStrategy: { type: strategy, ...(resources === undefined ? {} : { resources }), ...ratio } })
  }
  const { scoringStrategy } = own
  return make(plugin, scoringStrategy === undefined ? own : { ...own, scoringStrategy: withShape(scoringStrategy) })
}

const STRATEGIES: Readonly<Record<string, string>> = {
  NodeResourcesLeastAllocated: 'LeastAllocated',
  NodeResourcesMostAllocated: 'MostAllocated',
  RequestedToCapacityRatio: 'RequestedToCapacityRatio',
}

function make(name: string, args: unknown): PluginParts {
  const entry = PLUGIN_TABLE.find((one) => one.name === name)
  if (entry === undefined) throw new Error(`there is no plugin ${name}`)
  const result = entry.create(args)
  if (!result.ok) throw new Error(`${name}: ${result.issues.map(({ path, message }) => `${path} ${message}`).join('; ')}`)
  const labels = PLUGIN_TABLE.find((one) => one.name === 'NodeSelector')?.create(undefined)
  // upstream's NodeAffinity also looks at spec.nodeSelector, which has a rule and words of its own here
  return name === 'NodeAffinity' && labels?.ok === true ? { ...result.parts, filter: both(result.parts.filter, labels.parts.filter) } : result.parts
}

function both(a: FilterPlugin | undefined, b: FilterPlugin | undefined): FilterPlugin {
  return { name: 'NodeAffinity', filter: (pod, node) => [...(a?.filter(pod, node) ?? []), ...(b?.filter(pod, node) ?? [])] }
}

/** Fixtures write the shape beside the type; the API has it one level deeper. */
function withShape(strategy: unknown): unknown {
  const { shape, ...rest } = strategy as Readonly<Record<string, unknown>>
  return shape === undefined ? strategy : { ...rest, requestedToCapacityRatio: { shape } }
}

/** Arguments of 1.20 were dumped with Go's names. */
export function lowerFirst(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(lowerFirst)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key.charAt(0).toLowerCase() + key.slice(1), lowerFirst(inner)]))
}

/** Node name -> taken, by the filter of the plugin. The words and the short way must agree. */
export function verdictsOf(parts: PluginParts, { pod, world }: Stage): Readonly<Record<string, boolean>> {
  const taken = (node: NodeInfo): boolean => filterTakes(parts.filter, pod, node) && worldTakes(parts.worldFilter, pod, world, node)
  return Object.fromEntries(world.nodes.map((node) => [node.name, taken(node)]))
}

function filterTakes(plugin: FilterPlugin | undefined, pod: PodInfo, node: NodeInfo): boolean {
  if (plugin === undefined || plugin.applies?.(pod) === false) return true
  const taken = plugin.filter(pod, node).length === 0
  if (plugin.passes !== undefined && plugin.passes(pod, node) !== taken) throw new Error(`${plugin.name}: passes and filter differ on ${node.name}`)
  return taken
}

function worldTakes(plugin: WorldFilterPlugin | undefined, pod: PodInfo, world: World, node: NodeInfo): boolean {
  const test = plugin?.preFilter(pod, world) ?? null
  if (test === null) return true
  const taken = test.filter(node).length === 0
  if (test.passes(node) !== taken) throw new Error(`${plugin?.name ?? ''}: passes and filter differ on ${node.name}`)
  return taken
}

/** Node name -> score after normalisation, over these nodes. */
export function scoresOf(parts: PluginParts, { pod, world }: Stage, names: readonly string[]): Readonly<Record<string, number>> {
  const nodes = names.map((name) => world.get(name)).filter((node) => node !== undefined)
  const scores = parts.worldScore === undefined ? plainScores(parts.score, pod, nodes) : worldScores(parts.worldScore, pod, world, nodes)
  return Object.fromEntries(nodes.map((node, index) => [node.name, scores[index] ?? 0]))
}

function plainScores(plugin: ScorePlugin | undefined, pod: PodInfo, nodes: readonly NodeInfo[]): readonly number[] {
  const raw = nodes.map((node) => plugin?.score(pod, node) ?? 0)
  return plugin?.normalizeScore?.(raw) ?? raw
}

function worldScores(plugin: WorldScorePlugin, pod: PodInfo, world: World, nodes: readonly NodeInfo[]): readonly number[] {
  return plugin.preScore(pod, world, nodes) ?? nodes.map(() => plugin.same ?? 0)
}
