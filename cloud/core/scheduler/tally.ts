/**
 * Sums by topology domain, kept current. INVARIANTS: after `refresh` the sums equal those of a new tally over the same
 * nodes; a node counts again only when its NodeInfo is another one than last time.
 */
import type { Counted, NodeInfo, Sums } from './framework.ts'

export class Tally implements Sums {
  readonly #of: (node: NodeInfo) => Counted
  #seen: readonly NodeInfo[] = []
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

  refresh(nodes: readonly NodeInfo[]): this {
    const seen = this.#seen.length === nodes.length ? (this.#seen as NodeInfo[]) : this.#seen.slice(0, nodes.length)
    for (let index = nodes.length; index < this.#counted.length; index += 1) this.#subtract(this.#counted[index] ?? null)
    this.#counted.length = nodes.length
    for (let index = 0; index < nodes.length; index += 1) {
      const node = nodes[index]
      if (node === undefined || node === seen[index]) continue
      this.#subtract(this.#counted[index] ?? null)
      const counted = this.#of(node)
      this.#counted[index] = counted
      this.#add(counted)
      seen[index] = node
    }
    this.#seen = seen
    return this
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
