/** Where does this pod go? Pure: the same pod and world always give the same answer. */
import type { Cause } from '../../../protocol/causes.ts'
import { causeSentence } from '../../../protocol/causes.ts'
import type { Placement } from '../../../protocol/desired-state.ts'
import { controllerOf } from '../meta.ts'
import { explain } from './explain.ts'
import type { Refusal } from './explain.ts'
import type { NodeInfo, PodInfo, Profile, Snapshot, Weighted, WorldScorePlugin } from './framework.ts'
import { Judged, LocalVerdicts } from './local-verdicts.ts'
import { namedCandidates, passesTests, worldTests } from './verdict.ts'
import type { NamedTest } from './verdict.ts'
import { World } from './world.ts'

export type Decision =
  | { readonly kind: 'node'; readonly node: string; readonly placement: Placement; readonly score: number; readonly feasible: number }
  | { readonly kind: 'none'; readonly refusal: Refusal }

/** Fewest nodes that are looked at when not all are, as in Kubernetes. */
const LEAST_FEASIBLE = 100

/** Decides once, in a world of its own. */
export function schedule(profile: Profile, pod: PodInfo, snapshot: Snapshot): Decision {
  return new Engine(profile, new World(snapshot.values())).decide(pod)
}

/** Decides again and again in one world, remembering what did not change. */
export class Engine {
  readonly profile: Profile
  readonly #world: World
  readonly #verdicts: LocalVerdicts
  #refused: { readonly signature: string; readonly version: number; readonly refusal: Refusal } | null = null

  constructor(profile: Profile, world: World) {
    this.profile = profile
    this.#world = world
    this.#verdicts = new LocalVerdicts(profile)
  }

