/** What `npm run fleet` does with its devices, phase by phase. */
import type { Fleet } from './fleet.ts'
import { phase } from './phases.ts'
import { until } from './until.ts'

const DAEMON_SETS = '/apis/apps/v1/namespaces/default/daemonsets'

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

export function daemonSet(image: string): unknown {
  return {
    apiVersion: 'apps/v1',
    kind: 'DaemonSet',
    metadata: { name: 'app' },
    spec: {
      selector: { matchLabels: { app: 'app' } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: '100%' } },
      template: {
        metadata: { labels: { app: 'app' } },
        spec: {
          terminationGracePeriodSeconds: 1,
          containers: [{ name: 'main', image, resources: { requests: { cpu: '10m', memory: '16Mi' }, limits: { memory: '32Mi' } } }],
        },
      },
    },
  }
}
