/** Reconciles many times in one process and prints what the process holds: `tsx scripts/rounds.ts --rounds 100000`. */
import { parseArgs } from 'node:util'
import { longLife } from '../test/fakes/long-life.ts'

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '100000' } } })
const rounds = Number(values.rounds)
const agent = await longLife()
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
for (let tenth = 0; tenth <= 10; tenth += 1) {
  const heap = mib(agent.heap())
  const { rss } = process.memoryUsage()
  process.stdout.write(
    `${String((tenth * rounds) / 10).padStart(8)} rounds: heap ${heap} MiB, RSS ${mib(rss)} MiB, ${agent.running()} containers run\n`,
  )
  if (tenth < 10) await agent.rounds(rounds / 10)
}
