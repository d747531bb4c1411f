/**
 * Affinity terms that placed pods carry, by meaning: how many pods of each domain carry them. INVARIANTS: as of Tally; a
 * term that nobody carries any more is forgotten.
 */
import type { Carried, NodeInfo, PodInfo, TermKind } from './framework.ts'
import { labelOf } from './node-affinity.ts'
import type { Term } from './pod-terms.ts'

interface Entry extends Carried {
  readonly domains: Map<string, number>
}

interface Share {
  readonly key: string
  readonly domain: string
}

export class CarriedTerms {
  readonly #entries = new Map<string, Entry>()
  #seen: (NodeInfo | undefined)[] = []
  #shares: (readonly Share[])[] = []

  refresh(nodes: readonly NodeInfo[]): Iterable<Carried> {
    for (let index = nodes.length; index < this.#seen.length; index += 1) this.#drop(this.#shares[index] ?? NONE)
    this.#seen.length = nodes.length
    this.#shares.length = nodes.length
    for (let index = 0; index < nodes.length; index += 1) {
      const node = nodes[index]
      if (node === undefined || node === this.#seen[index]) continue
      this.#drop(this.#shares[index] ?? NONE)
      this.#shares[index] = node.podsWithTerms.length === 0 ? NONE : this.#take(node)
      this.#seen[index] = node
    }
    return this.#entries.values()
  }

  #take(node: NodeInfo): readonly Share[] {
    const shares: Share[] = []
    for (const pod of node.podsWithTerms) {
      for (const { kind, weight, term } of termsOf(pod)) {
        const domain = labelOf(node.labels, term.topologyKey)
        if (domain === undefined) continue
        const key = `${kind} ${weight} ${term.key}`
        const entry = this.#entries.get(key) ?? { term, kind, weight, domains: new Map<string, number>() }
        entry.domains.set(domain, (entry.domains.get(domain) ?? 0) + 1)
        this.#entries.set(key, entry)
        shares.push({ key, domain })
      }
    }
    return shares
  }

  #drop(shares: readonly Share[]): void {
    for (const { key, domain } of shares) {
      const entry = this.#entries.get(key)
      if (entry === undefined) continue
      const left = (entry.domains.get(domain) ?? 0) - 1
      if (left > 0) entry.domains.set(domain, left)
      else entry.domains.delete(domain)
      if (entry.domains.size === 0) this.#entries.delete(key)
    }
  }
}

const NONE: readonly Share[] = []

function termsOf({ terms }: PodInfo): readonly { readonly kind: TermKind; readonly weight: number; readonly term: Term }[] {
  return [
    ...terms.required.map((term) => ({ kind: 'required' as const, weight: 0, term })),
    ...terms.requiredAnti.map((term) => ({ kind: 'requiredAnti' as const, weight: 0, term })),
    ...terms.preferred.map(({ term, weight }) => ({ kind: 'preferred' as const, weight, term })),
    ...terms.preferredAnti.map(({ term, weight }) => ({ kind: 'preferredAnti' as const, weight, term })),
  ]
}
