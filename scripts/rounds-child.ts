/** `rounds-child.ts ROUNDS`: reconciles that often and prints what this process holds. Node reads it by itself: a loader would be measured. */
import { longLife } from '../test/fakes/long-life.ts'

const rounds = Number(process.argv[2])
const agent = await longLife()
const mib = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)
for (let tenth = 0; tenth <= 10; tenth += 1) {
  const heap = mib(agent.heap())
  const rss = mib(process.memoryUsage.rss())
  const done = String((tenth * rounds) / 10).padStart(8)
  process.stdout.write(`${done} rounds: heap ${heap} MiB, RSS ${rss} MiB, ${agent.running()} containers run, ${agent.observations()} looks\n`)
  if (tenth < 10) await agent.rounds(rounds / 10)
}
