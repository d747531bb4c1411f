/** A fleet that is left alone by nobody: the broker is killed and forgets, links are cut, what is wanted changes. Times until all is well again. */
import { Prng } from '../../test/sim/prng.ts'
import { DAEMON_SETS, daemonSet } from './daemon-set.ts'
import type { Fleet } from './fleet.ts'
import { phase } from './phases.ts'
import { allConnect } from './story.ts'
import { until } from './until.ts'

const PATIENCE_MS = 300_000

export async function soak(fleet: Fleet, { minutes, seed }: { readonly minutes: number; readonly seed: number }): Promise<void> {
  const random = new Prng(seed)
  const { names, broker } = fleet
  if (broker === null) throw new Error('the soak needs a broker of its own')
  await phase(fleet, 'all connect', () => allConnect(fleet))
  await phase(fleet, 'one pod on every device', async () => {
    await fleet.api.call('POST', DAEMON_SETS, daemonSet('registry.local/app:0'))
    await inSync(fleet, 'registry.local/app:0')
  })
  const end = performance.now() + minutes * 60_000
  for (let round = 1; performance.now() < end; round += 1) {
    const image = `registry.local/app:${round}-ok`
    const cut = names.filter(() => random.chance(0.2))
    await phase(fleet, `round ${round}: broker killed and wiped`, async () => {
      await broker.stop('SIGKILL')
      // a change that is made while nobody can hear it, and links that are down when the broker comes back
      await change(fleet, image)
      await fleet.cut(cut)
      await new Promise((resolve) => setTimeout(resolve, random.int(1_000, 8_000)))
      broker.start()
      const connected = performance.now()
      await fleet.connect(cut, 5_000)
      await until('connected', PATIENCE_MS, async () => ({ done: (await fleet.progress()).up, of: names.length }))
      process.stdout.write(`    all connected ${((performance.now() - connected) / 1000).toFixed(1)} s after the broker came back\n`)
      await inSync(fleet, image)
      process.stdout.write(`    all in sync ${((performance.now() - connected) / 1000).toFixed(1)} s after the broker came back\n`)
    })
    await new Promise((resolve) => setTimeout(resolve, random.int(25_000, 40_000)))
  }
}

async function change(fleet: Fleet, image: string): Promise<void> {
  await fleet.api.call('PATCH', `${DAEMON_SETS}/app`, { spec: daemonSet(image).spec }, 'application/merge-patch+json')
}

/** Every device runs it, and the cloud has heard so from every one with the newest document. */
async function inSync(fleet: Fleet, image: string): Promise<void> {
  const of = fleet.names.length
  await until('run it', PATIENCE_MS, async () => ({
    done: (await fleet.looks()).filter(({ ready }) => ready.length === 1 && ready[0] === image).length,
    of,
  }))
  await until('are known to run it', PATIENCE_MS, async () => {
    const metrics = await fleet.api.metrics()
    const counts = [
      metrics.value('skerry_device_documents', { state: 'acknowledged' }),
      metrics.value('skerry_devices_converged', {}),
      metrics.value('skerry_workload_instances', { workload: 'DaemonSet/app', phase: 'ready' }),
    ]
    return { done: Math.min(...counts.map((count) => count ?? 0)), of }
  })
}
