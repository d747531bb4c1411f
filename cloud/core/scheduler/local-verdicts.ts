/**
 * What the rules that read only pod and node say of all nodes, kept by pod signature. INVARIANTS: after `look(index)` the
 * entries of that index are those of the node that stands there now; a node is judged again only when its NodeInfo is
 * another one; equal signatures mean equal verdicts, so nothing is approximated.
 */
import type { NodeInfo, PodInfo, Profile, ScorePlugin, Weighted } from './framework.ts'
import { passesLocally } from './verdict.ts'

/** Node entries of all signatures together; the signature used longest ago is forgotten first. */
const CELLS = 4_000_000

export class LocalVerdicts {
  readonly #profile: Profile
  readonly #bySignature = new Map<string, Judged>()

  constructor(profile: Profile) {
    this.#profile = profile
  }

  /** For this pod and these nodes; nothing is judged before `look`. */
  of(pod: PodInfo, nodes: readonly NodeInfo[]): Judged {
    const known = this.#bySignature.get(pod.signature)
    const judged = known?.ok.length === nodes.length ? known.follow(nodes) : new Judged(this.#profile, pod, nodes)
    this.#bySignature.delete(pod.signature)
    this.#bySignature.set(pod.signature, judged)
    if (known === undefined) this.#forget(nodes.length)
    return judged
  }

  #forget(each: number): void {
    const keep = Math.max(1, Math.floor(CELLS / Math.max(1, each)))
    for (const signature of this.#bySignature.keys()) {
      if (this.#bySignature.size <= keep) return
      this.#bySignature.delete(signature)
    }
  }
}

export interface Ranged {
  readonly plugin: ScorePlugin
  readonly weight: number
  readonly raw: Float64Array
  /** nodes whose raw score is not 0: while there is none, it makes no difference */
  different: number
}

export class Judged {
  /** 1 = the node can take the pod */
  readonly ok: Uint8Array
  /** weighted sum of the scores that need no other node */
  readonly base: Float64Array
  /** scores that are stretched over the feasible nodes */
  readonly ranged: readonly Ranged[]
  readonly #profile: Profile
  readonly #pod: PodInfo
  readonly #plain: readonly Weighted<ScorePlugin>[]
  readonly #seen: (NodeInfo | undefined)[]
  #nodes: readonly NodeInfo[]

  constructor(profile: Profile, pod: PodInfo, nodes: readonly NodeInfo[]) {
    const scores = profile.scores.filter(({ plugin }) => plugin.applies?.(pod) !== false)
    this.#profile = { ...profile, filters: profile.filters.filter((plugin) => plugin.applies?.(pod) !== false) }
    this.#pod = pod
    this.#nodes = nodes
    this.#plain = scores.filter(({ plugin }) => plugin.normalizeScore === undefined)
    this.ok = new Uint8Array(nodes.length)
    this.base = new Float64Array(nodes.length)
    this.ranged = scores
      .filter(({ plugin }) => plugin.normalizeScore !== undefined)
      .map(({ plugin, weight }) => ({ plugin, weight, raw: new Float64Array(nodes.length), different: 0 }))
    this.#seen = nodes.map(() => undefined)
  }

  follow(nodes: readonly NodeInfo[]): this {
    this.#nodes = nodes
    return this
  }

  /** Brings one node up to date. True when it can take the pod. */
  look(index: number): boolean {
    const node = this.#nodes[index]
    if (node !== this.#seen[index]) this.#judge(index, node)
    return this.ok[index] === 1
  }

  #judge(index: number, node: NodeInfo | undefined): void {
    this.#seen[index] = node
    const ok = node !== undefined && passesLocally(this.#profile, this.#pod, node)
    this.ok[index] = ok ? 1 : 0
    if (!ok) {
      for (const one of this.ranged) setRaw(one, index, 0)
      return
    }
    let base = 0
    for (const { plugin, weight } of this.#plain) base += weight * plugin.score(this.#pod, node)
    this.base[index] = base
    for (const one of this.ranged) setRaw(one, index, one.plugin.score(this.#pod, node))
  }
}

function setRaw(one: Ranged, index: number, score: number): void {
  if ((one.raw[index] ?? 0) !== 0) one.different -= 1
  if (score !== 0) one.different += 1
  one.raw[index] = score
}
