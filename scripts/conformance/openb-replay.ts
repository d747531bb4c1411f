/** Replays the GPU trace: pods arrive one by one, none leaves; which node and GPUs does each get? */
import type { GpuAsk, GpuNode } from '../../cloud/core/scheduler/gpu/gpu-shape.ts'
import { gpuFits, withAsk } from '../../cloud/core/scheduler/gpu/gpu-shape.ts'
import type { GpuPolicy, GpuRating } from '../../cloud/core/scheduler/gpu/policies.ts'
import { askKey } from '../../cloud/core/scheduler/gpu/typical-pods.ts'
import { Tournament } from './tournament.ts'

export interface TraceNode {
  readonly name: string
  readonly gpu: GpuNode
  readonly memory: number
}

export interface TracePod {
  readonly ask: GpuAsk
  readonly memory: number
}

export interface Placed {
  /** row of the node, or -1 when no node could take the pod */
  readonly node: number
  readonly gpus: readonly number[]
}

const PODS_PER_NODE = 1001

/** What a node looks like. Nodes that look alike share one, so that each rating is computed once. */
interface Look {
  readonly node: GpuNode
  /** by number of the ask */
  readonly ratings: (GpuRating | null | undefined)[]
}

interface Slot {
  readonly row: number
  memory: number
  pods: number
  look: Look
}

/** All nodes ranked for one ask, brought up to date when the ask comes again. */
interface Ranking {
  readonly ask: GpuAsk
  readonly id: number
  readonly tree: Tournament
  /** changes of nodes it has seen */
  seen: number
}

/** One per policy and list of usual pods: replays that share it share the ratings, and give the same as alone. */
export class Replay {
  readonly #policy: GpuPolicy
  readonly #looks = new Map<string, Look>()
  readonly #asks = new Map<string, number>()

  constructor(policy: GpuPolicy) {
    this.#policy = policy
  }

  /** `order`: rows of `nodes`; of equal scores the first wins. */
  run(nodes: readonly TraceNode[], order: readonly number[], pods: Iterable<TracePod>): readonly Placed[] {
    const slots = order.map((row): Slot => {
      const node = nodes[row]
      if (node === undefined) throw new Error(`the order names node row ${row}, the list has ${nodes.length} rows`)
      return { row, memory: node.memory, pods: 0, look: this.#lookOf(node.gpu) }
    })
    const rankings = new Map<string, Ranking>()
    const changed: number[] = []
    const placed: Placed[] = []
    for (const pod of pods) {
      const ranking = this.#rankingOf(rankings, pod.ask, slots, changed)
      const at = bestWithRoom(ranking.tree, slots, pod.memory)
      const slot = slots[at]
      const rating = slot?.look.ratings[ranking.id]
      if (slot === undefined || rating === undefined || rating === null) {
        placed.push({ node: -1, gpus: [] })
        continue
      }
      slot.memory -= pod.memory
      slot.pods += 1
      slot.look = this.#lookOf(withAsk(slot.look.node, pod.ask, rating.gpus))
      changed.push(at)
      placed.push({ node: slot.row, gpus: rating.gpus })
    }
    return placed
  }

  #rankingOf(rankings: Map<string, Ranking>, ask: GpuAsk, slots: readonly Slot[], changed: readonly number[]): Ranking {
    const key = askKey(ask)
    const known = rankings.get(key)
    if (known === undefined) {
      const id = this.#asks.get(key) ?? this.#asks.size
      this.#asks.set(key, id)
      const tree = new Tournament(slots.map((slot) => this.#score(slot.look, id, ask)))
      const ranking: Ranking = { ask, id, tree, seen: changed.length }
      rankings.set(key, ranking)
      return ranking
    }
    for (; known.seen < changed.length; known.seen += 1) {
      const at = changed[known.seen] ?? 0
      const slot = slots[at]
      if (slot !== undefined) known.tree.set(at, this.#score(slot.look, known.id, ask))
    }
    return known
  }

  #score(look: Look, id: number, ask: GpuAsk): number {
    let rating = look.ratings[id]
    if (rating === undefined) {
      rating = gpuFits(look.node, ask) ? this.#policy.rate(look.node, ask) : null
      look.ratings[id] = rating
    }
    return rating === null ? -Infinity : rating.score
  }

  #lookOf(node: GpuNode): Look {
    const key = `${node.cpuLeft};${node.gpuLeft.join()};${node.model};${[...node.kinds].sort().join()}`
    const known = this.#looks.get(key)
    if (known !== undefined) return known
    const look: Look = { node, ratings: [] }
    this.#looks.set(key, look)
    return look
  }
}

/** Memory is seldom what is short, so it is asked last: those without room step aside for this one pod. -1 = none. */
function bestWithRoom(tree: Tournament, slots: readonly Slot[], memory: number): number {
  const aside: { readonly at: number; readonly score: number }[] = []
  let at = tree.best()
  for (let slot = slots[at]; slot !== undefined; slot = slots[at]) {
    if (slot.memory >= memory && slot.pods < PODS_PER_NODE) break
    aside.push({ at, score: tree.score(at) })
    tree.set(at, -Infinity)
    at = tree.best()
  }
  for (const entry of aside) tree.set(entry.at, entry.score)
  return at
}
