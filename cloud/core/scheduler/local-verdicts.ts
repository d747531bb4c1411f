/**
 * What the rules that read only pod and node say of all nodes, kept by pod signature. INVARIANTS: after `of` the entries of
 * every place are those of the node that stands there now; a node is judged again only when it changed; equal signatures
 * mean equal verdicts, so nothing is approximated.
 */
import type { NodeInfo, PodInfo, Profile, ScorePlugin } from './framework.ts'
import type { World } from './world.ts'

/** Node entries of all signatures together; the signature used longest ago is forgotten first. */
const CELLS = 4_000_000

export class LocalVerdicts {
  readonly #profile: Profile
  readonly #bySignature = new Map<string, Judged>()
  /** the last signature that came once: kept apart, so that pods of which each is another reuse its room */
  #single: { readonly signature: string; readonly judged: Judged } | null = null

  constructor(profile: Profile) {
    this.#profile = profile
  }

  /** For this pod, brought up to date for all nodes of the world. */
  of(pod: PodInfo, world: World): Judged {
    const known = this.#bySignature.get(pod.signature)
    if (known !== undefined) {
      this.#bySignature.delete(pod.signature)
      this.#bySignature.set(pod.signature, known)
      return known.follow(world)
    }
    if (this.#single?.signature === pod.signature) {
      const { judged } = this.#single
      this.#single = null
      this.#bySignature.set(pod.signature, judged)
      this.#forget(world.nodes.length)
      return judged.follow(world)
    }
    const judged = new Judged(this.#profile, pod, world.nodes.length, this.#single?.judged ?? null)
    this.#single = { signature: pod.signature, judged }
    return judged.follow(world)
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
  raw: Float64Array
  /** nodes whose raw score is not 0: while there is none, it makes no difference */
  different: number
}

export class Judged {
  /** 1 = the node can take the pod */
  ok: Uint8Array
  /** weighted sum of the scores that need no other node */
  base: Float64Array
  /** scores that are stretched over the feasible nodes */
  readonly ranged: readonly Ranged[]
  readonly #passes: readonly ((node: NodeInfo) => boolean)[]
  readonly #plain: readonly ((node: NodeInfo) => number)[]
  readonly #pod: PodInfo
  #mark = -1

  /** @param old one whose room may be used again */
  constructor(profile: Profile, pod: PodInfo, size: number, old: Judged | null) {
    const scores = profile.scores.filter(({ plugin }) => plugin.applies?.(pod) !== false)
    this.#pod = pod
    this.#passes = profile.filters
      .filter((plugin) => plugin.applies?.(pod) !== false)
      .map(({ passes, filter }) => (passes === undefined ? (node) => filter(pod, node).length === 0 : (node) => passes(pod, node)))
    this.#plain = scores
      .filter(({ plugin }) => plugin.normalizeScore === undefined)
      .map(
        ({ plugin, weight }) =>
          (node) =>
            weight * plugin.score(pod, node),
      )
    this.ok = old?.ok.length === size ? old.ok : new Uint8Array(size)
    this.base = old?.base.length === size ? old.base : new Float64Array(size)
    this.ranged = scores
      .filter(({ plugin }) => plugin.normalizeScore !== undefined)
      .map(({ plugin, weight }) => ({ plugin, weight, raw: new Float64Array(0), different: 0 }))
  }

  follow(world: World): this {
    const { nodes } = world
    const { places, mark } = world.changedSince(this.#mark)
    this.#mark = mark
    if (places !== null) {
      for (const place of places) this.#judge(place, nodes[place])
      return this
    }
    if (this.ok.length !== nodes.length) {
      this.ok = new Uint8Array(nodes.length)
      this.base = new Float64Array(nodes.length)
    }
    for (const one of this.ranged) {
      one.raw = new Float64Array(0)
      one.different = 0
    }
    for (let place = 0; place < nodes.length; place += 1) this.#judge(place, nodes[place])
    return this
  }

  #judge(place: number, node: NodeInfo | undefined): void {
    const ok = node !== undefined && this.#takes(node)
    this.ok[place] = ok ? 1 : 0
    if (ok) {
      let base = 0
      for (let at = 0; at < this.#plain.length; at += 1) base += this.#plain[at]?.(node) ?? 0
      this.base[place] = base
    }
    for (const one of this.ranged) setRaw(one, place, ok ? one.plugin.score(this.#pod, node) : 0, this.ok.length)
  }

  #takes(node: NodeInfo): boolean {
    for (let at = 0; at < this.#passes.length; at += 1) if (this.#passes[at]?.(node) === false) return false
    return true
  }
}

/** Room is taken only when there is something to keep. */
function setRaw(one: Ranged, place: number, score: number, size: number): void {
  if (score === 0 && one.different === 0) return
  if (one.raw.length !== size) one.raw = new Float64Array(size)
  if ((one.raw[place] ?? 0) !== 0) one.different -= 1
  if (score !== 0) one.different += 1
  one.raw[place] = score
}
