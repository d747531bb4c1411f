/**
 * The rows that a query finds, in an order, with counts beside them. Shared by everybody who asks the same.
 *
 * INVARIANTS
 * - The list of keys is as of one moment and stays for a while, so that it does not move under a reader's hand; what a row
 *   says is always the newest.
 */
import { compileQuery, parseQuery } from './query.ts'
import type { RowTable } from './row-table.ts'

/** A view of few rows is made anew at each look; a larger one after this, or ten times what it costs. */
const SMALL = 5000
const LARGE_MS = 2000
/** Values of one facet that are told, the most frequent ones. */
const FACET_VALUES = 12

export interface FacetCount {
  readonly field: string
  readonly values: readonly { readonly value: string; readonly count: number }[]
}

export class RowView<R> {
  readonly issues: readonly string[]
  readonly #table: RowTable<R>
  readonly #sort: string
  readonly #test: ((row: R) => boolean) | null
  #rows: readonly R[] = []
  #facets: readonly FacetCount[] | null = null
  #version = -1
  #madeAtMs = 0
  #costMs = 0
  /** counts up whenever the list was made anew */
  edition = 0

  constructor(table: RowTable<R>, query: string, sort: string) {
    this.#table = table
    this.#sort = sort
    const { issues, test } = compileQuery(parseQuery(query), table.kind.fields)
    this.issues = issues
    this.#test = test
  }

  get total(): number {
    return this.#rows.length
  }

  /** Makes the list anew when it is old enough. @param mono monotonic ms @returns true when it waits for a later moment */
  refresh(mono: () => number): boolean {
    if (this.#version === this.#table.version) return false
    const now = mono()
    const wait = this.#table.size <= SMALL ? 0 : Math.max(LARGE_MS, this.#costMs * 10)
    if (this.#version >= 0 && now - this.#madeAtMs < wait) return true
    const all = this.#table.ordered(this.#sort)
    const test = this.#test
    this.#rows = test === null ? Array.from(all) : all.filter(test)
    this.#facets = null
    this.#version = this.#table.version
    this.#madeAtMs = now
    this.#costMs = mono() - now
    this.edition += 1
    return false
  }

  /** @returns rows as they are now; a row that is gone since is left out */
  window(offset: number, limit: number): readonly R[] {
    const { key } = this.#table.kind
    return this.#rows.slice(offset, offset + limit).flatMap((row) => this.#table.get(key(row)) ?? [])
  }

  all(): readonly R[] {
    return this.#rows
  }

  /** @param labels label keys that are counted beside the fields of the kind */
  facets(labels: readonly string[]): readonly FacetCount[] {
    this.#facets ??= [...this.#table.kind.facets, ...labels].map((field) => this.#count(field))
    return this.#facets
  }

  #count(field: string): FacetCount {
    const { named, labels } = this.#table.kind.fields
    const get = named[field]?.get ?? ((row: R): string | null => labels?.(row)[field] ?? null)
    const counts = new Map<string, number>()
    for (const row of this.#rows) {
      const value = get(row)
      const first = typeof value === 'object' && value !== null ? value[0] : value
      if (first === null || first === undefined || first === '') continue
      counts.set(String(first), (counts.get(String(first)) ?? 0) + 1)
    }
    const values = [...counts].map(([value, count]) => ({ value, count })).sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
    return { field, values: values.slice(0, FACET_VALUES) }
  }
}
