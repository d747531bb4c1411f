/** A built cloud and many pretend devices on this machine, over real MQTT. Everything started is ended by `destroy`. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Prng } from '../../test/sim/prng.ts'
import { freePort } from '../quickstart/free-port.ts'
import { Child } from '../testbed/child.ts'
import { createCloud } from '../testbed/cloud-process.ts'
import type { CloudProcess } from '../testbed/cloud-process.ts'
import { CloudApi } from './cloud-api.ts'
import type { DeviceLook, NewDevice, Progress, Temper, Traffic } from './messages.ts'
import { Worker } from './workers.ts'

export interface FleetOptions {
  readonly devices: number
  /** share of devices on which images that match `badImages` do not run: half crash, half cannot be pulled */
  readonly badShare: number
  readonly badImages: string
  readonly seed: number
  readonly workers: number
  /** upper bounds of what an engine call and a pull take */
  readonly slowMs: number
  readonly pullMs: number
  /** where the cloud leaves its CPU profile; null = none */
  readonly profileDir: string | null
  /** the broker inside the cloud, or Mosquitto beside it, which forgets everything when it is stopped */
  readonly broker: 'embedded' | 'mosquitto'
}

export interface Fleet {
  readonly dir: string
  readonly cloud: CloudProcess
  /** null = it is in the cloud */
  readonly broker: Child | null
  readonly api: CloudApi
  readonly workers: readonly Worker[]
  readonly names: readonly string[]
  /** devices that cannot run images that match `badImages` */
  readonly bad: ReadonlySet<string>
  /** opens links, spread over that time */
  connect(names: readonly string[], overMs: number): Promise<void>
  cut(names: readonly string[]): Promise<void>
  /** what comes after the documents that devices hold now counts as `beyond` */
  mark(): Promise<void>
  /** sums over all devices */
  progress(): Promise<Progress>
  traffic(): Promise<Traffic>
  /** the truth, from the devices themselves */
  looks(): Promise<readonly DeviceLook[]>
  destroy(): Promise<void>
}

/** Requests for join documents in flight. */
const JOINING = 16

/** Builds are expected in dist/. Devices are made and booted, and connect only when `connect` says so. */
export async function createFleet(options: FleetOptions): Promise<Fleet> {
  const dir = mkdtempSync(path.join(tmpdir(), 'skerry-fleet-'))
  const profile = options.profileDir === null ? {} : { NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${options.profileDir}` }
  const outside = options.broker === 'mosquitto' ? await mosquitto(dir) : null
  outside?.child.start()
  const cloud = await createCloud(dir, outside === null ? null : { url: outside.url, username: '', password: '' }, [], profile)
  const url = outside?.url ?? `mqtt://127.0.0.1:${cloud.ports.mqtt}`
  const workers: Worker[] = []
  const destroy = async (): Promise<void> => {
    await Promise.all(workers.map((worker) => worker.end()))
    await cloud.child.stop()
    await outside?.child.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    cloud.child.start()
    await cloud.ready()
    const api = new CloudApi(cloud)
    for (let index = 0; index < options.workers; index += 1) workers.push(new Worker())
    const names = Array.from({ length: options.devices }, (_, index) => `edge-${String(index + 1).padStart(5, '0')}`)
    const tempers = tempersOf(names, options)
    await join(names, tempers, options, { api, url, workers })
    const each = (wanted: readonly string[], ask: (worker: Worker, mine: readonly string[]) => Promise<unknown>): Promise<unknown> => {
      const set = new Set(wanted)
      return Promise.all(
        workers.map((worker) =>
          ask(
            worker,
            worker.names.filter((name) => set.has(name)),
          ),
        ),
      )
    }
    return {
      dir,
      cloud,
      broker: outside?.child ?? null,
      api,
      workers,
      names,
      bad: new Set(names.filter((name) => tempers.get(name)?.bad !== 'never')),
      connect: async (wanted, overMs) => void (await each(wanted, (worker, mine) => worker.ask({ kind: 'connect', names: mine, overMs }))),
      cut: async (wanted) => void (await each(wanted, (worker, mine) => worker.ask({ kind: 'cut', names: mine }))),
      mark: async () => void (await Promise.all(workers.map((worker) => worker.ask({ kind: 'mark' })))),
      progress: async () => (await Promise.all(workers.map((worker) => worker.progress()))).reduce(summedProgress),
      traffic: async () => (await Promise.all(workers.map((worker) => worker.traffic()))).reduce(summedTraffic),
      looks: async () => (await Promise.all(workers.map((worker) => worker.look()))).flat(),
      destroy,
    }
  } catch (error) {
    await destroy()
    throw error
  }
}

/** With its usual queues it would drop what a fleet says at once. */
async function mosquitto(dir: string): Promise<{ readonly child: Child; readonly url: string }> {
  const port = await freePort(0)
  const config = path.join(dir, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'max_queued_messages 200000',
    'max_inflight_messages 1000',
  ]
  writeFileSync(config, `${lines.join('\n')}\nset_tcp_nodelay true\n`)
  return { child: new Child('mosquitto', ['mosquitto', '-c', config], path.join(dir, 'mosquitto.log')), url: `mqtt://127.0.0.1:${port}` }
}

function summedProgress(a: Progress, b: Progress): Progress {
  return { up: a.up + b.up, converged: a.converged + b.converged, beyond: a.beyond + b.beyond }
}

function summedTraffic(a: Traffic, b: Traffic): Traffic {
  return {
    messages: { up: a.messages.up + b.messages.up, down: a.messages.down + b.messages.down },
    bytes: { up: a.bytes.up + b.bytes.up, down: a.bytes.down + b.bytes.down },
  }
}

/** Which devices are bad is decided by the seed alone. */
function tempersOf(names: readonly string[], options: FleetOptions): ReadonlyMap<string, Temper> {
  const random = new Prng(options.seed)
  const order = names.map((name) => ({ name, at: random.next() })).toSorted((a, b) => a.at - b.at)
  const bad = new Map(
    order.slice(0, Math.round(options.badShare * names.length)).map(({ name }, index) => [name, index % 2 === 0 ? 'crash' : 'no-image'] as const),
  )
  const { slowMs, pullMs, badImages } = options
  return new Map(names.map((name) => [name, { slowMs, pullMs, badImages, bad: bad.get(name) ?? 'never' }]))
}

async function join(
  names: readonly string[],
  tempers: ReadonlyMap<string, Temper>,
  { seed }: FleetOptions,
  { api, url, workers }: { readonly api: CloudApi; readonly url: string; readonly workers: readonly Worker[] },
): Promise<void> {
  const made: NewDevice[] = []
  let next = 0
  const one = async (): Promise<void> => {
    for (let index = next++; index < names.length; index = next++) {
      const name = names[index] ?? ''
      const { tenant, username, password, trustedKeys } = await api.join(name)
      const temper = tempers.get(name)
      if (temper !== undefined) made[index] = { name, temper, seed: seed * 1_000_003 + index, join: { url, tenant, username, password, trustedKeys } }
    }
  }
  await Promise.all(Array.from({ length: JOINING }, one))
  await Promise.all(workers.map((worker, index) => worker.add(made.filter((_, at) => at % workers.length === index))))
}
