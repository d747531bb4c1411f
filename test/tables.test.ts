/** The limits and the causes are tables that everything speaks through: a row that nothing reads is a promise nobody keeps. */
import { readFileSync } from 'node:fs'
import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { CAUSES } from '../protocol/causes.ts'
import { LIMITS } from '../protocol/limits.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const SOURCES = execFileSync('git', ['ls-files', '-co', '--exclude-standard', 'protocol', 'cloud', 'edge-agent'], { cwd: ROOT, encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.tsx?$/.test(file) && !file.startsWith('protocol/causes-'))
  .map((file) => readFileSync(path.join(ROOT, file), 'utf8'))
  .join('\n')

/** codes that are put together from a prefix and a word */
const COMPOSED = [...SOURCES.matchAll(/`([a-z.-]+\.)\$\{/g)].map((match) => match[1] ?? '')

describe('the tables', () => {
  it('holds no limit that nothing keeps', () => {
    expect(Object.keys(LIMITS).filter((name) => !new RegExp(`LIMITS\\.${name}\\b`).test(SOURCES))).toEqual([])
  })

  it('holds no cause that nothing says', () => {
    const said = (code: string): boolean => SOURCES.includes(`'${code}'`) || COMPOSED.some((prefix) => code.startsWith(prefix))
    expect(Object.keys(CAUSES).filter((code) => !said(code))).toEqual([])
  })
})
