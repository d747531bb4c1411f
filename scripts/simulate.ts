/**
 * `npm run simulate -- --seed N --runs M`: runs M seeds from N; a failing seed prints its trace and how to repeat it. `--once`: all of them with
 * work that must not run twice, not only those of three in seven seeds.
 */
import { parseArgs } from 'node:util'
import { runOnce } from '../test/sim/simulate.ts'

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: '1' },
    runs: { type: 'string', default: '100' },
    trace: { type: 'boolean', default: false },
    once: { type: 'boolean', default: false },
  },
})
const first = Number(values.seed)
const runs = Number(values.runs)
const started = performance.now()
let virtualMs = 0
let steps = 0
let failed = 0
for (let seed = first; seed < first + runs && failed < 5; seed += 1) {
  const result = await runOnce(seed, values.once ? { once: true } : {})
  virtualMs += result.virtualMs
  steps += result.steps
  if (result.ok && !values.trace) continue
  if (!result.ok) failed += 1
  process.stdout.write(`${result.trace.slice(-400).join('\n')}\nseed ${seed}: ${result.ok ? 'ok' : result.broken}\n`)
  if (!result.ok) process.stdout.write(`repeat: npm run simulate -- --seed ${seed} --runs 1${values.once ? ' --once' : ''}\n\n`)
}
const seconds = (performance.now() - started) / 1000
const hours = (virtualMs / 3_600_000).toFixed(1)
process.stdout.write(
  `simulate: ${runs} runs from seed ${first}, ${hours} virtual hours, ${steps} events, ${seconds.toFixed(1)} s, ${failed} failed\n`,
)
process.exitCode = failed === 0 ? 0 : 1
