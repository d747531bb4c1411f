/** The import table, library owners, cycles, dead files and folder names. */
import { builtinModules } from 'node:module'
import { ENTRY_POINTS, LIBRARY_OWNERS, ruleFor } from '../import-rules.ts'
import type { Finding, Source } from './read-sources.ts'

const DRAWERS = /(^|\/)(utils?|common|helpers?|lib|shared|misc)(\/|\.tsx?$)/

export function checkImports(sources: readonly Source[]): readonly Finding[] {
  return [...sources.flatMap(checkFile), ...cycles(sources), ...deadFiles(sources)]
}

function checkFile(source: Source): readonly Finding[] {
  const { file } = source
  const findings: Finding[] = []
  const rule = ruleFor(file)
  const isTool = file.startsWith('scripts/') || file.startsWith('test/') || file.endsWith('.config.ts')
  if (DRAWERS.test(file))
    findings.push({
      file,
      line: 1,
      rule: 'folder-name',
      message: 'utils, common, helpers, lib, shared and misc are not names; put it beside its only user or give it a domain name',
    })
  if (rule === undefined) {
    if (!file.endsWith('.config.ts'))
      findings.push({ file, line: 1, rule: 'import-table', message: 'this folder has no row in scripts/import-rules.ts; add one or move the file' })
    return findings
  }
  for (const { target, file: to, line } of source.imports) {
    if (to !== null) {
      const allowed = to.startsWith(rule.from) || rule.may.some((prefix) => to.startsWith(prefix))
      if (!allowed)
        findings.push({
          file,
          line,
          rule: 'import-table',
          message: `may not import ${to}; ${rule.from} may import ${[rule.from, ...rule.may].join(', ')}`,
        })
      if (!isTool && /^(scripts|test)\//.test(to))
        findings.push({ file, line, rule: 'import-table', message: `nobody imports ${to}: scripts and tests are leaves` })
      if (!/\.(tsx?|json|css)$/.test(to)) findings.push({ file, line, rule: 'import-extension', message: `write the extension: ${target}.ts` })
      continue
    }
    findings.push(...packageFindings(file, target, line, rule.packages, isTool))
  }
  return findings
}

function packageFindings(file: string, target: string, line: number, packages: readonly string[], isTool: boolean): readonly Finding[] {
  if (isTool) return []
  const name = target.startsWith('@')
    ? target.split('/').slice(0, 2).join('/')
    : target.startsWith('node:')
      ? target
      : (target.split('/')[0] ?? target)
  const findings: Finding[] = []
  if (!target.startsWith('node:') && builtinModules.includes(target))
    findings.push({ file, line, rule: 'import-table', message: `write node:${target}` })
  const allowed =
    packages.includes('*') || packages.includes(name) || packages.includes(target) || (target.startsWith('node:') && packages.includes('node:'))
  if (!allowed)
    findings.push({ file, line, rule: 'import-table', message: `may not import ${target}; allowed packages here: ${packages.join(', ') || 'none'}` })
  const owners = LIBRARY_OWNERS[name]
  if (owners !== undefined && !owners.some((owner) => file === owner || (owner.endsWith('/') && file.startsWith(owner)))) {
    findings.push({ file, line, rule: 'library-owner', message: `${name} has one owner: ${owners.join(', ')}; go through its port` })
  }
  return findings
}

function cycles(sources: readonly Source[]): readonly Finding[] {
  const graph = new Map(sources.map((source) => [source.file, source.imports.flatMap((item) => (item.file === null ? [] : [item.file]))]))
  const done = new Set<string>()
  const findings: Finding[] = []
  const visit = (file: string, trail: readonly string[]): void => {
    const at = trail.indexOf(file)
    if (at >= 0) {
      findings.push({
        file,
        line: 1,
        rule: 'cycle',
        message: `imports itself through ${[...trail.slice(at), file].join(' -> ')}; move what both need into a third file`,
      })
      return
    }
    if (done.has(file)) return
    for (const next of graph.get(file) ?? []) visit(next, [...trail, file])
    done.add(file)
  }
  for (const file of graph.keys()) visit(file, [])
  return findings
}

function deadFiles(sources: readonly Source[]): readonly Finding[] {
  const imported = new Set(sources.flatMap((source) => source.imports.map((item) => item.file)))
  return sources
    .filter(({ file }) => !imported.has(file) && !ENTRY_POINTS.some((entry) => entry.test(file)))
    .map(({ file }) => ({
      file,
      line: 1,
      rule: 'dead-file',
      message: 'nothing imports this file and it is no entry point (scripts/import-rules.ts); delete it or use it',
    }))
}
