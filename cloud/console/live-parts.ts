/**
 * Answers to wishes. Lists and fields that several tabs ask for are made once.
 *
 * INVARIANTS
 * - `Sent` is what a tab holds of one wish: a part says only what differs from it, and null says that nothing does.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { DeviceField } from './device-field.ts'
import type { FleetTables } from './fleet-tables.ts'
import type { FieldPart, FieldWish, ListPart, ListWish, MapPart, MapWish, Parts, Wish } from './live-protocol.ts'
import { mapPart } from './fleet-map.ts'
import { RowView } from './row-view.ts'
import type { DeviceRow, TableName, Tables } from './view-model.ts'

type Row = Tables[TableName]

/** What a tab holds of one wish. */
export interface Sent {
  rows: ReadonlyMap<string, Row>
  text: string
  edition: number
}

export function nothingSent(): Sent {
  return { rows: new Map(), text: '', edition: -1 }
}

/** Parts that are small and made whole each time. */
export type WholeWish = Exclude<Wish, ListWish | FieldWish | MapWish>
export type MakeWhole = (wish: WholeWish) => Parts[WholeWish['part']]

export class LiveParts {
  readonly #tables: FleetTables
  readonly #whole: MakeWhole
  readonly #mono: () => number
  readonly #views = new Map<string, RowView<Row>>()
  readonly #fields = new Map<string, DeviceField>()
  #used = new Set<string>()
  #changed = new Map<string, DeviceRow | null>()

  constructor(tables: FleetTables, whole: MakeWhole, mono: () => number) {
    this.#tables = tables
    this.#whole = whole
    this.#mono = mono
    tables.devices.onChange((before, after) => {
      const name = (after ?? before)?.name
      if (this.#fields.size > 0 && name !== undefined) this.#changed.set(name, after)
    })
  }

  /**
   * Begins a round of answers: fields take in what changed, lists that nobody asked for in the last round are forgotten.
   * @returns true when something waits for a later round
   */
  nextRound(): boolean {
    for (const key of this.#views.keys()) if (!this.#used.has(key)) this.#views.delete(key)
    for (const key of this.#fields.keys()) if (!this.#used.has(key)) this.#fields.delete(key)
    this.#used = new Set()
    let waits = false
    for (const view of this.#views.values()) waits = view.refresh(this.#mono) || waits
    for (const field of this.#fields.values()) waits = field.refresh(this.#changed, this.#mono) || waits
    this.#changed = new Map()
    return waits
  }

  /** @param between the answer is for a new wish between two rounds @returns null when the tab holds it already */
  part(wish: Wish, sent: Sent, between: boolean): Parts[Wish['part']] | null | undefined {
    if (wish.part === 'list') return this.#list(wish, sent) ?? undefined
    if (wish.part === 'field') return this.#field(wish, sent, between) ?? undefined
    if (wish.part === 'map') return this.#map(wish, sent) ?? undefined
    const part = this.#whole(wish)
    const text = JSON.stringify(part)
    if (text === sent.text) return undefined
    sent.text = text
    return part
  }

  #view(table: TableName, query: string, sort: string): RowView<Row> {
    const key = `${table} ${sort} ${query}`
    this.#used.add(key)
    const known = this.#views.get(key)
    if (known !== undefined) return known
    const view = new RowView<Row>(this.#tables[table] as never, query, sort)
    view.refresh(this.#mono)
    this.#views.set(key, view)
    return view
  }

  /** As old as the list of the same question. */
  #map(wish: MapWish, sent: Sent): MapPart | null {
    const view = this.#view('devices', wish.query, 'name')
    if (sent.edition === view.edition) return null
    sent.edition = view.edition
    const part = mapPart(view.all() as readonly DeviceRow[], wish.box, view.issues)
    const text = JSON.stringify(part)
    if (text === sent.text) return null
    sent.text = text
    return part
  }

  #list(wish: ListWish, sent: Sent): ListPart | null {
    const view = this.#view(wish.table, wish.query, wish.sort)
    const offset = Math.max(0, Math.min(wish.offset, view.total))
    const window = view.window(offset, Math.min(LIMITS.consoleRows.value, wish.limit))
    const keyOf = this.#tables[wish.table].kind.key as (row: Row) => string
    const labels = wish.table === 'devices' ? this.#tables.tally.groupingLabels().slice(0, 4) : []
    const head = {
      total: view.total,
      of: this.#tables[wish.table].size,
      offset,
      keys: window.map(keyOf),
      facets: wish.facets ? view.facets(labels.map((one) => one.key)) : [],
      issues: view.issues,
    }
    const rows = window.filter((row) => sent.rows.get(keyOf(row)) !== row)
    const text = JSON.stringify(head)
    if (rows.length === 0 && text === sent.text) return null
    sent.text = text
    sent.rows = new Map(window.map((row) => [keyOf(row), row]))
    return { ...head, rows }
  }

  #field(wish: FieldWish, sent: Sent, between: boolean): FieldPart | null {
    const key = `field ${wish.by} ${wish.query}`
    this.#used.add(key)
    let field = this.#fields.get(key)
    if (field === undefined) {
      field = new DeviceField(this.#tables.devices, wish.query, wish.by)
      field.refresh(new Map(), this.#mono)
      this.#fields.set(key, field)
    }
    if (sent.edition === field.edition) {
      if (between || field.changes().length === 0) return null
      return { changes: field.changes(), groups: field.groups() }
    }
    sent.edition = field.edition
    return { groups: field.groups(), bytes: field.bytes(), issues: field.issues }
  }
}
