/**
 * A table of any length: only rows on the screen are in the page.
 *
 * INVARIANTS
 * - The row with the focus stays in the page when it is scrolled out, so that the focus is never lost.
 */
import type { ComponentChildren, RefObject } from 'preact'
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks'
import { useNarrow } from '../use-narrow.ts'
import { RowSlots, heldOrder, rowForKey, scrollFor, visibleRows, windowFor } from '../virtual-rows.ts'

export interface TableColumn<R> {
  readonly title: string
  /** name of the order that a click on the title gives; absent = none */
  readonly sort?: string
  /** share of the width, as in CSS grid */
  readonly width: string
  readonly num?: boolean
  cell(row: R): ComponentChildren
}

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
    onFocus(index: number, slot: number | null) {
      focusedSlot.current = slot
      const row = rowAt(index)
      kept.current = row === undefined ? null : { index, row }
    },
  }
}

export function VirtualTable<R>(props: VirtualTableProps<R>) {
  const { label, columns, total, onWindow } = props
  const { rows, onPointer } = useHeldOrder(props)
  const rowHeight = useNarrow() ? NARROW : WIDE
  const body = useRef<HTMLDivElement>(null)
  const [view, setView] = useState({ top: 0, height: 600 })
  const { focused, setFocused, moveTo } = useFocus(body)
  const { rowAt, slotsFor, onFocus } = useElements(props, rows)
  const visible = visibleRows(view.top, view.height, rowHeight, total)
  const window = windowFor(visible)
  useEffect(() => onWindow(window), [window.offset, window.limit])
  const look = (): void => {
    if (body.current === null) return
    const { scrollTop: top, clientHeight: height } = body.current
    const next = visibleRows(top, height, rowHeight, total)
    // within the rows that are drawn already there is nothing to do
    if (next.first !== visible.first || next.end !== visible.end || height !== view.height) setView({ top, height })
  }
  useLayoutEffect(look, [total, rowHeight])
  const onKeyDown = (event: KeyboardEvent): void => {
    const element = body.current
    const to = element === null ? null : rowForKey(event.key, focused ?? visible.first, Math.floor(view.height / rowHeight), total)
    if (element === null || to === null || total === 0) return
    event.preventDefault()
    moveTo(to)
    const scroll = scrollFor(to, element.scrollTop, element.clientHeight, rowHeight)
    if (scroll !== null) element.scrollTop = scroll
  }
  const indexes = Array.from({ length: visible.end - visible.first }, (_, at) => visible.first + at)
  if (focused !== null && focused < total && (focused < visible.first || focused >= visible.end)) indexes.push(focused)
  const places = slotsFor(indexes)
  const onRowFocus = (index: number, slot: number | null): void => {
    onFocus(index, slot)
    if (slot !== null) setFocused(index)
  }
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
          {indexes.map((index, at) => {
            const row = { row: rowAt(index), index, rowHeight, columns, hrefOf: props.hrefOf }
            return <Row key={places[at]} {...row} onFocus={(has) => onRowFocus(index, has ? (places[at] ?? null) : null)} />
          })}
        </div>
      </div>
    </div>
  )
}

function idOf<R>(index: number, row: R | undefined, keyOf: (row: R) => string): string {
  return row === undefined ? `at ${index}` : `row ${keyOf(row)}`
}

function Head<R>({ columns, sort, onSort }: VirtualTableProps<R>) {
  return (
    <div class="vt-head" role="rowgroup">
      <div class="vt-row" role="row" aria-rowindex={1}>
        {columns.map((column) => {
          const order = column.sort
          const turned = order !== undefined && sort === `-${order}`
          const here = turned || (order !== undefined && sort === order)
          return (
            <div
              key={column.title}
              role="columnheader"
              class={column.num === true ? 'num' : ''}
              aria-sort={here ? (turned ? 'descending' : 'ascending') : undefined}
            >
              {order === undefined ? (
                column.title
              ) : (
                <button type="button" class="sort" onClick={() => onSort(here && !turned ? `-${order}` : order)}>
                  {column.title}
                  <span aria-hidden="true">{here ? (turned ? ' ↓' : ' ↑') : ''}</span>
                </button>
              )}
            </div>
          )
        })}
      </div>
    </div>
  )
}

interface RowProps<R> extends Pick<VirtualTableProps<R>, 'columns' | 'hrefOf'> {
  /** undefined = the cloud has not told it yet */
  readonly row: R | undefined
  readonly index: number
  readonly rowHeight: number
  onFocus(has: boolean): void
}

/** The same elements for a row and for the place of one that is waited for: a fast scroll only moves them. */
function Row<R>({ row, index, rowHeight, columns, hrefOf, onFocus }: RowProps<R>) {
  return (
    <div
      class={row === undefined ? 'vt-row vt-waiting' : 'vt-row'}
      role="row"
      aria-rowindex={index + 2}
      style={{ transform: `translateY(${index * rowHeight}px)`, height: `${rowHeight}px` }}
      onFocusIn={() => onFocus(true)}
      onFocusOut={() => onFocus(false)}
    >
      {columns.map((column, place) => (
        <div
          key={column.title}
          role={place === 0 && row !== undefined ? 'rowheader' : 'cell'}
          class={column.num === true ? 'num' : ''}
          data-label={column.title}
        >
          {row === undefined ? <span aria-hidden="true" /> : place === 0 ? <a href={hrefOf(row)}>{column.cell(row)}</a> : column.cell(row)}
        </div>
      ))}
    </div>
  )
}
