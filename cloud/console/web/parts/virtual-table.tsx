/**
 * A table of any length: only rows on the screen are in the page.
 *
 * INVARIANTS
 * - The row with the focus stays in the page when it is scrolled out, so that the focus is never lost.
 */
import type { RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useNarrow } from '../use-narrow.ts'
import { Head, useRows } from './virtual-row.tsx'
import type { Placed, TableColumn } from './virtual-row.tsx'
import { RowSlots, heldOrder, rowForKey, scrollFor, visibleRows, windowFor } from '../virtual-rows.ts'

interface VirtualTableProps<R> {
  readonly label: string
  readonly columns: readonly TableColumn<R>[]
  readonly total: number
  readonly offset: number
  readonly rows: readonly R[]
  keyOf(row: R): string
  /** the first column is a link to this */
  hrefOf(row: R): string
  readonly sort: string
  onSort(sort: string): void
  onWindow(window: { readonly offset: number; readonly limit: number }): void
}

const WIDE = 44
/** on a phone a row is a small sheet of its cells */
const NARROW = 92

/** While the pointer is over the rows they do not change places, so that a click meets what was aimed at. */
function useHeldOrder<R>({ rows, keyOf, offset, sort }: VirtualTableProps<R>) {
  const [over, setOver] = useState(false)
  const held = useRef<{ readonly what: string; readonly keys: readonly string[] } | null>(null)
  const what = `${sort} ${offset}`
  const shown = over && held.current?.what === what ? heldOrder(held.current.keys, rows, keyOf) : rows
  held.current = { what, keys: shown.map(keyOf) }
  return { rows: shown, onPointer: setOver }
}

/** The row that the keyboard is at, and its element once it is there. */
function useFocus(body: RefObject<HTMLDivElement | null>) {
  const [focused, setFocused] = useState<number | null>(null)
  const moving = useRef(false)
  useLayoutEffect(() => {
    if (!moving.current || focused === null) return
    const link = body.current?.querySelector<HTMLElement>(`[aria-rowindex="${focused + 2}"] a`)
    if (link === null || link === undefined) return
    moving.current = false
    link.focus({ preventScroll: true })
  })
  const moveTo = (index: number): void => {
    moving.current = true
    setFocused(index)
  }
  return { focused, setFocused, moveTo }
}

/** Which element shows which row; the row with the focus as it was told last, because the cloud tells only what is on the screen. */
function useElements<R>({ offset, keyOf }: VirtualTableProps<R>, rows: readonly R[]) {
  const slots = useRef(new RowSlots())
  const focusedSlot = useRef<number | null>(null)
  const kept = useRef<{ readonly index: number; readonly row: R } | null>(null)
  const rowAt = (index: number): R | undefined => rows[index - offset] ?? (index === kept.current?.index ? kept.current.row : undefined)
  return {
    rowAt,
    slotsFor: (indexes: readonly number[]) =>
      slots.current.assign(
        indexes.map((index) => idOf(index, rowAt(index), keyOf)),
        focusedSlot.current,
      ),
    onFocus({ index, row, slot }: Placed<R>, has: boolean) {
      focusedSlot.current = has ? slot : null
      kept.current = row === undefined ? null : { index, row }
    },
  }
}

type Window = ReturnType<typeof windowFor>

/** A fast scroll passes many windows that nobody reads: the first is told at once, then one now and then, and where it rests. */
const TELL_MS = 80

function useTold(window: Window, tell: (window: Window) => void): void {
  const toldAt = useRef(-TELL_MS)
  useEffect(() => {
    const now = (): void => {
      toldAt.current = performance.now()
      tell(window)
    }
    const waitMs = toldAt.current + TELL_MS - performance.now()
    if (waitMs <= 0) return now()
    const timer = setTimeout(now, waitMs)
    return () => clearTimeout(timer)
  }, [window.offset, window.limit])
}

/** After a jump the rows around are drawn when the scroll rests. */
const REST_MS = 120

/** What is on the screen: told anew when other rows are, not with each pixel. */
function useScroll(body: RefObject<HTMLDivElement | null>, rowHeight: number, total: number) {
  const [view, setView] = useState({ top: 0, height: 600, before: 0 })
  const [seen, rest] = [useRef(0), useRef<ReturnType<typeof setTimeout>>(undefined)]
  const visible = visibleRows(view.top, view.height, rowHeight, total, view.before)
  const look = (): void => {
    if (body.current === null) return
    const before = seen.current
    const { scrollTop: top, clientHeight: height } = body.current
    const next = visibleRows(top, height, rowHeight, total, before)
    // within the rows that are drawn already there is nothing to do
    if (next.first !== visible.first || next.end !== visible.end || height !== view.height) setView({ top, height, before })
    seen.current = top
    clearTimeout(rest.current)
    if (Math.abs(top - before) > height) rest.current = setTimeout(() => setView({ top, height, before: top }), REST_MS)
  }
  useLayoutEffect(look, [total, rowHeight])
  return { visible, height: view.height, look }
}

export function VirtualTable<R>(props: VirtualTableProps<R>) {
  const { label, columns, total, onWindow } = props
  const { rows, onPointer } = useHeldOrder(props)
  const rowHeight = useNarrow() ? NARROW : WIDE
  const body = useRef<HTMLDivElement>(null)
  const { focused, setFocused, moveTo } = useFocus(body)
  const { rowAt, slotsFor, onFocus } = useElements(props, rows)
  const { visible, height, look } = useScroll(body, rowHeight, total)
  const window = windowFor(visible)
  useTold(window, onWindow)
  const onKeyDown = (event: KeyboardEvent): void => {
    const element = body.current
    const to = element === null ? null : rowForKey(event.key, focused ?? visible.first, Math.floor(height / rowHeight), total)
    if (element === null || to === null || total === 0) return
    event.preventDefault()
    moveTo(to)
    const scroll = scrollFor(to, element.scrollTop, element.clientHeight, rowHeight)
    if (scroll !== null) element.scrollTop = scroll
  }
  const indexes = Array.from({ length: visible.end - visible.first }, (_, at) => visible.first + at)
  if (focused !== null && focused < total && (focused < visible.first || focused >= visible.end)) indexes.push(focused)
  const places = slotsFor(indexes)
  const placed = indexes.map((index, at): Placed<R> => ({ slot: places[at] ?? 0, index, row: rowAt(index) }))
  const elements = useRows(placed, {
    columns,
    rowHeight,
    hrefOf: props.hrefOf,
    onFocus(one, has) {
      onFocus(one, has)
      if (has) setFocused(one.index)
    },
  })
  return (
    <div class="vt" role="table" aria-label={label} aria-rowcount={total + 1} style={{ '--columns': columns.map(({ width }) => width).join(' ') }}>
      <Head {...props} />
      <div
        class="vt-body"
        role="rowgroup"
        ref={body}
        tabIndex={0}
        aria-label={`${label}, rows`}
        onScroll={look}
        onKeyDown={onKeyDown}
        onMouseMove={() => onPointer(true)}
        onMouseLeave={() => onPointer(false)}
      >
        <div class="vt-space" role="presentation" style={{ height: `${total * rowHeight}px` }}>
          {elements}
        </div>
      </div>
    </div>
  )
}

function idOf<R>(index: number, row: R | undefined, keyOf: (row: R) => string): string {
  return row === undefined ? `at ${index}` : `row ${keyOf(row)}`
}