  decide(pod: PodInfo): Decision {
    const choice = this.choose(pod)
    if (choice === null) return { kind: 'none', refusal: this.#refusal(pod) }
    const waits = (this.profile.permits ?? []).map((plugin) => plugin.permit(pod, choice.node)).find((why) => why !== null)
    if (waits !== undefined && waits !== null) return { kind: 'none', refusal: refusalOf(waits) }
    return { kind: 'node', node: choice.node.name, placement: this.#placement(pod, choice.node), score: choice.score, feasible: choice.feasible }
  }

  /** What the pod would get if it went to this node, by choice or because it is made free for it; null = it would not. */
  wouldPlace(pod: PodInfo, name: string): Placement | null {
    const node = this.#world.get(name)
    if (node === undefined) return null
    const claimed = node.pods.has(pod.uid)
    return claimed || this.choose(pod)?.node.name === name ? this.#placement(pod, node) : null
  }

  #placement(pod: PodInfo, node: NodeInfo): Placement {
    let placement: Placement = {}
    for (const plugin of this.profile.reserves) placement = { ...placement, ...plugin.reserve(pod, node) }
    return placement
  }

  /** Explained once for all pods that read the same, while nothing else changed. */
  #refusal(pod: PodInfo): Refusal {
    const last = this.#refused
    const owner = controllerOf(pod.pod)?.uid
    // pods of other owners read the same and were refused nowhere
    if (owner !== undefined && this.#world.refusedBy(owner) !== undefined) return explain(this.profile, pod, this.#world)
    if (last !== null && last.signature === pod.signature && last.version === this.#world.version) return last.refusal
    const refusal = explain(this.profile, pod, this.#world)
    this.#refused = { signature: pod.signature, version: this.#world.version, refusal }
    return refusal
  }

  /** The node without what is decided beside it; null when no node takes the pod. Words are not made. */
  choose(pod: PodInfo): { readonly node: NodeInfo; readonly score: number; readonly feasible: number } | null {
    const named = namedCandidates(this.profile, pod, this.#world.byName)
    const nodes = named ?? this.#world.nodes
    const tests = worldTests(this.profile, pod, this.#world)
    const judged = named === null ? this.#verdicts.of(pod, this.#world) : new Judged(this.profile, pod, nodes.length, null).follow(new World(nodes))
    const worldScores = (this.profile.worldScores ?? []).filter(({ plugin }) => plugin.applies?.(pod, this.#world) !== false)
    const looksAtAll = (this.profile.percentageOfNodesToScore ?? 100) >= 100
    if (looksAtAll && tests.length === 0 && worldScores.length === 0 && judged.ranged.every(({ different }) => different === 0))
      return this.#bestAlone(pod, judged, nodes)
    const feasible = this.#feasible(judged, tests, nodes)
    const first = feasible[0]
    if (first === undefined) return null
    if (feasible.length === 1) return pick(nodes, first, 0, 1)
    const totals = this.#totals(pod, { judged, nodes, feasible, worldScores })
    let best = 0
    // A total order: higher score, then smaller name. Chance would scatter equal pods and could not be replayed.
    for (let at = 1; at < feasible.length; at += 1) if ((totals[at] ?? 0) > (totals[best] ?? 0)) best = at
    return pick(nodes, feasible[best] ?? first, totals[best] ?? 0, feasible.length)
  }

  /** What `choose` answers when no score compares nodes: all others add the same to each, so the kept sums alone decide. */
  #bestAlone(pod: PodInfo, judged: Judged, nodes: readonly NodeInfo[]) {
    const { ok, base } = judged
    let best = -1
    let feasible = 0
    for (let at = 0; at < nodes.length; at += 1) {
      if (ok[at] !== 1) continue
      feasible += 1
      if (best < 0 || (base[at] ?? 0) > (base[best] ?? 0)) best = at
    }
    if (best < 0) return null
    if (feasible === 1) return pick(nodes, best, 0, 1)
    const [score = 0] = this.#totals(pod, { judged, nodes, feasible: [best], worldScores: [] })
    return pick(nodes, best, score, feasible)
  }

  /** Places of the nodes that take the pod, ascending. */
  #feasible(judged: Judged, tests: readonly NamedTest[], nodes: readonly NodeInfo[]): readonly number[] {
    const share = this.profile.percentageOfNodesToScore ?? 100
    const enough = share >= 100 ? nodes.length : Math.max(LEAST_FEASIBLE, Math.ceil((nodes.length * share) / 100))
    const from = enough < nodes.length ? this.#world.searchFrom % nodes.length : 0
    const out: number[] = []
    let looked = 0
    for (; looked < nodes.length && out.length < enough; looked += 1) {
      const index = from + looked < nodes.length ? from + looked : from + looked - nodes.length
      const node = nodes[index]
      if (judged.ok[index] === 1 && node !== undefined && (tests.length === 0 || passesTests(tests, node))) out.push(index)
    }
    if (from > 0 || looked < nodes.length) {
      this.#world.searchFrom = (from + looked) % nodes.length
      out.sort((a, b) => a - b)
    }
    return out
  }

  /** Weighted sum per feasible node, in their order. */
  #totals(pod: PodInfo, { judged, nodes, feasible, worldScores }: Field): Float64Array {
    const totals = new Float64Array(feasible.length)
    for (let at = 0; at < feasible.length; at += 1) totals[at] = judged.base[feasible[at] ?? 0] ?? 0
    for (const { plugin, weight, raw, different } of judged.ranged) {
      const scores = different === 0 ? null : plugin.normalizeScore?.(feasible.map((index) => raw[index] ?? 0))
      if (scores === null || scores === undefined) addSame(totals, weight * (plugin.normalizeScore?.([0])[0] ?? 0))
      else add(totals, weight, scores)
    }
    for (const { plugin, weight } of this.profile.worldScores ?? [])
      if (plugin.applies?.(pod, this.#world) === false) addSame(totals, weight * (plugin.same ?? 0))
    if (worldScores.length === 0) return totals
    const chosen = feasible.length === nodes.length ? nodes : feasible.map((index) => nodes[index]).filter((node) => node !== undefined)
    for (const { plugin, weight } of worldScores) {
      const scores = plugin.preScore(pod, this.#world, chosen)
      if (scores === null) addSame(totals, weight * (plugin.same ?? 0))
      else add(totals, weight, scores)
    }
    return totals
  }
}

interface Field {
  readonly judged: Judged
  readonly nodes: readonly NodeInfo[]
  readonly feasible: readonly number[]
  readonly worldScores: readonly Weighted<WorldScorePlugin>[]
}

function pick(nodes: readonly NodeInfo[], index: number, score: number, feasible: number) {
  const node = nodes[index]
  return node === undefined ? null : { node, score, feasible }
}

function add(totals: Float64Array, weight: number, scores: readonly number[]): void {
  for (let at = 0; at < totals.length; at += 1) totals[at] = (totals[at] ?? 0) + weight * (scores[at] ?? 0)
}

function addSame(totals: Float64Array, score: number): void {
  if (score !== 0) for (let at = 0; at < totals.length; at += 1) totals[at] = (totals[at] ?? 0) + score
}

function refusalOf(why: Cause): Refusal {
  return { cause: why, sentence: causeSentence(why), nodes: [], funnel: [] }
}
