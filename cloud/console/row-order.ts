/**
 * Rows kept in one order.
 *
 * INVARIANTS
 * - `rows()` holds each present row once, its newest object, in the order's order.
 * - A change that does not move a row costs one binary search; moved rows are taken out and merged in when somebody looks.
 */
export class RowOrder<R> {
  #sorted: R[] = []
  readonly #out = new Set<R>()
  readonly #in = new Map<string, R>()
  readonly #compare: (a: R, b: R) => number
  readonly #keyOf: (row: R) => string

  constructor(keyOf: (row: R) => string, compare: (a: R, b: R) => number) {
    this.#keyOf = keyOf
    this.#compare = (a, b) => {
      const order = compare(a, b)
      if (order !== 0) return order
      const [left, right] = [keyOf(a), keyOf(b)]
      return left < right ? -1 : left > right ? 1 : 0
    }
  }

  /** @param before the object that was given last for this key, null when there was none */
  change(before: R | null, after: R | null): void {
    const key = this.#keyOf((after ?? before) as R)
    if (this.#in.has(key)) {
      if (after === null) this.#in.delete(key)
      else this.#in.set(key, after)
      return
    }
    if (before !== null) {
      const at = this.#find(before)
      if (at >= 0 && after !== null && this.#compare(before, after) === 0) {
        this.#sorted[at] = after
        return
      }
      if (at >= 0) this.#out.add(before)
    }
    if (after !== null) this.#in.set(key, after)
  }

  rows(): readonly R[] {
    if (this.#out.size + this.#in.size > 0) this.#merge()
    return this.#sorted
  }

  #find(row: R): number {
    let [low, high] = [0, this.#sorted.length - 1]
    while (low <= high) {
      const middle = (low + high) >> 1
      const here = this.#sorted[middle]
      if (here === undefined) return -1
      const order = here === row ? 0 : this.#compare(here, row)
      if (order === 0) return here === row ? middle : -1
      if (order < 0) low = middle + 1
      else high = middle - 1
    }
    return -1
  }

  #merge(): void {
    const fresh = [...this.#in.values()].sort(this.#compare)
    const merged: R[] = []
    let next = 0
    for (const row of this.#sorted) {
      if (this.#out.has(row)) continue
      for (let one = fresh[next]; one !== undefined && this.#compare(one, row) < 0; one = fresh[next]) {
        merged.push(one)
        next += 1
      }
      merged.push(row)
    }
    for (; next < fresh.length; next += 1) {
      const one = fresh[next]
      if (one !== undefined) merged.push(one)
    }
    this.#sorted = merged
    this.#out.clear()
    this.#in.clear()
  }
}
