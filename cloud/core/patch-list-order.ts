/** In which order the items of a merged list stand: strategic merge patch keeps what both sides say, as far as it can. */

/** How an item is recognised: its merge key, or itself in a list of plain values. Null = cannot be recognised. */
export type IdentityOf = (item: unknown) => string | null

/**
 * Items named in `wanted` come in that order; the others keep their order from `live` and are put back between them: each
 * before the first wanted item that stood after it. Items that only the patch has come before others that cannot be compared.
 */
export function orderItems(
  merged: readonly unknown[],
  wanted: readonly unknown[],
  live: readonly unknown[],
  identityOf: IdentityOf,
): readonly unknown[] {
  const wantedAt = positions(wanted, identityOf)
  const liveAt = positions(live, identityOf)
  const at = (where: ReadonlyMap<string, number>, item: unknown): number | undefined => {
    const identity = identityOf(item)
    return identity === null ? undefined : where.get(identity)
  }
  const rank = (where: ReadonlyMap<string, number>) => (a: unknown, b: unknown) => (at(where, a) ?? live.length) - (at(where, b) ?? live.length)
  const named = merged.filter((item) => at(wantedAt, item) !== undefined).toSorted(rank(wantedAt))
  const others = merged.filter((item) => at(wantedAt, item) === undefined).toSorted(rank(liveAt))
  const ordered: unknown[] = []
  let next = 0
  for (const item of named) {
    const place = at(liveAt, item)
    // one by one: the first of the others that does not stand before this item keeps those after it back as well
    for (let other = others[next]; next < others.length && isBefore(at(liveAt, other), place); other = others[next]) {
      ordered.push(other)
      next += 1
    }
    ordered.push(item)
  }
  return [...ordered, ...others.slice(next)]
}

function isBefore(a: number | undefined, b: number | undefined): boolean {
  return a !== undefined && b !== undefined && a < b
}

/** First position of each identity. */
function positions(items: readonly unknown[], identityOf: IdentityOf): ReadonlyMap<string, number> {
  const found = new Map<string, number>()
  items.forEach((item, index) => {
    const identity = identityOf(item)
    if (identity !== null && !found.has(identity)) found.set(identity, index)
  })
  return found
}

/** True when the patch's items stand in `order`, in the same sequence. An order that names nothing restricts nothing. */
export function followsOrder(items: readonly unknown[], order: readonly unknown[], identityOf: IdentityOf): boolean {
  let next = 0
  for (const place of order) {
    if (next < items.length && identityOf(items[next]) === identityOf(place)) next += 1
  }
  return order.length === 0 || next === items.length
}
