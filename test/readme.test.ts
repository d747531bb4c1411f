import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { withImportTable } from '../scripts/write-readme.ts'

const ROOT = path.resolve(import.meta.dirname, '..')
const README = readFileSync(path.join(ROOT, 'README.md'), 'utf8')

function packages(): readonly string[] {
  const manifest = JSON.parse(readFileSync(path.join(ROOT, 'package.json'), 'utf8')) as Readonly<Record<string, Readonly<Record<string, string>>>>
  return ['dependencies', 'devDependencies', 'optionalDependencies'].flatMap((field) => Object.keys(manifest[field] ?? {}))
}

describe('the README', () => {
  it.each(packages())('says why %s is there', (name) => {
    const rows = README.split('\n').filter((line) => line.startsWith('|'))
    expect(rows.some((row) => row.includes(`\`${name}\``))).toBe(true)
  })

  it('maps folders that exist, and all of them', () => {
    const mapped = [...README.matchAll(/^\| \[?`([a-z-]+(?:\/[a-z-]+)*)\/`/gm)].map((match) => match[1] ?? '')
    for (const folder of mapped) expect(existsSync(path.join(ROOT, folder)), folder).toBe(true)
    for (const half of ['cloud', 'edge-agent']) {
      const rooms = readdirSync(path.join(ROOT, half), { withFileTypes: true }).filter((entry) => entry.isDirectory())
      for (const room of rooms) expect(mapped, `${half}/${room.name} is missing in the map`).toContain(`${half}/${room.name}`)
    }
  })

  it('prints the import table that is enforced', () => {
    expect(withImportTable(README), 'run: npx tsx scripts/write-readme.ts').toBe(README)
  })

  it('names files that exist', () => {
    for (const match of README.matchAll(/`((?:cloud|edge-agent|protocol|scripts|test)\/[\w./-]+\.[a-z]+)`/g)) {
      expect(existsSync(path.join(ROOT, match[1] ?? '')), match[1]).toBe(true)
    }
  })
})
