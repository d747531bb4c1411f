/** Rows as CSV that spreadsheets open without running anything: RFC 4180, and no cell that begins like a formula. */

/** `null` = the row has none; numbers are written as numbers. */
export type Cell = string | number | null

export interface CsvColumn<R> {
  readonly title: string
  cell(row: R): Cell
}

/** Rows joined before they are handed on: few enough that nobody waits for one piece. */
const PIECE_ROWS = 500

/** The whole text, piece by piece, the titles first. */
export function* csvPieces<R>(columns: readonly CsvColumn<R>[], rows: readonly R[]): Generator<string> {
  yield csvLine(columns.map(({ title }) => title))
  for (let at = 0; at < rows.length; at += PIECE_ROWS)
    yield rows
      .slice(at, at + PIECE_ROWS)
      .map((row) => csvLine(columns.map((column) => column.cell(row))))
      .join('')
}

export function csvLine(cells: readonly Cell[]): string {
  return `${cells.map(csvCell).join(',')}\r\n`
}

/** What Excel, LibreOffice and Sheets take for the beginning of a formula. Names and messages come from devices: they are not to be trusted. */
const FORMULA = /^[=+\-@\t\r\n|%＝＋－＠]/

function csvCell(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const safe = FORMULA.test(cell.trimStart()) || FORMULA.test(cell) ? `'${cell}` : cell
  return /[",\r\n;\t']/.test(safe) || safe !== safe.trim() ? `"${safe.replaceAll('"', '""')}"` : safe
}
