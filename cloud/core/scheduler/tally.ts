/**
 * Sums by topology domain, kept current. INVARIANTS: after `refresh` the sums equal those of a new tally over the same
 * nodes; only the places that are told are counted again.
 */
import type { Counted, NodeInfo, Sums } from './framework.ts'

export class Tally implements Sums {
  readonly #of: (node: NodeInfo) => Counted
  #counted: Counted[] = []
  readonly #sums = new Map<string, { amount: number; nodes: number }>()
  #total = 0

  constructor(of: (node: NodeInfo) => Counted) {
    this.#of = of
  }

  /** Size of what is kept, for bounds. */
  get size(): number {
    return this.#counted.length
  }

  /** @param places of nodes that changed since the last time; null = any may have */
  refresh(nodes: readonly NodeInfo[], places: readonly number[] | null): void {
    if (places === null) {
      this.#sums.clear()
      this.#total = 0
      this.#counted = nodes.map(this.#of)
      for (const counted of this.#counted) this.#add(counted)
      return
    }
    for (const place of places) {
      const node = nodes[place]
      this.#subtract(this.#counted[place] ?? null)
      const counted = node === undefined ? null : this.#of(node)
      this.#counted[place] = counted
      this.#add(counted)
    }
  }

  amount(domain: string | undefined): number {
    return domain === undefined ? 0 : (this.#sums.get(domain)?.amount ?? 0)
  }

  get total(): number {
    return this.#total
  }

  get domains(): number {
    return this.#sums.size
  }

  least(): number {
    let least = Number.POSITIVE_INFINITY
    for (const { amount } of this.#sums.values()) if (amount < least) least = amount
    return least === Number.POSITIVE_INFINITY ? 0 : least
  }

  largestDomain(): number {
    let largest = 0
    for (const domain of this.#sums.keys()) largest = Math.max(largest, Number(domain))
    return largest
  }

  #add(counted: Counted): void {
    if (counted === null) return
    const sum = this.#sums.get(counted.domain)
    if (sum === undefined) this.#sums.set(counted.domain, { amount: counted.amount, nodes: 1 })
    else {
      sum.amount += counted.amount
      sum.nodes += 1
    }
    this.#total += counted.amount
  }

  #subtract(counted: Counted): void {
    if (counted === null) return
    const sum = this.#sums.get(counted.domain)
    if (sum === undefined) return
    sum.amount -= counted.amount
    sum.nodes -= 1
    if (sum.nodes === 0) this.#sums.delete(counted.domain)
    this.#total -= counted.amount
  }
}
