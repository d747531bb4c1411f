/** Writes the generated parts of README.md: the import table. `test/readme.test.ts` fails while they are behind. */
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { ROOT } from './build-agent.ts'
import { renderImportTable } from './import-rules.ts'

const BEGIN = '<!-- import table -->'
const END = '<!-- end of import table -->'

/** The text with the table between its markers brought up to date. */
export function withImportTable(text: string): string {
  const from = text.indexOf(BEGIN)
  const to = text.indexOf(END)
  if (from < 0 || to < from) throw new Error(`README.md has lost its markers ${BEGIN} … ${END}`)
  return `${text.slice(0, from + BEGIN.length)}\n\n${renderImportTable()}\n\n${text.slice(to)}`
}

if (import.meta.main) {
  const file = path.join(ROOT, 'README.md')
  writeFileSync(file, withImportTable(readFileSync(file, 'utf8')))
}
