/**
 * Every device that a query finds as one byte, grouped by a label: the picture of the whole fleet.
 *
 * INVARIANTS
 * - Whoever holds the bytes of an edition and applies all later changes of that edition holds the newest bytes.
 */
import type { FieldGroup } from './live-protocol.ts'
import type { RowTable } from './row-table.ts'
import { RowView } from './row-view.ts'
import type { DeviceRow } from './view-model.ts'
import { STANDING_ORDER, standingByte } from './vocabulary.ts'

export class DeviceField {
  readonly #view: RowView<DeviceRow>
  readonly #by: string
  readonly #places = new Map<string, number>()
  #bytes = new Uint8Array(0)
  #groups: { readonly label: string; readonly count: number; readonly standings: number[] }[] = []
  /** group of each place */
  #groupOf = new Uint32Array(0)
  #text = ''
  #changes: number[] = []
  edition = 0

  constructor(devices: RowTable<DeviceRow>, query: string, by: string) {
    this.#by = by
    this.#view = new RowView(devices, query, by === '' ? 'name' : `label:${by}`)
  }

  get issues(): readonly string[] {
    return this.#view.issues
  }

  /** Takes in what changed since the last call. @returns true when it waits for a later moment to be made anew */
  refresh(changed: ReadonlyMap<string, DeviceRow | null>, mono: () => number): boolean {
    this.#changes = []
    for (const [key, row] of changed) this.#take(key, row)
    if (this.#changes.length > 0) this.#text = ''
    const before = this.#view.edition
    const waits = this.#view.refresh(mono)
    if (this.#view.edition !== before && !this.#unchanged()) this.#make()
    return waits
  }

  groups(): readonly FieldGroup[] {
    return this.#groups
  }

  /** pairs of place and byte since the refresh before the last */
  changes(): readonly number[] {
    return this.#changes
  }

  /** base64 */
  bytes(): string {
    if (this.#text === '' && this.#bytes.length > 0) this.#text = Buffer.from(this.#bytes).toString('base64')
    return this.#text
  }

  #take(key: string, row: DeviceRow | null): void {
    const place = this.#places.get(key)
    if (place === undefined || row === null) return
    const [before, now] = [this.#bytes[place] ?? 0, standingByte(row.standing)]
    if (before === now) return
    this.#bytes[place] = now
    this.#changes.push(place, now)
    const standings = this.#groups[this.#groupOf[place] ?? 0]?.standings
    if (standings === undefined) return
    standings[before] = (standings[before] ?? 1) - 1
    standings[now] = (standings[now] ?? 0) + 1
  }

  /** The same devices in the same order: the bytes are right already. */
  #unchanged(): boolean {
    const rows = this.#view.all()
    return (
      this.edition > 0 &&
      rows.length === this.#places.size &&
      rows.every((row, at) => this.#places.get(row.name) === at && this.#label(row) === this.#groups[this.#groupOf[at] ?? 0]?.label)
    )
  }

  #make(): void {
    const rows = this.#view.all()
    this.edition += 1
    this.#changes = []
    this.#text = ''
    this.#places.clear()
    this.#bytes = new Uint8Array(rows.length)
    this.#groupOf = new Uint32Array(rows.length)
    this.#groups = []
    let last: { label: string; count: number; standings: number[] } | null = null
    rows.forEach((row, at) => {
      const label = this.#label(row)
      if (last === null || last.label !== label) {
        last = { label, count: 0, standings: STANDING_ORDER.map(() => 0) }
        this.#groups.push(last)
      }
      const byte = standingByte(row.standing)
      last.count += 1
      last.standings[byte] = (last.standings[byte] ?? 0) + 1
      this.#places.set(row.name, at)
      this.#bytes[at] = byte
      this.#groupOf[at] = this.#groups.length - 1
    })
  }

  #label(row: DeviceRow): string {
    return this.#by === '' ? '' : (row.labels[this.#by] ?? '')
  }
}
