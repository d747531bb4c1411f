/**
 * All rows of one kind, with orders that are kept while somebody looks.
 *
 * INVARIANTS
 * - Rows are whole and never changed in place: a changed row is another object, so a reference says what was sent.
 */
import { RowOrder } from './row-order.ts'
import { sameValue } from './same-value.ts'
import type { RowKind } from './row-fields.ts'

/** Orders kept at one time; the one not asked for longest goes. */
const ORDERS_KEPT = 8

export class RowTable<R> {
  readonly kind: RowKind<R>
  /** counts up with each change */
  version = 0
  readonly #rows = new Map<string, R>()
  readonly #orders = new Map<string, RowOrder<R>>()
  readonly #followers: ((before: R | null, after: R | null) => void)[] = []

  constructor(kind: RowKind<R>) {
    this.kind = kind
  }

  get size(): number {
    return this.#rows.size
  }

  get(key: string): R | undefined {
    return this.#rows.get(key)
  }

  values(): Iterable<R> {
    return this.#rows.values()
  }

  /** Called with every later change. */
  onChange(follower: (before: R | null, after: R | null) => void): void {
    this.#followers.push(follower)
  }

  put(row: R): void {
    const key = this.kind.key(row)
    this.#change(key, this.#rows.get(key) ?? null, row)
  }

  /** Puts a row that differs, or takes it out when it is null; false when nothing differs. */
  keep(key: string, row: R | null): boolean {
    if (row === null) return this.remove(key)
    if (sameValue(this.#rows.get(key), row)) return false
    this.put(row)
    return true
  }

  remove(key: string): boolean {
    const before = this.#rows.get(key)
    if (before === undefined) return false
    this.#change(key, before, null)
    return true
  }

  /** Every row in an order by name; `label:KEY` groups by a label. Unknown names give the usual order. A leading `-` turns it round. */
  ordered(name: string): readonly R[] {
    const [usual = ''] = Object.keys(this.kind.orders)
    const known = this.#comparator(name) === undefined ? usual : name
    let order = this.#orders.get(known)
    if (order === undefined) {
      order = new RowOrder(this.kind.key, this.#comparator(known) ?? (() => 0))
      for (const row of this.#rows.values()) order.change(null, row)
    }
    this.#orders.delete(known)
    this.#orders.set(known, order)
    const [oldest] = this.#orders.keys()
    if (this.#orders.size > ORDERS_KEPT && oldest !== undefined) this.#orders.delete(oldest)
    return order.rows()
  }

  #comparator(name: string): ((a: R, b: R) => number) | undefined {
    if (name.startsWith('-')) {
      const forward = this.#comparator(name.slice(1))
      return forward === undefined ? undefined : (a, b) => forward(b, a)
    }
    if (Object.hasOwn(this.kind.orders, name)) return this.kind.orders[name]
    const { labels } = this.kind.fields
    if (!name.startsWith('label:') || labels === undefined) return undefined
    const key = name.slice('label:'.length)
    return (a, b) => {
      const [left, right] = [labels(a)[key], labels(b)[key]]
      if (left === right) return 0
      // without the label: last
      if (left === undefined || right === undefined) return left === undefined ? 1 : -1
      return left < right ? -1 : 1
    }
  }

  #change(key: string, before: R | null, after: R | null): void {
    if (after === null) this.#rows.delete(key)
    else this.#rows.set(key, after)
    this.version += 1
    for (const order of this.#orders.values()) order.change(before, after)
    for (const follower of this.#followers) follower(before, after)
  }
}
