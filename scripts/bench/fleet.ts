/**
 * One change to N devices, acknowledged by all: the real agents over real MQTT on this machine, beside bare MQTT clients of the same
 * number with messages of the same size over the same broker, one after the other in the same run.
 */
import { LIMITS } from '../../protocol/limits.ts'
import { AskedProcess, buildAsked } from '../fleet/asked-process.ts'
import type { BareAnswer, BareAsk } from '../fleet/bare-cloud.ts'
import { createFleet } from '../fleet/fleet.ts'
import type { Fleet } from '../fleet/fleet.ts'
import { costOf, measure } from '../fleet/phases.ts'
import type { PhaseCost } from '../fleet/phases.ts'
import { usedBy } from '../fleet/process-meter.ts'
import { DAEMON_SETS, daemonSet } from '../fleet/daemon-set.ts'
import { until } from '../fleet/until.ts'
import { Worker } from '../fleet/workers.ts'

const SIZES = [1_000, 3_000, 10_000]
const WORKERS = 2

/** @param sizes numbers of devices, separated by commas; default 1000,3000,10000 */
export async function benchFleet(sizes: string | undefined): Promise<void> {
  await Promise.all([buildAsked('fleet-worker'), buildAsked('fleet-bare-cloud')])
  process.stdout.write('\nfleet: one change to N devices, until the cloud knows that each has done it; beside bare MQTT clients of the same number\n')
  for (const devices of sizes?.split(',').map(Number) ?? SIZES) {
    const ours = await change(devices)
    const bare = await floor(devices, ours.documentBytes, ours.reportBytes)
    print(devices, ours, bare)
  }
}

interface Ours {
  readonly seconds: number
  readonly cost: PhaseCost
  readonly documentBytes: number
  readonly reportBytes: number
  readonly cloudKiB: number
  readonly deviceKiB: number
}

async function change(devices: number): Promise<Ours> {
  const options = {
    devices,
    badShare: 0,
    badImages: '^$',
    seed: 1,
    workers: WORKERS,
    slowMs: 0,
    pullMs: 0,
    profileDir: process.env['SKERRY_PROFILE'] ?? null,
    broker: 'embedded' as const,
  }
  const fleet = await createFleet(options)
  try {
    const empty = usedBy(fleet.cloud.child.pid)
    await fleet.connect(fleet.names, 2 * devices)
    await until('connected', 300_000, async () => ({ done: (await fleet.progress()).up, of: devices }))
    await fleet.api.call('POST', DAEMON_SETS, daemonSet('registry.local/app:1'))
    await settled(fleet)
    await fleet.mark()
    const before = await measure(fleet)
    const sums = await messageBytes(fleet)
    await fleet.api.call('PATCH', `${DAEMON_SETS}/app`, { spec: daemonSet('registry.local/app:2').spec }, 'application/merge-patch+json')
    await until('have done it', 300_000, async () => ({ done: (await fleet.progress()).beyond, of: devices }), 100)
    await until('are known to have done it', 300_000, () => known(fleet), 100)
    const after = await measure(fleet)
    const now = await messageBytes(fleet)
    const cost = costOf(before, after)
    return {
      seconds: cost.seconds,
      cost,
      documentBytes: Math.round((now.out - sums.out) / devices),
      reportBytes: Math.round((now.in - sums.in) / Math.max(1, now.reports - sums.reports)),
      cloudKiB: ((after.cloud.rssMiB - empty.rssMiB) * 1024) / devices,
      deviceKiB: (cost.workersRssMiB * 1024) / devices,
    }
  } finally {
    await fleet.destroy()
  }
}

async function messageBytes(fleet: Fleet): Promise<{ readonly out: number; readonly in: number; readonly reports: number }> {
  const metrics = await fleet.api.metrics()
  const bytes = (direction: string, type: string): number => metrics.value('skerry_device_message_bytes_total', { direction, type }) ?? 0
  return {
    out: bytes('out', 'desired'),
    in: bytes('in', 'status'),
    reports: metrics.value('skerry_device_messages_total', { direction: 'in', type: 'status' }) ?? 0,
  }
}

