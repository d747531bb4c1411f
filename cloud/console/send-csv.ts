/** A whole list as a file: what the filter finds, in the order that is seen. Sent as fast as it is taken, a piece at a time. */
import { once } from 'node:events'
import type { ServerResponse } from 'node:http'
import { csvColumns } from './csv-columns.ts'
import type { CsvColumn } from './csv.ts'
import { csvPieces } from './csv.ts'
import type { FleetTables } from './fleet-tables.ts'
import { RowView } from './row-view.ts'
import type { RowTable } from './row-table.ts'
import type { TableName } from './view-model.ts'

export interface CsvAsked {
  readonly table: TableName
  readonly query: string
  readonly sort: string
}

/** @returns a sentence when it cannot be made; nothing was sent then */
export async function sendCsv(
  response: ServerResponse,
  tables: FleetTables,
  { table, query, sort }: CsvAsked,
  nowMs: number,
): Promise<string | null> {
  const labels = tables.tally.groupingLabels().map(({ key }) => key)
  const rows = rowsOf(tables[table] as RowTable<unknown>, query, sort)
  // a word that means nothing hides nothing: such a file would hold more than was asked for
  if (typeof rows === 'string') return rows
  const day = new Date(nowMs).toISOString().slice(0, 10)
  response.writeHead(200, {
    'content-type': 'text/csv; charset=utf-8',
    'content-disposition': `attachment; filename="skerry-${table}-${day}.csv"`,
    'cache-control': 'no-store',
    'x-content-type-options': 'nosniff',
  })
  for (const piece of csvPieces(csvColumns(labels)[table] as readonly CsvColumn<unknown>[], rows)) {
    if (response.destroyed) return null
    if (!response.write(piece)) await Promise.race([once(response, 'drain'), once(response, 'close')])
  }
  response.end()
  return null
}

function rowsOf<R>(table: RowTable<R>, query: string, sort: string): readonly R[] | string {
  const view = new RowView(table, query, sort)
  if (view.issues.length > 0) return view.issues.join(' ')
  view.refresh(() => 0)
  return view.window(0, view.total)
}
