/** `npm run fleet -- --devices 10000`: pretend gateways (the real agent, a fake engine) over real MQTT against the built cloud. */
import { parseArgs } from 'node:util'
import { buildCloud, buildConsole } from './build.ts'
import { createFleet } from './fleet/fleet.ts'
import { soak } from './fleet/soak.ts'
import { runStory } from './fleet/story.ts'
import { buildAsked } from './fleet/asked-process.ts'

const HELP = `npm run fleet -- [flags]
  --devices N     how many (default 1000)
  --bad PCT       per cent of devices on which the new revision does not run (default 2)
  --offline PCT   per cent of devices that are away while it is rolled out (default 10)
  --seed N        decides which devices are bad or away, and how fast engines are (default 1)
  --workers N     processes that hold the devices (default 2)
  --slow MS       an engine call takes up to this long (default 40); --pull MS the same for pulls (default 400)
  --soak MINUTES  no rollout: changes, cut links, and a broker (Mosquitto) that is killed and forgets everything, again and again
  --profile DIR   leaves a CPU profile of the cloud there
`

const { values } = parseArgs({
  options: {
    devices: { type: 'string', default: '1000' },
    bad: { type: 'string', default: '2' },
    offline: { type: 'string', default: '10' },
    seed: { type: 'string', default: '1' },
    workers: { type: 'string', default: '2' },
    slow: { type: 'string', default: '40' },
    pull: { type: 'string', default: '400' },
    profile: { type: 'string' },
    soak: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})
if (values.help) {
  process.stdout.write(HELP)
  process.exit(0)
}
const number = (flag: 'devices' | 'bad' | 'offline' | 'seed' | 'workers' | 'slow' | 'pull', min: number, max: number): number => {
  const given = Number(values[flag])
  if (Number.isFinite(given) && given >= min && given <= max) return given
  process.stderr.write(`fleet: --${flag} must be a number from ${min} to ${max}, is ${JSON.stringify(values[flag])}\n${HELP}`)
  process.exit(2)
}
const options = {
  devices: number('devices', 1, 50_000),
  badShare: number('bad', 0, 100) / 100,
  badImages: ':2$',
  seed: number('seed', 0, 2 ** 31),
  workers: number('workers', 1, 16),
  slowMs: number('slow', 0, 60_000),
  pullMs: number('pull', 0, 600_000),
  profileDir: values.profile ?? null,
  broker: values.soak === undefined ? ('embedded' as const) : ('mosquitto' as const),
}
const offlineShare = number('offline', 0, 100) / 100
await Promise.all([buildCloud(), buildConsole(), buildAsked('fleet-worker')])
const fleet = await createFleet(options)
let code = 0
process.once('SIGINT', () => void fleet.destroy().then(() => process.exit(130)))
try {
  if (values.soak === undefined) await runStory(fleet, { offlineShare, seed: options.seed })
  else await soak(fleet, { minutes: Number(values.soak), seed: options.seed })
} catch (error) {
  process.stderr.write(`fleet: ${error instanceof Error ? error.message : String(error)}\n${fleet.cloud.child.tail(5)}\n`)
  for (const look of (await fleet.looks()).filter(({ up, converged }) => !up || !converged).slice(0, 5))
    process.stderr.write(`${JSON.stringify(look)}\n`)
  code = 1
}
await fleet.destroy()
process.exit(code)
