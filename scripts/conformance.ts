/**
 * `npm run conformance [suite...]`: holds what we decide to what others decide. Reads the fixtures folder (SKERRY_FIXTURES, default
 * ../shared/fixtures), prints `name: passed/total` for each suite and fails on any miss. Each suite is a file in scripts/conformance/
 * that exports `suite`; a new file there is run without being listed.
 */
import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Suite } from './conformance/suite.ts'

const SUITES = path.join(import.meta.dirname, 'conformance')
const MISSES_SHOWN = 20

async function main(): Promise<number> {
  const fixtures = path.resolve(process.env['SKERRY_FIXTURES'] ?? path.join(import.meta.dirname, '../../shared/fixtures'))
  const asked = process.argv.slice(2)
  const suites = await loadSuites()
  const unknown = asked.filter((name) => !suites.some((suite) => suite.name === name))
  if (unknown.length > 0) {
    console.error(`there is no suite ${unknown.join(', ')}; there are ${suites.map((suite) => suite.name).join(', ')}`)
    return 2
  }
  if (!existsSync(fixtures)) {
    console.error(`there is no fixtures folder ${fixtures}; set SKERRY_FIXTURES`)
    return 2
  }
  let failed = false
  for (const suite of suites) {
    if (asked.length > 0 && !asked.includes(suite.name)) continue
    failed = !(await runSuite(suite, fixtures)) || failed
  }
  return failed ? 1 : 0
}

async function loadSuites(): Promise<readonly Suite[]> {
  const suites: Suite[] = []
  for (const file of readdirSync(SUITES).toSorted()) {
    if (!file.endsWith('.ts') || file === 'suite.ts') continue
    const loaded: { readonly suite?: Suite } = await import(pathToFileURL(path.join(SUITES, file)).href)
    // files beside the suites may be their parts
    if (loaded.suite !== undefined) suites.push(loaded.suite)
  }
  return suites
}

/** true when nothing was missed */
async function runSuite(suite: Suite, fixtures: string): Promise<boolean> {
  if (!suite.needs.some((need) => existsSync(path.join(fixtures, need)))) {
    console.log(`${suite.name}: skipped (no ${suite.needs.join(' or ')} in ${fixtures})`)
    return true
  }
  const { passed, total, misses, notes = [] } = await suite.run(fixtures)
  console.log(`${suite.name}: ${passed}/${total}`)
  for (const note of notes) console.log(`  ${note}`)
  for (const miss of misses.slice(0, MISSES_SHOWN)) console.log(`  MISS ${miss}`)
  if (misses.length > MISSES_SHOWN) console.log(`  ... and ${misses.length - MISSES_SHOWN} more`)
  // a suite whose folder is there but that found no case tested nothing
  return passed === total && total > 0
}

process.exitCode = await main()
