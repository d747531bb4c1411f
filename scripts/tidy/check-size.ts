/** File, line and function size. */
import { lineAt, walk } from './read-sources.ts'
import type { Finding, Source } from './read-sources.ts'

export const FILE_LINES_MAX = 250
export const FUNCTION_LINES_MAX = 70
export const LINE_COLUMNS_MAX = 160

const FUNCTIONS = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'])

export function checkSize(source: Source): readonly Finding[] {
  const { file, text, program } = source
  const findings: Finding[] = []
  const lines = text.split('\n')
  const isTest = file.startsWith('test/')
  if (!isTest && lines.length - 1 > FILE_LINES_MAX)
    findings.push({
      file,
      line: FILE_LINES_MAX,
      rule: 'file-size',
      message: `${lines.length - 1} lines, at most ${FILE_LINES_MAX}: it answers two questions; split it by question`,
    })
  lines.forEach((line, index) => {
    if (line.length > LINE_COLUMNS_MAX)
      findings.push({ file, line: index + 1, rule: 'line-width', message: `${line.length} columns, at most ${LINE_COLUMNS_MAX}` })
  })
  if (isTest) return findings
  walk(program, (node) => {
    if (!FUNCTIONS.has(node.type)) return
    const from = lineAt(text, node.start)
    const length = lineAt(text, node.end) - from + 1
    if (length > FUNCTION_LINES_MAX)
      findings.push({ file, line: from, rule: 'function-size', message: `${length} lines, at most ${FUNCTION_LINES_MAX}: name its parts` })
  })
  return findings
}
