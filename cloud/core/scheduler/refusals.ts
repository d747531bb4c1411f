/**
 * Devices that refused a placement, by whose pods they refused: until when they are left alone by the same owner. The device
 * knows its hardware better than its last inventory did; its next one ends the avoidance at once.
 */
import type { Cause } from '../../../protocol/causes.ts'
import { LIMITS } from '../../../protocol/limits.ts'

export interface Avoided {
  readonly why: Cause
  readonly untilMs: number
}

export class Refusals {
  /** owner uid -> device -> why; owners in the order of their last refusal */
  readonly #byOwner = new Map<string, Map<string, Avoided>>()

  add(owner: string, node: string, avoided: Avoided): void {
    const nodes = this.#byOwner.get(owner) ?? new Map<string, Avoided>()
    this.#byOwner.delete(owner)
    this.#byOwner.set(owner, nodes.set(node, avoided))
    const [oldest] = this.#byOwner.keys()
    if (this.#byOwner.size > LIMITS.placementRefusals.value && oldest !== undefined) this.#byOwner.delete(oldest)
  }

  /** undefined = no device refused a pod of this owner lately */
  of(owner: string): ReadonlyMap<string, Avoided> | undefined {
    return this.#byOwner.get(owner)
  }

  /** What is known of the device is new. True when that ends an avoidance. */
  forgetNode(node: string): boolean {
    return this.#drop((name) => name === node)
  }

  expire(nowMs: number): boolean {
    return this.#drop((_, { untilMs }) => untilMs <= nowMs)
  }

  /** When the next avoidance ends; null = there is none. */
  nextMs(): number | null {
    let next: number | null = null
    for (const nodes of this.#byOwner.values()) for (const { untilMs } of nodes.values()) if (next === null || untilMs < next) next = untilMs
    return next
  }

  #drop(ends: (node: string, avoided: Avoided) => boolean): boolean {
    let any = false
    for (const [owner, nodes] of this.#byOwner) {
      for (const [node, avoided] of nodes) if (ends(node, avoided)) any = nodes.delete(node) || any
      if (nodes.size === 0) this.#byOwner.delete(owner)
    }
    return any
  }
}
