/** `npm run bench -- CASE [--json]`: speed, as ratios to something run beside it. Never a test's verdict. */
import { benchConverge } from './bench/converge.ts'
import { benchResident } from './bench/resident.ts'
import { buildAll } from './build.ts'

const CASES: Readonly<Record<string, { readonly what: string; readonly run: () => Promise<void> }>> = {
  converge: {
    what: 'apply to all running for 1, 10 and 50 pods beside the raw engine; agent memory with 10 pods beside bare Node; bundle size',
    run: async () => {
      await benchConverge()
      await benchResident()
    },
  },
  resident: { what: 'agent memory with 10 pods beside bare Node; bundle size', run: benchResident },
}

const name = process.argv[2] ?? ''
const chosen = CASES[name]
if (chosen === undefined) {
  process.stderr.write(
    `bench: name a case:\n${Object.entries(CASES)
      .map(([key, { what }]) => `  ${key}   ${what}`)
      .join('\n')}\n`,
  )
  process.exit(2)
}
await buildAll()
await chosen.run()
process.exit(0)
