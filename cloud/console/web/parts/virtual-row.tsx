/** What a table of any length is made of: its head, and rows that are drawn again only when they say or stand somewhere else. */
import type { ComponentChildren, VNode } from 'preact'
import { useRef } from 'preact/hooks'

export interface TableColumn<R> {
  readonly title: string
  /** name of the order that a click on the title gives; absent = none */
  readonly sort?: string
  /** share of the width, as in CSS grid */
  readonly width: string
  readonly num?: boolean
  /** on a phone it has a line of its own below the others */
  readonly below?: boolean
  cell(row: R): ComponentChildren
}

interface HeadProps<R> {
  readonly columns: readonly TableColumn<R>[]
  readonly sort: string
  onSort(sort: string): void
}

export function Head<R>({ columns, sort, onSort }: HeadProps<R>) {
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

/** A row in its place. */
export interface Placed<R> {
  readonly slot: number
  readonly index: number
  /** undefined = the cloud has not told it yet */
  readonly row: R | undefined
}

interface Drawn<R> extends Placed<R> {
  readonly rowHeight: number
  readonly columns: readonly TableColumn<R>[]
  readonly element: VNode
}

/**
 * Draws rows; one that neither moved nor changed is the element that it was, which costs nothing. `hrefOf` and `onFocus` are taken from the
 * time when a row was drawn: they must not depend on anything that changes.
 */
export function useRows<R>(
  placed: readonly Placed<R>[],
  {
    columns,
    rowHeight,
    hrefOf,
    onFocus,
  }: Pick<Drawn<R>, 'columns' | 'rowHeight'> & { hrefOf(row: R): string; onFocus(row: Placed<R>, has: boolean): void },
): readonly VNode[] {
  const drawn = useRef<ReadonlyMap<number, Drawn<R>>>(new Map())
  const now = placed.map((one): Drawn<R> => {
    const old = drawn.current.get(one.slot)
    if (old?.row === one.row && old?.index === one.index && old.rowHeight === rowHeight && old.columns === columns) return old
    const element = <Row key={one.slot} placed={one} rowHeight={rowHeight} columns={columns} hrefOf={hrefOf} onFocus={(has) => onFocus(one, has)} />
    return { ...one, rowHeight, columns, element }
  })
  drawn.current = new Map(now.map((one) => [one.slot, one]))
  return now.map(({ element }) => element)
}

interface RowProps<R> {
  readonly placed: Placed<R>
  readonly columns: readonly TableColumn<R>[]
  readonly rowHeight: number
  hrefOf(row: R): string
  onFocus(has: boolean): void
}

/** The same elements for a row and for the place of one that is waited for: a fast scroll only moves them. */
function Row<R>({ placed: { row, index }, rowHeight, columns, hrefOf, onFocus }: RowProps<R>) {
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
          class={column.num === true ? 'num' : column.below === true ? 'below' : ''}
          data-label={column.title}
        >
          {row === undefined ? <span aria-hidden="true" /> : place === 0 ? <a href={hrefOf(row)}>{column.cell(row)}</a> : column.cell(row)}
        </div>
      ))}
    </div>
  )
}
