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
  #shares: (readonly Share[])[] = []

  /** @param places of nodes that changed since the last time; null = any may have */
  refresh(nodes: readonly NodeInfo[], places: readonly number[] | null): Iterable<Carried> {
    if (places === null) {
      this.#entries.clear()
      this.#shares = nodes.map((node) => (node.podsWithTerms.length === 0 ? NONE : this.#take(node)))
    } else {
      for (const place of places) {
        this.#drop(this.#shares[place] ?? NONE)
        const node = nodes[place]
        this.#shares[place] = node === undefined || node.podsWithTerms.length === 0 ? NONE : this.#take(node)
      }
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
