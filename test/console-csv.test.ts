/** Lists as files: whole, as filtered, and harmless to whoever opens them in a spreadsheet. */
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { csvColumns } from '../cloud/console/csv-columns.ts'
import { csvLine, csvPieces } from '../cloud/console/csv.ts'
import { fleetTables } from '../cloud/console/fleet-tables.ts'
import { pretendDevice } from './fixtures/console-devices.ts'

it('never begins a cell like a formula, and gives every text back whole', () => {
  for (const evil of ['=1+1', '+1', '-1', '@x', '\t=1', ' =cmd|x', '\r=1', '＝1', '|calc'])
    expect(read(csvLine([evil]))[0]?.[0]?.startsWith(`'`), JSON.stringify(evil)).toBe(true)
  const harmless = (text: string): boolean => !/^\s*[=+\-@|%＝＋－＠]/.test(text)
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: fc.constantFrom('=', '-', '"', ',', ';', '\n', '\r', "'", ' ', '\t', 'a', 'é') }), { minLength: 1 }),
      (cells) => {
        const [back, more] = read(csvLine(cells))
        expect(more).toBeUndefined()
        expect(back?.length).toBe(cells.length)
        back?.forEach((text, at) => {
          expect(text === cells[at] || text === `'${cells[at] ?? ''}`).toBe(true)
          expect(harmless(text)).toBe(true)
        })
      },
    ),
  )
  expect(csvLine([-5, 0.25, null, 'x'])).toBe('-5,0.25,,x\r\n')
})

it('has one line a row under its titles, in pieces', () => {
  const { devices } = fleetTables(() => 0)
  for (let at = 0; at < 1201; at += 1) devices.put(pretendDevice(`gw-${String(at).padStart(4, '0')}`, { labels: { site: `=s-${at % 3}` } }))
  const pieces = [...csvPieces(csvColumns(['site']).devices, devices.ordered('name'))]
  const [titles, ...rows] = read(pieces.join(''))
  expect(pieces.length).toBe(4)
  expect(titles?.at(-1)).toBe('label site')
  expect(rows.length).toBe(1201)
  expect(rows[1200]?.[0]).toBe('gw-1200')
  expect(rows[0]?.at(-1)).toBe(`'=s-0`)
})

/** As RFC 4180 has it. */
function read(text: string): readonly (readonly string[])[] {
  const rows: string[][] = []
  let [row, cell, quoted]: [string[], string, boolean] = [[], '', false]
  for (let at = 0; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (quoted && char === '"' && text[at + 1] === '"') {
      cell += '"'
      at += 1
    } else if (char === '"' && (quoted || cell === '')) quoted = !quoted
    else if (!quoted && char === ',') {
      row.push(cell)
      cell = ''
    } else if (!quoted && char === '\r' && text[at + 1] === '\n') {
      rows.push([...row, cell])
      ;[row, cell] = [[], '']
      at += 1
    } else cell += char
  }
  return rows
}
