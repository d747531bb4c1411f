/** What `npm run fleet` does with its devices, phase by phase. */
import { DAEMON_SETS, daemonSet } from './daemon-set.ts'
import type { Fleet } from './fleet.ts'
import { phase } from './phases.ts'
import { until } from './until.ts'

export async function runStory(fleet: Fleet, _options: { readonly offlineShare: number; readonly seed: number }): Promise<void> {
  const { names } = fleet
  process.stdout.write(`fleet: ${names.length} devices in ${fleet.workers.length} processes, ${fleet.bad.size} of them bad\n`)
  await phase(fleet, 'all connect', async () => {
    await fleet.connect(names, names.length)
    await until('connected', 300_000, async () => ({ done: (await fleet.counts()).up, of: names.length }))
    await until('known to the cloud', 300_000, async () => ({ done: await nodeCount(fleet), of: names.length }))
  })
  await phase(fleet, 'idle for 10 s', () => new Promise((resolve) => setTimeout(resolve, 10_000)))
  await phase(fleet, 'one pod on every device', async () => {
    await fleet.api.call('POST', DAEMON_SETS, daemonSet('registry.local/app:1'))
    await until('ready', 300_000, async () => ({ done: await readyCount(fleet), of: names.length }))
  })
  await phase(fleet, 'the cloud is killed and started', async () => {
    await fleet.cloud.child.stop('SIGKILL')
    fleet.cloud.child.start()
    await fleet.cloud.ready()
    await until('connected', 300_000, async () => ({ done: (await fleet.counts()).up, of: names.length }))
  })
  await phase(fleet, 'after that, for 10 s', () => new Promise((resolve) => setTimeout(resolve, 10_000)))
}

async function nodeCount(fleet: Fleet): Promise<number> {
  const page = (await fleet.api.call('GET', '/api/v1/nodes?limit=1')) as {
    readonly items: readonly unknown[]
    readonly metadata: { readonly remainingItemCount?: number }
  }
  return page.items.length + (page.metadata.remainingItemCount ?? 0)
}

async function readyCount(fleet: Fleet): Promise<number> {
  const set = await fleet.api.find(`${DAEMON_SETS}/app`)
  return Number(set?.status?.['numberReady'] ?? 0)
}
