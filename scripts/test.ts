/** Runs every suite and ends with one line of counts. A suite that could not run is said so, never counted as passed. */
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { ROOT } from './build-agent.ts'

interface Counts {
  passed: number
  failed: number
  skipped: number
}

const total: Counts = { passed: 0, failed: 0, skipped: 0 }
const failures: string[] = []

function run(argv: readonly string[]): Promise<number> {
  const [command = '', ...args] = argv
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'inherit', 'inherit'] })
    child.on('error', () => resolve(127))
    child.on('exit', (code) => resolve(code ?? 1))
  })
}

/** A program whose exit code is the verdict: counts as one test. */
async function check(name: string, argv: readonly string[]): Promise<void> {
  const start = performance.now()
  const code = await run(argv)
  process.stdout.write(`${code === 0 ? 'ok    ' : 'FAILED'}  ${name}  (${((performance.now() - start) / 1000).toFixed(1)} s)\n`)
  total[code === 0 ? 'passed' : 'failed'] += 1
  if (code !== 0) failures.push(name)
}

function notRun(name: string, why: string): void {
  process.stdout.write(`not run  ${name}: ${why}\n`)
  total.skipped += 1
}

async function vitest(...projects: readonly string[]): Promise<void> {
  const name = `vitest ${projects.join(' and ')}`
  const dir = mkdtempSync(path.join(tmpdir(), 'skerry-test-'))
  const output = path.join(dir, 'result.json')
  const code = await run([
    'vitest',
    'run',
    ...projects.flatMap((project) => ['--project', project]),
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${output}`,
  ])
  try {
    const result = JSON.parse(readFileSync(output, 'utf8')) as {
      readonly numPassedTests: number
      readonly numFailedTests: number
      readonly numPendingTests: number
    }
    total.passed += result.numPassedTests
    total.failed += result.numFailedTests
    total.skipped += result.numPendingTests
    if (code !== 0) failures.push(name)
    if (code !== 0 && result.numFailedTests === 0) total.failed += 1
  } catch {
    total.failed += 1
    failures.push(`${name} wrote no result`)
  }
  rmSync(dir, { recursive: true, force: true })
}

async function checkSources(): Promise<void> {
  await check('types', ['tsc', '-p', '.'])
  await check('types of the console', ['tsc', '-p', 'cloud/console/web'])
  await check('types of the field page', ['tsc', '-p', 'edge-agent/local-page/web'])
  await check('lint', ['oxlint', '--type-aware', '--deny-warnings'])
}

async function checkConformance(): Promise<void> {
  const fixtures = process.env['SKERRY_FIXTURES'] ?? path.resolve(ROOT, '../shared/fixtures')
  if (existsSync(fixtures)) await check('conformance', ['tsx', 'scripts/conformance.ts'])
  else notRun('conformance', `there is no ${fixtures}; set SKERRY_FIXTURES`)
}

// two cores: what needs one runs beside another
await Promise.all([checkSources(), check('format', ['prettier', '--check', '--log-level', 'warn', '**/*.ts', '**/*.tsx'])])
await vitest('unit')
await Promise.all([check('200 seeds of the simulation', ['tsx', 'scripts/simulate.ts', '--seed', '1', '--runs', '200']), checkConformance()])
await check('build', ['tsx', 'scripts/build.ts'])
await vitest('real', 'alone')
await check('the bundle starts on arm64', ['tsx', 'scripts/start-arm64.ts'])

for (const name of failures) process.stdout.write(`failed: ${name}\n`)
process.stdout.write(`${total.passed} passed, ${total.failed} failed, ${total.skipped} skipped\n`)
process.exitCode = total.failed === 0 ? 0 : 1