/** Devices of which the cloud has heard that they run what they should, with the newest document. */
async function known(fleet: Fleet): Promise<{ readonly done: number; readonly of: number }> {
  const metrics = await fleet.api.metrics()
  const acknowledged = metrics.value('skerry_device_documents', { state: 'acknowledged' }) ?? 0
  return { done: Math.min(acknowledged, metrics.value('skerry_devices_converged', {}) ?? 0), of: fleet.names.length }
}

/** Everything that was asked for is done and has proven itself on all: what is changed next is left with care, with few devices as with many. */
async function settled(fleet: Fleet): Promise<void> {
  const { length } = fleet.names
  await until('ready', 300_000, async () => ({
    done: Number((await fleet.api.find(`${DAEMON_SETS}/app`))?.status?.['numberReady'] ?? 0),
    of: length,
  }))
  await until('known', 300_000, () => known(fleet))
  await new Promise((resolve) => setTimeout(resolve, LIMITS.revisionStableMs.value + 3_000))
}

interface Floor {
  readonly outSeconds: number
  readonly inSeconds: number
  readonly cpuMs: number
}

async function floor(devices: number, documentBytes: number, reportBytes: number): Promise<Floor> {
  const cloud = new AskedProcess<BareAsk, BareAnswer>('fleet-bare-cloud')
  const workers = Array.from({ length: WORKERS }, () => new Worker())
  try {
    const names = Array.from({ length: devices }, (_, index) => `bare-${index}`)
    const started = await cloud.ask({ kind: 'start', names })
    if (started.kind !== 'started') throw new Error('the bare cloud did not start')
    const each = (ask: (worker: Worker, index: number) => Promise<unknown>): Promise<unknown> => Promise.all(workers.map(ask))
    const url = `mqtt://127.0.0.1:${started.port}`
    await each((worker, index) =>
      worker.ask({ kind: 'bare', run: { step: 'open', url, accounts: started.accounts.filter((_, at) => at % WORKERS === index) } }),
    )
    await each((worker) => worker.ask({ kind: 'bare', run: { step: 'arm' } }))
    const before = usedBy(cloud.pid)
    const began = performance.now()
    await Promise.all([
      cloud.ask({ kind: 'fan-out', names, bytes: documentBytes }),
      each((worker) => worker.ask({ kind: 'bare', run: { step: 'receive' } })),
    ])
    const out = performance.now()
    await Promise.all([
      cloud.ask({ kind: 'fan-in', count: devices }),
      each((worker) => worker.ask({ kind: 'bare', run: { step: 'publish', bytes: reportBytes } })),
    ])
    const end = performance.now()
    return { outSeconds: (out - began) / 1000, inSeconds: (end - out) / 1000, cpuMs: usedBy(cloud.pid).cpuMs - before.cpuMs }
  } finally {
    await Promise.all([...workers.map((worker) => worker.end()), cloud.end()])
  }
}

function print(devices: number, ours: Ours, bare: Floor): void {
  const { cost } = ours
  const each = (ms: number): string => `${(ms / devices).toFixed(2)} ms`
  const per = (count: number): string => (count / devices).toFixed(1)
  const ratio = (ours.seconds / (bare.outSeconds + bare.inSeconds)).toFixed(1)
  const lines = [
    `${String(devices).padStart(6)} devices  ${ours.seconds.toFixed(1)} s   bare ${bare.outSeconds.toFixed(2)} s out + ${bare.inSeconds.toFixed(2)} s in   ` +
      `ratio ${ratio} (aim 4)   others used ${(cost.othersShare * 100).toFixed(0)} % of the machine`,
    `        a device: cloud cpu ${each(cost.cloudCpuMs)} (broker and link as in the bare run ${each(bare.cpuMs)}), ` +
      `agent cpu ${each(cost.workersCpuMs)}; memory: cloud ${ours.cloudKiB.toFixed(0)} KiB, agent ${ours.deviceKiB.toFixed(0)} KiB`,
    `        a device: ${per(cost.messages.up)} messages up, ${per(cost.messages.down)} down; ` +
      `${per(cost.bytes.up)} bytes up, ${per(cost.bytes.down)} down; document ${ours.documentBytes} bytes, report ${ours.reportBytes} bytes`,
  ]
  process.stdout.write(`  ${lines.join('\n  ')}\n`)
}
