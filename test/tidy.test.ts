import { describe, expect, it } from 'vitest'
import { tidyRepository, tidySources, renderFindings } from '../scripts/tidy.ts'
import { parseSource } from '../scripts/tidy/read-sources.ts'

/** The rules a made-up file breaks, without the dead-file rule that every lone sample breaks. */
function broken(file: string, text: string): readonly string[] {
  return tidySources([parseSource(file, text)])
    .map((item) => item.rule)
    .filter((name) => name !== 'dead-file')
}

describe('tidy', () => {
  it('finds nothing in this repository', () => {
    expect(renderFindings(tidyRepository())).toBe('')
  })

  it.each([
    ['cloud imports the agent', 'cloud/store/a.ts', `import { x } from '../../edge-agent/core/plan.ts'\nexport const y = x`, 'import-table'],
    ['core imports a package', 'edge-agent/core/a.ts', `import fs from 'node:fs'\nexport const y = fs`, 'import-table'],
    ['a second owner of dockerode', 'edge-agent/engine/other.ts', `import D from 'dockerode'\nexport const y = D`, 'library-owner'],
    ['the clock in a pure room', 'cloud/core/a.ts', 'export const now = (): number => Date.now()', 'pure-call'],
    ['randomness in a pure room', 'protocol/a.ts', 'export const r = (): number => Math.random()', 'pure-random'],
    ['a promise in a pure room', 'edge-agent/core/a.ts', 'export async function f(): Promise<number> { return 1 }', 'pure-async'],
    ['any', 'scripts/a.ts', 'export const x: any = 1', 'any'],
    ['a non-null assertion', 'scripts/a.ts', 'export const f = (x: string | null): string => x!', 'non-null'],
    ['a drawer', 'cloud/core/utils/a.ts', 'export const x = 1', 'folder-name'],
    ['the environment outside config', 'cloud/store/a.ts', 'export const x = process.env', 'environment'],
    ['a shell string', 'scripts/a.ts', `import { execSync } from 'node:child_process'\nexport const x = execSync('ls')`, 'shell'],
    ['a file of 300 lines', 'scripts/a.ts', 'export const x = 1\n'.repeat(300).replace(/x/g, (_, at: number) => `x${at}`), 'file-size'],
    ['a function of 100 lines', 'scripts/a.ts', `export function f(): void {\n${'  void 0\n'.repeat(100)}}`, 'function-size'],
    ['a default export', 'scripts/a.ts', 'export default 1', 'default-export'],
  ])('refuses %s', (_name, file, text, rule) => {
    expect(broken(file, text)).toContain(rule)
  })

  it('finds a cycle and a dead file', () => {
    const rules = tidySources([
      parseSource('protocol/a.ts', `import { b } from './b.ts'\nexport const a = b`),
      parseSource('protocol/b.ts', `import { a } from './a.ts'\nexport const b = a`),
      parseSource('protocol/c.ts', 'export const c = 1'),
    ]).map((item) => `${item.rule} ${item.file}`)
    expect(rules).toContain('cycle protocol/a.ts')
    expect(rules).toContain('dead-file protocol/c.ts')
  })

  it('lets a pure room show a given time', () => {
    expect(broken('cloud/core/a.ts', 'export const f = (ms: number): string => new Date(ms).toISOString()')).toEqual([])
  })
})
