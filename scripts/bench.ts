/** `npm run bench -- CASE [--json]`: speed, as ratios to something run beside it. Never a test's verdict. */
import { benchConsole } from './bench/console.ts'
import { benchConverge } from './bench/converge.ts'
import { benchFleet } from './bench/fleet.ts'
import { benchHeal } from './bench/heal.ts'
import { benchIdle } from './bench/idle.ts'
import { benchResident } from './bench/resident.ts'
import { benchSchedule } from './bench/schedule.ts'
import { benchUpdate } from './bench/update.ts'
import { buildAll } from './build.ts'

const CASES: Readonly<Record<string, { readonly what: string; readonly needsBuild?: false; readonly run: () => Promise<void> }>> = {
  converge: {
    what: 'apply to all running for 1, 10 and 50 pods beside the raw engine; agent memory with 10 pods beside bare Node; bundle size',
    run: async () => {
      await benchConverge()
      await benchResident()
    },
  },
  fleet: {
    what: 'one change to 1,000, 3,000 and 10,000 pretend devices beside bare MQTT clients; numbers after it, as 500,2000, choose others',
    run: () => benchFleet(process.argv[3]),
  },
  console: {
    what: 'the console with 100,000 devices: queries, the field, 50 tabs, and frames of a real browser with 10,000 changes a second',
    needsBuild: false,
    run: () => benchConsole(),
  },
  heal: {
    what: 'from the death of a program to its running again, beside a client that waits for that one container',
    run: () => benchHeal(),
  },
  update: {
    what: 'a change to ten pods, in place and by new pods, beside the raw engine making the same ten anew',
    run: () => benchUpdate(),
  },
  idle: {
    what: 'memory with 10 and 50 pods, a day on the wire over TLS and on the disk, a look at 50 pods; a word after it picks memory, day or look',
    run: () => benchIdle(process.argv[3]),
  },
  schedule: {
    what: 'pods per second with durable bindings and no sampling, six shapes; a word after it picks shapes by name',
    needsBuild: false,
    run: () => benchSchedule(process.argv[3]),
  },
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
if (chosen.needsBuild !== false) await buildAll()
await chosen.run()
process.exit(0)
