/** The style guide as a failing check: `npm run tidy`. Prints file:line, the rule, and what is allowed. */
import path from 'node:path'
import { fileURLToPath } from 'node:url'
import { checkBanned } from './tidy/check-banned.ts'
import { checkImports } from './tidy/check-imports.ts'
import { checkSize } from './tidy/check-size.ts'
import { readSources } from './tidy/read-sources.ts'
import type { Finding, Source } from './tidy/read-sources.ts'

export function tidySources(sources: readonly Source[]): readonly Finding[] {
  return [...checkImports(sources), ...sources.flatMap(checkSize), ...sources.flatMap(checkBanned)]
}

export function renderFindings(findings: readonly Finding[]): string {
  return findings.map((item) => `${item.file}:${item.line}  ${item.rule}  ${item.message}`).join('\n')
}

const ROOT = path.resolve(path.dirname(fileURLToPath(import.meta.url)), '..')

export function tidyRepository(): readonly Finding[] {
  return tidySources(readSources(ROOT))
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const findings = tidyRepository()
  if (findings.length > 0) process.stdout.write(`${renderFindings(findings)}\n`)
  process.stdout.write(`tidy: ${findings.length} findings\n`)
  process.exitCode = findings.length === 0 ? 0 : 1
}
