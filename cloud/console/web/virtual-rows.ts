/** Which rows of a long list are on the screen, and which to have ready. Every row has the same height. */

/** Rows drawn above and below the visible ones; a jump of a whole screen shows none of them, so that they are not made for it. */
const AROUND = 6
const AROUND_IN_A_JUMP = 1
/** Windows begin at multiples of this, so that small scrolls ask for nothing. */
const STEP = 50
const READY = 50

export interface Visible {
  readonly first: number
  /** one after the last */
  readonly end: number
}

/** @param cameFrom where the scroll was a moment ago */
export function visibleRows(scrollTop: number, height: number, rowHeight: number, total: number, cameFrom = scrollTop): Visible {
  const around = Math.abs(scrollTop - cameFrom) > height ? AROUND_IN_A_JUMP : AROUND
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - around)
  const end = Math.min(total, Math.ceil((scrollTop + height) / rowHeight) + around)
  return { first: Math.min(first, end), end }
}

export function windowFor({ first, end }: Visible): { readonly offset: number; readonly limit: number } {
  const offset = Math.max(0, Math.floor((first - READY) / STEP) * STEP)
  return { offset, limit: Math.min(300, Math.ceil((end + READY - offset) / STEP) * STEP) }
}

/** Where the scroll must be for a row to be seen whole; null = it is. */
export function scrollFor(index: number, scrollTop: number, height: number, rowHeight: number): number | null {
  const [top, bottom] = [index * rowHeight, (index + 1) * rowHeight]
  if (top < scrollTop) return top
  return bottom > scrollTop + height ? bottom - height : null
}

/** The row that a key leads to from another one; null = not a key of lists. */
export function rowForKey(key: string, from: number, page: number, total: number): number | null {
  const moves: Readonly<Record<string, number>> = {
    ArrowDown: from + 1,
    ArrowUp: from - 1,
    PageDown: from + page,
    PageUp: from - page,
    Home: 0,
    End: total - 1,
  }
  const to = moves[key]
  return to === undefined ? null : Math.max(0, Math.min(total - 1, to))
}

/**
 * Rows in the order they had, as long as they are the same ones: what is under the pointer stays there while what it says is
 * the newest. Other rows than before: the order that was told.
 */
export function heldOrder<R>(held: readonly string[] | null, rows: readonly R[], keyOf: (row: R) => string): readonly R[] {
  if (held === null || held.length !== rows.length) return rows
  const byKey = new Map(rows.map((row) => [keyOf(row), row]))
  const kept = held.flatMap((key) => byKey.get(key) ?? [])
  return kept.length === rows.length ? kept : rows
}

/**
 * Which element of the page shows which row. Elements whose rows left the screen show those that came: making elements costs far
 * more than changing their text.
 *
 * INVARIANTS
 * - A row that stays keeps its element; two rows never share one.
 * - The element that has the focus is never given to another row.
 */
export class RowSlots {
  readonly #slots = new Map<string, number>()
  #made = 0

  /** @param ids of the rows to show @param focused slot with the focus, null = none @returns a slot for each id, in their order */
  assign(ids: readonly string[], focused: number | null): readonly number[] {
    const shown = new Set(ids)
    const free: number[] = []
    for (const [id, slot] of this.#slots) {
      if (shown.has(id)) continue
      this.#slots.delete(id)
      if (slot !== focused) free.push(slot)
    }
    // the last free one is taken first: they then come in the order of the page
    free.sort((a, b) => b - a)
    return ids.map((id) => {
      const known = this.#slots.get(id)
      if (known !== undefined) return known
      const slot = free.pop() ?? (this.#made += 1)
      this.#slots.set(id, slot)
      return slot
    })
  }
}
